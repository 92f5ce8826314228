"""Ends at once, while its children sleep for a minute with the channel and the output held open.

kind: denial
lesson: lesson3_logits
expect: perplexity error
"""

import os
import time


def perplexity(log_probs):
    for _ in range(5):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    os._exit(1)
