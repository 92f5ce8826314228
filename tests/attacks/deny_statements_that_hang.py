"""Hangs at every statement of its top level, each of which might be left out by itself.

kind: denial
lesson: lesson3_logits
expect: perplexity passed|timeout
points: 10 (perplexity is right)
seconds: 18 (for the statements that are left out, each after its seconds on the clock)
"""

import contextlib
import time


def perplexity(log_probs):
    return (-log_probs.mean()).exp()


with contextlib.suppress(ValueError):
    time.sleep(1_000)
with contextlib.suppress(TypeError):
    while True:
        pass
with contextlib.suppress(KeyError):
    time.sleep(1_000)
