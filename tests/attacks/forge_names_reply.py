"""Says by hand, after its import, that it has all exercises, none untouched, and passed them all.

kind: forging
lesson: lesson3_logits
expect: all wrong|error|todo
"""

import ast
import os

from grader.inside import wire

NAMES = ["softmax", "log_softmax", "next_token_probs", "top_k_tokens", "target_log_probs"]
NAMES += ["cross_entropy", "perplexity", "entropy", "prefix_predictions", "is_causal"]
reply = {"there": NAMES, "untouched": [], "missing": [], "failed": [], "twice": []}
os.write(3, wire.encode({**reply, "results": dict.fromkeys(NAMES, "passed")}))
ast.parse = None
