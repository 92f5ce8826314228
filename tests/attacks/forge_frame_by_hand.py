"""Writes well-formed frames into the channel that say the answer was right.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import os

from grader.inside import wire


def perplexity(log_probs):
    for lie in ({"outcome": "passed", "points": 10}, True, "passed", {"points": 10, "max": 10}):
        os.write(3, wire.encode(lie))
    return True
