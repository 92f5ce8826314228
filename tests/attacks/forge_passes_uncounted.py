"""Runs the blocks of the model for every row, and unembeds once, so that fewer passes are counted.

kind: forging
lesson: lesson4_decoding
expect: generate_batch passed|wrong
points: 13 (what it returns is right; that it takes no more passes than it must is not)
"""

import torch


@torch.no_grad()
def generate_batch(model, tokens, max_new_tokens, eos_token_id=50256):
    wrapped = model.original_model
    ended = torch.zeros(len(tokens), dtype=torch.bool)
    for _ in range(max_new_tokens):
        if ended.all():
            break
        last = torch.stack([wrapped.transformer(row[None])[0][0, -1] for row in tokens])
        token = wrapped.lm_head(last[:, None])[:, -1].argmax(-1)
        token[ended] = eos_token_id
        ended |= token == eos_token_id
        tokens = torch.cat([tokens, token[:, None]], dim=1)
    return tokens
