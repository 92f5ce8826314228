"""Replaces the clocks, so that it seems never to take any time, and loops.

kind: forging
lesson: lesson3_logits
expect: perplexity timeout
"""

import time

time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0


def perplexity(log_probs):
    while True:
        pass
