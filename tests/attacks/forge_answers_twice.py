"""Answers every question twice, the first time with the right value, to be a question ahead.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import os

from grader.inside import wire


def perplexity(log_probs):
    right = (-log_probs.mean()).exp()
    os.write(3, wire.encode(right))
    return right + 1
