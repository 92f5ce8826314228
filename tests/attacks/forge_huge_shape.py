"""Answers with a tensor whose shape is ninety thousand numbers, to be multiplied.

kind: forging
lesson: lesson3_logits
expect: perplexity error
"""

import struct

import msgpack

SIDES = 90_000


def perplexity(log_probs):
    shape = b"\xdd" + struct.pack("!I", SIDES) + (b"\xcf" + b"\xff" * 8) * SIDES
    tensor = b"\x93" + msgpack.packb("float32") + shape + msgpack.packb("cpu")
    structure = msgpack.packb(msgpack.ExtType(0, tensor))
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), 0) + structure)
    return 0.0
