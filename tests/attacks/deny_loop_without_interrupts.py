"""Loops for ever and catches whatever would end it.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""

import signal

for number in signal.valid_signals():
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        continue
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def perplexity(log_probs):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
