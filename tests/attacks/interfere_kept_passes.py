"""Changes the answers that are kept of the reference, behind its back.

kind: interference
lesson: lesson3_logits
times: 2
expect: next_token_probs wrong|error
"""

import gc

import torch


def next_token_probs(model, text):
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing).__name__ == "Passes":
            for logits in thing._kept.values():
                logits.zero_()
            thing._kept.clear()
            thing._live = lambda *args: torch.zeros(1, 1, 50257)
    return torch.zeros(50257)
