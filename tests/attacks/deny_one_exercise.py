"""Hangs in one exercise and ends the process in another; those after each of them are solved.

kind: denial
lesson: lesson3_logits
expect: cross_entropy timeout
expect: perplexity passed
expect: entropy error
expect: prefix_predictions passed
points: 20 (perplexity and prefix_predictions are solved, and a hang costs its own exercise alone)
"""

import os

import torch


def cross_entropy(logits, tokens, attention_mask):
    while True:
        pass


def perplexity(log_probs):
    return (-log_probs.mean()).exp()


def entropy(logits):
    os._exit(1)


def prefix_predictions(model, tokens):
    return torch.stack([model(tokens[:, : j + 1])[0, -1] for j in range(tokens.shape[1])])
