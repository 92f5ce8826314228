"""Puts modules of its own in the place of the grader's.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import sys
import types


class Yes(types.ModuleType):
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


for name in ("agree", "check", "grade", "examine", "gradebook", "plain", "observe", "sandbox"):
    sys.modules[f"grader.{name}"] = Yes(name)
sys.modules["torch.testing"] = Yes("testing")


def perplexity(log_probs):
    return 0.0
