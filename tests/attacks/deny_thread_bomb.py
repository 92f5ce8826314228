"""Starts threads that never end, up to five thousand.

kind: denial
lesson: lesson3_logits
expect: perplexity error|blocked|memory
"""

import threading
import time


def perplexity(log_probs):
    for _ in range(5000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print("SUCCEEDED: five thousand threads")
