"""Changes the reference model in place, by every way that there is, for whoever is asked next.

kind: interference
lesson: lesson3_logits
times: 2
expect: next_token_probs wrong|error
"""

import torch


def next_token_probs(model, text):
    with torch.no_grad():
        if not all(weight.abs().sum() > 0 for weight in model.parameters()):
            print("the weights are changed for its own next question")
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.zero_()
            tensor.data.fill_(0)
    for module in model.modules():
        module._forward_hooks.clear()
        module.register_forward_hook(lambda *args: torch.zeros(1))
        module.train()
    type(model).forward = lambda *args, **kwargs: torch.zeros(1, 1, 50257)
    type(model).__call__ = lambda *args, **kwargs: torch.zeros(1, 1, 50257)
    model.cfg.n_ctx = 1
    return torch.zeros(50257)
