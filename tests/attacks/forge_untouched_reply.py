"""Says that what it does not do is untouched, in types that a reader of the reply may stumble over.

kind: forging
lesson: lesson3_logits
expect: all wrong|error|todo
"""

import os

from grader.inside import wire

reply = {
    "there": 7, "untouched": {"perplexity": 1}, "failed": [["perplexity", 1, False], 2, [3]],
    "missing": [[[], []], ["perplexity"]], "twice": {"perplexity": [1] * 4},
}  # fmt: skip
os.write(3, wire.encode(reply))


def perplexity(log_probs):
    return 0.0
