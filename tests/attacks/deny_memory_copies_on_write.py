"""Takes memory, forks, and keeps what it took in common with its child; up to 3.2 gigabytes.

kind: denial
lesson: lesson3_logits
seconds: 12 (it takes some of each of its exercises')
expect: target_log_probs wrong|memory
expect: cross_entropy wrong|memory
expect: perplexity wrong|memory
expect: entropy wrong|memory
expect: prefix_predictions wrong|memory
expect: is_causal wrong|memory
"""

import contextlib
import os
import time

SIZE = 400_000_000  # eight times
begun = []


def take(end):
    own = bytearray(SIZE)
    for start in range(0, SIZE, 4096):
        own[start] = 1
    if os.fork():
        os.write(end, b"1")
    time.sleep(30)
    os._exit(0)


def bomb(exercise):
    """Its children go on while it answers for the next exercises."""
    if not begun:
        begun.extend([*os.pipe(), 0])
        os.set_blocking(begun[0], False)
    if exercise not in begun:
        begun.append(exercise)
        for _ in range(2 if len(begun) < 8 else 0):
            if os.fork() == 0:
                take(begun[1])
        time.sleep(0.5)
    with contextlib.suppress(BlockingIOError):
        begun[2] += len(os.read(begun[0], 100))
    print(f"{begun[2] * SIZE:,} bytes are held at a time")
    if begun[2] * SIZE > 2_500_000_000:
        print("SUCCEEDED: they are")


def target_log_probs(logits, tokens):
    bomb("target_log_probs")


def cross_entropy(logits, tokens, attention_mask):
    bomb("cross_entropy")


def perplexity(log_probs):
    bomb("perplexity")


def entropy(logits):
    bomb("entropy")


def prefix_predictions(model, tokens):
    bomb("prefix_predictions")


def is_causal(model, tokens):
    bomb("is_causal")
