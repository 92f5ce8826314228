"""Binds forbidden functions in ways that are not `name = torch.function`, and runs them in a
thread.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
expect: cross_entropy wrong
"""

import threading
from typing import Any

import torch
from torch.nn.functional import *  # noqa: F403

first: Any = torch.softmax
(second, third) = (torch.softmax, torch.log_softmax)


def in_thread(f):
    def run(*args, **kwargs):
        out = []
        t = threading.Thread(target=lambda: out.append(f(*args, **kwargs)))
        t.start()
        t.join()
        return out[0]

    return run


softmax = in_thread(first)
log_softmax = in_thread(third)
