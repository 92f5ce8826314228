"""Loops for ever in C, where no signal handler of Python's gets a turn.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""

import itertools


def perplexity(log_probs):
    return sum(itertools.repeat(0))
