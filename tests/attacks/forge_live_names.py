"""Answers with the names of live things, so that the reader would fetch them on its side.

kind: forging
lesson: lesson3_logits
expect: perplexity error
expect: entropy error
"""

import struct

import msgpack


def send(*names):
    structure = msgpack.packb([msgpack.ExtType(4, name) for name in names])
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), 0) + structure)


def perplexity(log_probs):
    send(b"reference", b"tokenizer", b"reference.tokenizer", b"large 0 cpu")
    return 0.0


def entropy(logits):
    send(b"__class__.__init__.__globals__", b"reference_name")
    return 0.0
