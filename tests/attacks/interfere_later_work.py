"""Starts threads and timers that strike while its process answers for other exercises.

kind: interference
lesson: lesson3_logits
expect: perplexity wrong|error
expect: entropy wrong|error|timeout
"""

import os
import signal
import threading
import time


def strike():
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGALRM)
    os._exit(3)


def perplexity(log_probs):
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, 0.3, 0.01)
    threading.Thread(target=strike, daemon=True).start()


def entropy(logits):
    time.sleep(0.5)
