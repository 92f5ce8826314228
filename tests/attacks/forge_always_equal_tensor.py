"""Returns a tensor subclass that answers every question PyTorch asks it with yes.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import torch


class Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def item(self):
        return Everything(1.0)

    def cpu(self):
        return self

    clone = detach = double = cpu


class Everything(float):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__

    def __hash__(self):
        return 0


def perplexity(log_probs):
    return torch.tensor(1.0).as_subclass(Right)
