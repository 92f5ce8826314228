"""Leaves with sys.exit(0), and once more from atexit.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import atexit
import os
import sys

atexit.register(os._exit, 0)


def perplexity(log_probs):
    sys.exit(0)
