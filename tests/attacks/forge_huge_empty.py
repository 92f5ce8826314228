"""Returns an empty tensor with a dimension of 2**62, which PyTorch makes and NumPy does not.
The rest of the lesson is graded: perplexity is right.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: perplexity passed
points: 10 (perplexity is right)
"""

import torch


def softmax(x, dim):
    return torch.empty(0, 2**62)


def perplexity(log_probs):
    return (-log_probs.mean()).exp()
