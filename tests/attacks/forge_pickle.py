"""Writes pickles that run code where they are read; the code would leave a file behind.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import os
import pickle
import struct


class Runs:
    def __reduce__(self):
        return os.system, ("touch /tmp/attack-leftover-pickle",)


def perplexity(log_probs):
    bomb = pickle.dumps(Runs())
    os.write(3, struct.pack("!II", len(bomb), 0) + bomb)
    return Runs()
