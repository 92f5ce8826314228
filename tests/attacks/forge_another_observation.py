"""Answers with what was seen of the reference and of other exercises, in the hope that one fits.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
expect: entropy wrong|error
"""

import gc

import torch

import __main__ as inside

kept = [t for t in gc.get_objects() if type(t) is torch.Tensor and t.numel() == 1]
number = 0


def observed(self, lesson, exercise, args, **rest):
    global number
    number += 1
    other = torch.tensor(float(number)) if not kept else kept[number % len(kept)]
    self.answer(args[0].mean() if number % 2 else other)


inside._Fork.do_observe = observed


def perplexity(log_probs):
    return 0.0


def entropy(logits):
    return 0.0
