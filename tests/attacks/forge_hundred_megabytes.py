"""Answers each question with as many bytes of tensors as are taken.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error|timeout
"""

import struct

import msgpack

import __main__ as inside

TENSOR = msgpack.ExtType(0, msgpack.packb(["float64", [12_500_000], "cpu"]))


def observed(self, **request):
    structure = msgpack.packb(TENSOR)
    self.channel.sendall(struct.pack("!II", len(structure), 100_000_000) + structure)
    self.channel.sendall(bytes(100_000_000))


inside._Fork.do_observe = observed


def perplexity(log_probs):
    return 0.0
