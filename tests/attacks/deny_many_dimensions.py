"""Returns a tensor of 24 dimensions, each of 2 entries, of which no middle can be left out.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong
expect: entropy wrong
expect: softmax wrong
"""

import torch


def perplexity(log_probs):
    return torch.zeros((2,) * 24, dtype=torch.bool)


def entropy(logits):
    return [torch.zeros((2,) * 20)] * 4


def softmax(x, dim):
    return torch.zeros((3,) * 15)
