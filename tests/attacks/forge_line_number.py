"""Answers with records of calls and exceptions on lines whose numbers take ages to be written.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error|todo
expect: entropy wrong|error|todo
"""

import os

from grader.inside import wire
from grader.inside.forbidden import Call
from grader.inside.run import Frame, Raised

LINE = 1 << 100_000


def perplexity(log_probs):
    os.write(
        3, wire.encode(Raised("ValueError", "no", (Frame("a.py", LINE, "f", "x"),), errno=LINE))
    )
    return 0.0


def entropy(logits):
    os.write(3, wire.encode(Call("torch.softmax", LINE, "x")))
    return 0.0
