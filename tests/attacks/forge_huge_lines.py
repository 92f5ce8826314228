"""Answers its import by hand with lines that nobody could write out.

kind: forging
lesson: lesson3_logits
expect: all wrong|error|todo
"""

import os

from grader.inside import wire
from grader.inside.run import Raised

HUGE = 10**5000
raised = Raised("E", "e")
reply = {
    "there": ["softmax"], "untouched": [], "twice": [["softmax", HUGE, 3, False]],
    "failed": [[HUGE, ["softmax"], raised, "lesson3_logits.py"], [1, [], raised, "x" * 10**5]],
    "missing": [["perplexity", [HUGE, [], raised, "lesson3_logits.py"]]],
}  # fmt: skip
os.write(3, wire.encode(HUGE) + wire.encode(reply))


def softmax(x, dim):
    return x
