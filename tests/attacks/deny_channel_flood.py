"""Goes on writing into the channel from a thread, after it has answered.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong|error|timeout
expect: entropy wrong|error|timeout
"""

import os
import threading
import time


def flood():
    until = time.time() + 60
    while time.time() < until:
        try:
            os.write(3, b"\xc0\xff\xee\x00" * 10_000)
        except OSError:
            return


def perplexity(log_probs):
    threading.Thread(target=flood, daemon=True).start()


def entropy(logits):
    time.sleep(0.1)
