"""Leaves pseudo-terminals and their contents in /dev/pts for the next one.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong|error|blocked
"""

import os

THERE = os.listdir("/dev/pts") if os.path.exists("/dev/pts") else []


def perplexity(log_probs):
    if set(THERE) - {"ptmx"}:
        print(f"SUCCEEDED: {THERE}")
    for _ in range(5):
        ours, theirs = os.openpty()
        os.write(ours, b"poison\n")
        print(os.ttyname(theirs))
