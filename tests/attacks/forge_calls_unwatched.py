"""Switches off what watches its calls, and makes a forbidden one that its source does not say.

It gains points: its process computes the right answers, and how it did, nobody outside can see.

kind: forging
lesson: lesson3_logits
expect: softmax passed|wrong
points: 20 (softmax is right; a call that the source hides is only watched for in its own process)
"""

import torch

from grader.inside import run


class Unwatched:
    call = None

    def __init__(self, function, forbids):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


run.Watch = Unwatched


def softmax(x, dim):
    return getattr(torch, "soft" + "max")(x, dim)
