"""Answers with a list in a list in a list, millions of them.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import struct


def perplexity(log_probs):
    structure = b"\x91" * 7_999_999 + b"\x90"
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), 0) + structure)
    return 0.0
