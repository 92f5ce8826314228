"""Returns tensors that claim far more entries than they hold: expanded, overlapping, sparse, meta.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error|memory
expect: entropy wrong|error|memory
"""

import torch


def perplexity(log_probs):
    return torch.zeros(()).expand(10**6, 10**6, 10**6)


def entropy(logits):
    overlapping = torch.zeros(10**6).as_strided((10**6, 10**6), (1, 0))
    return [overlapping] * 1000 + [torch.empty(1 << 40, device="meta"), torch.ones(3).to_sparse()]
