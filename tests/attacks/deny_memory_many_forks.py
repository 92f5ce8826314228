"""Forks thirty times, and each child takes ninety megabytes of its own.

kind: denial
lesson: lesson3_logits
expect: perplexity memory|timeout
"""

import os
import time


def perplexity(log_probs):
    for _ in range(30):
        if os.fork() == 0:
            own = bytearray(b"\1" * 90_000_000)
            time.sleep(10)
            os._exit(len(own) % 2)
    time.sleep(10)
