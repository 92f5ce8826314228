"""Opens files and sockets and never closes them, up to a hundred thousand.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
"""

import os


def perplexity(log_probs):
    for _ in range(100_000):
        os.dup(1)
    print("SUCCEEDED: a hundred thousand descriptors")
