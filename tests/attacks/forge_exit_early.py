"""Ends the process with exit code 0, as if all had gone well.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import os
import sys


def perplexity(log_probs):
    print("perplexity passed 10/10")
    sys.stdout.flush()
    os._exit(0)
