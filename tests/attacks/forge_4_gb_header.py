"""Announces an answer of four gigabytes.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import os


def perplexity(log_probs):
    os.write(3, b"\xff" * 8 + b"\x00" * 100)
    return 0.0
