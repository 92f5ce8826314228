"""Has a regular expression try 2 ** 60 ways.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""

import re


def perplexity(log_probs):
    return re.match("(a|a)*b", "a" * 60)
