"""Prints as fast as it can, on both streams, two gigabytes.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout|wrong
"""

import os


def perplexity(log_probs):
    line = b"all work and no play makes jack a dull boy\n" * 20_000
    for _ in range(1200):
        os.write(1, line)
        os.write(2, line)
