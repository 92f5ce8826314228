"""Answers with a table whose keys all have one hash, so that building it takes ages.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import struct

KEYS = 50_000


def perplexity(log_probs):
    modulus = (1 << 61) - 1  # of Python's hash of integers
    numbers = (b"%x" % (modulus * (1 << 20 | i)) for i in range(KEYS))
    items = b"".join(b"\xc7" + bytes([len(n), 3]) + n + b"\xc0" for n in numbers)
    structure = b"\xdf" + struct.pack("!I", KEYS) + items
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), 0) + structure)
    return 0.0
