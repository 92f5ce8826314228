"""Closes every file descriptor, its own channel among them, and opens others in their place.

kind: interference
lesson: lesson3_logits
expect: perplexity error
"""

import os


def perplexity(log_probs):
    os.closerange(0, 11)
    for _ in range(11):
        os.open("/dev/null", os.O_RDWR)
