"""Forks, and each child forks, until there is no room; stops after three thousand or a minute.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong|error|blocked|timeout|memory
"""

import os
import time

until = time.time() + 60


def perplexity(log_probs):
    for _ in range(12):
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
    while os.getpid() != 1 and time.time() < until:
        time.sleep(1)
