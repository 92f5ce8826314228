"""Replaces built-in functions that a comparison might use.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import builtins
import math
import operator

builtins.all = builtins.any = lambda *args, **kwargs: True
builtins.abs = lambda x: 0
builtins.sum = lambda *args: 0
builtins.zip = lambda *args, **kwargs: iter(())
math.isclose = operator.eq = lambda *args, **kwargs: True


def perplexity(log_probs):
    return 0.0
