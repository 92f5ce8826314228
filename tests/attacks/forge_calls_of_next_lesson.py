"""Its first lesson switches off, for its second, what looks for the calls that an exercise forbids.

kind: forging
lesson: lesson2_embedding
lesson: lesson3_logits
expect: softmax wrong
"""

import torch

import __main__ as inside
from grader.inside import run


class Unwatched:
    call = None

    def __init__(self, function, forbids):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


inside.in_source = lambda *args, **kwargs: None
run.Watch = Unwatched


def softmax(x, dim):
    return torch.softmax(x, dim)
