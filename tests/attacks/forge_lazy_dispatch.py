"""Returns a tensor of a class of its own that makes the forbidden call when it is looked at.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
"""

import torch


class Later(torch.Tensor):
    @staticmethod
    def __new__(cls, make, like):
        made = torch.Tensor._make_wrapper_subclass(cls, like.shape, dtype=like.dtype)
        made.make = make
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return args[0].make()


def softmax(x, dim):
    x = x.detach().clone()
    return Later(lambda: getattr(torch, "soft" + "max")(x, dim), x)


def log_softmax(x, dim):
    x = x.detach().clone()
    return Later(lambda: getattr(torch, "log_soft" + "max")(x, dim), x)
