"""Asks PyTorch for more memory than a machine has, then for many pieces of it.

kind: denial
lesson: lesson3_logits
expect: perplexity memory
expect: entropy memory|timeout
"""

import torch


def perplexity(log_probs):
    return torch.ones(1 << 40)


def entropy(logits):
    return [torch.empty(10_000_000) for _ in range(400)]
