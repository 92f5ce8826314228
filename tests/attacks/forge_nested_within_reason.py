"""Answers with lists, tuples and tables as deep as the format takes them, deeper than Python walks.

kind: forging
lesson: lesson3_logits
expect: top_k_tokens wrong|error
expect: perplexity wrong|error
"""

import struct

import msgpack


def tuples(inner, depth):
    for _ in range(depth):
        inner = msgpack.packb(msgpack.ExtType(1, b"\x91" * 900 + inner))
    return inner


def answer(structure):
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), 0) + structure)


def perplexity(log_probs):
    answer(tuples(b"\x90", 30))
    return 0.0


def top_k_tokens(tokenizer, probs, k):
    answer(b"\x91" + tuples(b"\x81\xa1a" * 300 + b"\x90", 35))
    return 0.0
