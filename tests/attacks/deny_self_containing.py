"""Returns structures that contain themselves, and generators that never end.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong|error
expect: entropy wrong|error
"""

import itertools


class Endless(list):
    def __iter__(self):
        return itertools.repeat(self)

    def __len__(self):
        return 1 << 60


def perplexity(log_probs):
    nested = []
    nested.extend([nested, {"again": nested}, (nested,)])
    return nested


def entropy(logits):
    return [Endless([1]), itertools.repeat(1), Endless([Endless()])]
