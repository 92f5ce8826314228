"""Makes forbidden calls in a thread of its own; the source does not say their names.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
"""

from concurrent.futures import ThreadPoolExecutor

import torch


def in_thread(name, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(getattr(torch, name), *args).result()


def softmax(x, dim):
    return in_thread("soft" + "max", x, dim)


def log_softmax(x, dim):
    return in_thread("log_soft" + "max", x, dim)
