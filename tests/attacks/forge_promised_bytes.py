"""Announces the longest answer that is taken, sends a byte of it every tenth of a second.

kind: forging
lesson: lesson3_logits
expect: perplexity timeout
"""

import os
import struct
import time


def perplexity(log_probs):
    os.write(3, struct.pack("!II", 8_000_000, 100_000_000))
    for _ in range(600):
        os.write(3, b"\x90")
        time.sleep(0.1)
