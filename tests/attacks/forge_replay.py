"""Keeps every answer that went out and sends all of them again at each question.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import torch

import __main__ as inside

sent = []
answer = inside._Fork.answer


def replaying(self, value):
    for earlier in sent:
        answer(self, earlier)
    sent.append(value)
    answer(self, value)


inside._Fork.answer = replaying


def perplexity(log_probs):
    return (-log_probs.mean()).exp() + torch.rand(())
