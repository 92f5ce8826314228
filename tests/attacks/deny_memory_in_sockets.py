"""Fills the kernel's buffers: socket pairs and pipes that nobody reads, in 32 processes, 2 GB.

kind: denial
lesson: lesson3_logits
seconds: 9 (it takes some of each of its exercises')
expect: target_log_probs memory|wrong|blocked|error
expect: cross_entropy memory|wrong|blocked|error
expect: perplexity memory|wrong|blocked|error
expect: entropy memory|wrong|blocked|error
"""

import os
import socket
import time

begun = []


def fill(gigabytes):
    kept, written = [], 0
    try:
        while written < gigabytes * 1_000_000_000:
            pair = socket.socketpair()
            for end in pair:
                end.setblocking(False)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
            kept.append(pair)
            for end in pair:
                try:
                    while True:
                        written += end.send(b"\1" * 65_536)
                except BlockingIOError:
                    continue
    except OSError:
        pass
    return kept


def available():
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1e6


def bomb(exercise):
    """Its children go on while it answers for the next exercises."""
    if exercise not in begun:
        begun.append(exercise)
        for _ in range(8):
            if os.fork() == 0:
                kept = fill(2 / 32)
                time.sleep(30)
                os._exit(len(kept) % 2)
        time.sleep(0.4)
        print(f"{BEFORE - available():.2f} GB less are available")


def target_log_probs(logits, tokens):
    bomb("target_log_probs")


def cross_entropy(logits, tokens, attention_mask):
    bomb("cross_entropy")


def perplexity(log_probs):
    bomb("perplexity")


def entropy(logits):
    bomb("entropy")


BEFORE = available()
