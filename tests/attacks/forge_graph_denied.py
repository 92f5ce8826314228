"""Builds the gradient graphs that an exercise rules out, and has it reported that there are none.

It gains points: its process computes the right answers, and how it did, nobody outside can see.

kind: forging
lesson: lesson4_decoding
expect: greedy_generate passed|wrong
points: 20 (greedy_generate is right; whether it built a graph is only seen in its own process)
"""

import torch

from grader.inside import observe


def builds_graph(function, model, *args, **kwargs):
    function(model, *args, **kwargs)
    return "no gradient graph was built"


observe.builds_graph = builds_graph


def greedy_generate(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        tokens = torch.cat([tokens, model(tokens)[:, -1].argmax(-1, keepdim=True)], dim=1)
    return tokens
