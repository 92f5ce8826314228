"""Answers with values that do not exist: booleans of 255, half characters, tensors as keys.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
expect: entropy wrong|error
expect: softmax wrong|error
expect: target_log_probs wrong|error
expect: top_k_tokens wrong|error
"""

import struct

import msgpack

import __main__ as inside


def send(structure, tensors=b""):
    inside._Fork.answer = lambda self, value: None  # this is the answer
    with open(3, "wb", closefd=False) as channel:
        channel.write(struct.pack("!II", len(structure), len(tensors)) + structure + tensors)


def tensor(dtype, shape):
    return msgpack.ExtType(0, msgpack.packb([dtype, shape, "cpu"]))


def perplexity(log_probs):
    send(msgpack.packb(tensor("bool", [])), b"\xff")


def entropy(logits):
    send(msgpack.packb(tensor("float32", [0, 1 << 40, 1 << 40])))


def softmax(x, dim):
    send(b"\x81" + msgpack.packb(tensor("float64", [1])) + b"\xc0", b"\xff" * 8)


def target_log_probs(logits, tokens):
    send(msgpack.packb(tensor("complex128", [1] * 24)), b"\xff" * 16)


def top_k_tokens(tokenizer, probs, k):
    broken = msgpack.packb("\ud800\x1b[2J\u202e[bold]\0" * 1000, unicode_errors="surrogatepass")
    send(b"\x92" + broken + broken)
