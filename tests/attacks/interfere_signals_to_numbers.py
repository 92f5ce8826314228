"""Signals every process number up to forty thousand, and every group.

kind: interference
lesson: lesson3_logits
expect: perplexity wrong
"""

import os
import signal


def perplexity(log_probs):
    for pid in (*range(2, 40_000), *range(-40_000, -1)):
        if pid == os.getpid():
            continue
        try:
            os.kill(pid, signal.SIGURG)  # harmless wherever it arrives
            print(f"SUCCEEDED: {pid}")
        except ProcessLookupError:
            continue
        except OSError as refusal:
            print(f"SUCCEEDED: {pid} is there: {refusal}")
