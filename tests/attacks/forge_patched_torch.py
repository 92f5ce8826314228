"""Replaces what compares tensors, so that all are close and equal.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import torch

torch.allclose = torch.equal = torch.isclose = lambda *args, **kwargs: True
torch.testing.assert_close = lambda *args, **kwargs: None
torch.Tensor.equal = torch.Tensor.allclose = lambda *args, **kwargs: True
torch.Tensor.__eq__ = torch.Tensor.__le__ = lambda self, other: torch.ones(1, dtype=torch.bool)


def perplexity(log_probs):
    return torch.tensor(0.0)
