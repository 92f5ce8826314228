"""Changes every global setting of PyTorch that it can, for its own next exercise and for others.

kind: interference
lesson: lesson3_logits
times: 2
expect: entropy wrong|error
expect: perplexity passed
points: 10 (perplexity is solved, and what its neighbour set is undone before it is asked)
"""

import random

import numpy
import torch

DTYPE, MODE = torch.get_default_dtype(), torch.is_inference_mode_enabled()


def entropy(logits):
    if torch.float32 != DTYPE or MODE:
        print(f"SUCCEEDED: {DTYPE} {MODE}")
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_float32_matmul_precision("medium")
    torch.set_flush_denormal(True)
    torch.set_printoptions(precision=1, threshold=0)
    torch.manual_seed(7)
    random.seed(7)
    numpy.random.seed(7)
    torch.set_num_threads(2)


def perplexity(log_probs):
    return (-log_probs.mean()).exp()
