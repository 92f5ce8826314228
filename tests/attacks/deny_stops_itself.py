"""Stops itself and its children with SIGSTOP, as if for ever.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""

import os
import signal
import time


def perplexity(log_probs):
    child = os.fork()
    os.kill(os.getpid(), signal.SIGSTOP)
    os.kill(child or os.getpid(), signal.SIGSTOP)
    time.sleep(60)
