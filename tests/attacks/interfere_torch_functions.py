"""Replaces PyTorch's own functions for all who come after.

kind: interference
lesson: lesson3_logits
times: 2
expect: entropy wrong|error
"""

import torch

ORIGINAL = torch.exp.__module__, type(torch.exp).__name__


def entropy(logits):
    if ORIGINAL[1] != "builtin_function_or_method":
        print(f"SUCCEEDED: {ORIGINAL}")
    for name in ("exp", "log", "mean", "sum", "softmax", "log_softmax", "gather", "topk", "amax"):
        setattr(torch, name, lambda *args, **kwargs: torch.zeros(()))
        setattr(torch.Tensor, name, lambda *args, **kwargs: torch.zeros(()))
    return torch.zeros(())
