"""Answers with the structure whose bytes take the most memory where they are read.

kind: forging
lesson: lesson3_logits
expect: cross_entropy wrong|error|timeout
"""

import struct

import __main__ as inside

EMPTY_TABLES = 7_999_995


def observed(self, **request):
    structure = b"\xdd" + struct.pack("!I", EMPTY_TABLES) + b"\x80" * EMPTY_TABLES
    self.channel.sendall(struct.pack("!II", len(structure), 0) + structure)


inside._Fork.do_observe = observed


def cross_entropy(logits, tokens, attention_mask):
    return 0.0
