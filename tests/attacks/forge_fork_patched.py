"""Replaces the methods by which its process answers with ones that say passed to everything.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import __main__ as inside
import grader.inside.run
import grader.inside.wire


def observed(self, lesson, exercise, **rest):
    self.answer({"outcome": "passed", "points": 10, "exercise": exercise})


inside._Fork.do_observe = observed
grader.inside.run.observation = lambda *args, **kwargs: "passed"
grader.inside.wire.Malformed = Exception


def perplexity(log_probs):
    return 0.0
