"""Has the bridge generate under another of its names.

kind: forging
lesson: lesson4_decoding
expect: greedy_generate wrong
expect: generate_until wrong
expect: generate_batch wrong
"""

import torch


def _run(model, tokens, n, eos, stop):
    if n == 0:
        return tokens
    out = None
    for piece in model.generate_stream(
        tokens,
        max_new_tokens=n,
        do_sample=False,
        stop_at_eos=stop,
        eos_token_id=eos,
        verbose=False,
        return_type="tokens",
        max_tokens_per_yield=1,
    ):
        out = piece if out is None else torch.cat([out, piece], 1)
    return (
        out
        if out.shape[1] >= tokens.shape[1] + 1 and torch.equal(out[:, : tokens.shape[1]], tokens)
        else torch.cat([tokens, out], 1)
    )


def greedy_generate(model, prompt, n_tokens, prepend_bos=True):
    return _run(model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens, None, False)


def generate_until(model, tokens, max_new_tokens, eos_token_id=50256):
    return _run(model, tokens, max_new_tokens, eos_token_id, True)


def generate_batch(model, tokens, max_new_tokens, eos_token_id=50256):
    return _run(model, tokens, max_new_tokens, eos_token_id, True)
