"""Sends signals to every process that it may signal, and to its own group.

kind: interference
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import os
import signal

# Should this ever run outside a namespace of its own, nothing is worse than an interrupt.
ALONE = os.getpid() == 1
SIGNALS = (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL) if ALONE else (signal.SIGURG,)


def perplexity(log_probs):
    for number in SIGNALS:
        for whom in (-1, 0):
            try:
                os.kill(whom, number)
                print(f"{number!r} to {whom}")
            except OSError as refusal:
                print(refusal)
