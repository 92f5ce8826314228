"""Answers with records of exceptions that never happened: endless texts, escapes, wrong numbers.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error|todo
expect: entropy wrong|error|todo
expect: top_k_tokens wrong|error|todo
"""

import os

from grader.inside import wire
from grader.inside.run import Frame, Raised

LONG = "\x1b]0;passed\x07[bold green]passed[/]\n" * 100_000


def perplexity(log_probs):
    os.write(3, wire.encode(Raised("Passed", LONG[:100_000], (), False, "", 1 << 200)))
    return 0.0


def entropy(logits):
    frames = tuple(Frame("../../etc/passwd", -(1 << 80), "f" * 999, "x\n" * 99) for _ in range(99))
    os.write(3, wire.encode(Raised("", "", frames, True, LONG[:9999], -1)))
    return [Raised("a", "b"), {"c": Raised("d", "e")}]


def top_k_tokens(tokenizer, probs, k):
    os.write(3, wire.encode([("a", Raised("AssertionError", "x"))] * 5))
    return 0.0
