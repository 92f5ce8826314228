"""Recurses until the stack ends, in Python and in C.

kind: denial
lesson: lesson3_logits
expect: perplexity error|memory|timeout
expect: entropy wrong|error|memory|timeout
"""

import sys


def perplexity(log_probs):
    sys.setrecursionlimit(1 << 30)

    class Deep:
        def __repr__(self):
            return repr(self)

    return repr(Deep())


def entropy(logits):
    nested = []
    for _ in range(300_000):
        nested = [nested]
    sys.setrecursionlimit(1 << 30)
    return nested == nested * 1 or repr(nested)
