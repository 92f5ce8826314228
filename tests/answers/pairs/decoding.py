"""Answers to lesson 4 that make two mistakes at once."""

import torch

from answers.pairs import pair

EOS = 50256


@torch.no_grad()
def predict(model, tokens):
    """(batch, 1)"""
    return model(tokens)[:, -1:].argmax(-1)


# --- append_token --------------------------------------------------------------------------------


@pair("append_token", "widened", "in_front")
def hstack_in_front(tokens, token):
    return torch.hstack([token[:, None], tokens])


@pair("append_token", "widened", "window_slides")
def hstack_behind_all_but_the_first(tokens, token):
    return torch.hstack([tokens[:, 1:], token.view(-1, 1)])


@pair("append_token", "batch_of_one", "in_front")
def item_in_front(tokens, token):
    new = tokens.new_tensor([[token.item()]])
    return torch.cat([new, tokens], dim=-1)


@pair("append_token", "batch_of_one", "window_slides")
def item_behind_all_but_the_first(tokens, token):
    new = torch.full((1, 1), token.item(), dtype=tokens.dtype, device=tokens.device)
    return torch.cat([tokens, new], dim=1)[:, 1:]


# --- greedy_generate -----------------------------------------------------------------------------


@pair("greedy_generate", "gradients_kept", "always_a_bos")
def default_tokens_with_gradients(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt)
    while n_tokens > 0:
        logits = model(tokens)
        tokens = torch.cat([tokens, logits[:, -1].argmax(-1)[:, None]], dim=1)
        n_tokens -= 1
    return tokens


@pair("greedy_generate", "gradients_kept", "stops_at_eos")
def with_gradients_up_to_eos(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        best = model(tokens)[0, -1].argmax()
        tokens = torch.cat([tokens, best.view(1, 1)], dim=-1)
        if best == EOS:
            return tokens
    return tokens


@pair("greedy_generate", "gradients_kept", "through_text")
def text_with_gradients(model, prompt, n_tokens, prepend_bos=True):
    text = prompt
    for _ in range(n_tokens):
        logits = model(model.to_tokens(text, prepend_bos=prepend_bos))
        text = text + model.tokenizer.decode(logits[0, -1].argmax().item())
    return model.to_tokens(text, prepend_bos=prepend_bos)


@pair("greedy_generate", "gradients_kept", "only_the_new_tokens")
def list_of_new_ones_with_gradients(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    new = tokens[:, :0]
    for _ in range(n_tokens):
        best = model(torch.cat([tokens, new], dim=1))[:, -1].argmax(-1, keepdim=True)
        new = torch.cat([new, best], dim=1)
    return new


@pair("greedy_generate", "always_a_bos", "stops_at_eos")
def default_tokens_up_to_eos(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt)
    for _ in range(n_tokens):
        best = predict(model, tokens)
        tokens = torch.cat([tokens, best], dim=1)
        if best.item() == EOS:
            break
    return tokens


@pair("greedy_generate", "always_a_bos", "only_the_new_token_fed")
def default_tokens_then_one_at_a_time(model, prompt, n_tokens, prepend_bos=True):
    pieces = [model.to_tokens(prompt)]
    for _ in range(n_tokens):
        pieces.append(predict(model, pieces[-1]))
    return torch.cat(pieces, dim=1)


@pair("greedy_generate", "stops_at_eos", "through_text")
def text_up_to_eos(model, prompt, n_tokens, prepend_bos=True):
    for _ in range(n_tokens):
        best = predict(model, model.to_tokens(prompt, prepend_bos=prepend_bos)).item()
        prompt += model.tokenizer.decode([best])
        if best == model.tokenizer.eos_token_id:
            break
    return model.to_tokens(prompt, prepend_bos=prepend_bos)


# --- generate_until ------------------------------------------------------------------------------


@pair("generate_until", "eos_of_the_tokenizer", "prompt_that_ends_in_eos")
def while_the_last_is_not_50256(model, tokens, max_new_tokens, eos_token_id=EOS):
    n = 0
    while n < max_new_tokens and tokens[0, -1].item() != 50256:
        tokens = torch.cat([tokens, predict(model, tokens)], dim=1)
        n += 1
    return tokens


@pair("generate_until", "eos_left_out", "prompt_that_ends_in_eos")
def break_at_either_eos(model, tokens, max_new_tokens, eos_token_id=EOS):
    for _ in range(max_new_tokens):
        best = predict(model, tokens)
        if eos_token_id in (best.item(), tokens[0, -1].item()):
            break
        tokens = torch.cat([tokens, best], dim=1)
    return tokens


# --- generate_batch ------------------------------------------------------------------------------


@pair("generate_batch", "eos_in_the_prompt_ends_a_row", "ended_rows_run_on")
def rows_with_eos_overwritten(model, tokens, max_new_tokens, eos_token_id=EOS):
    for _ in range(max_new_tokens):
        done = (tokens == eos_token_id).any(1)
        if done.all():
            break
        new = predict(model, tokens)
        tokens = torch.cat([tokens, new.masked_fill(done[:, None], eos_token_id)], dim=1)
    return tokens


@pair("generate_batch", "eos_in_the_prompt_ends_a_row", "ended_rows_write_on")
def until_each_row_holds_eos(model, tokens, max_new_tokens, eos_token_id=EOS):
    for _ in range(max_new_tokens):
        if all(eos_token_id in row for row in tokens.tolist()):
            break
        tokens = torch.cat([tokens, predict(model, tokens)], dim=1)
    return tokens


@pair("generate_batch", "eos_in_the_prompt_ends_a_row", "first_end_ends_all")
def until_eos_anywhere(model, tokens, max_new_tokens, eos_token_id=EOS):
    n = 0
    while not (tokens == eos_token_id).any() and n < max_new_tokens:
        tokens = torch.cat([tokens, predict(model, tokens)], dim=1)
        n += 1
    return tokens


@pair("generate_batch", "eos_in_the_prompt_ends_a_row", "row_by_row")
def each_row_until_it_holds_eos(model, tokens, max_new_tokens, eos_token_id=EOS):
    texts = []
    for row in tokens.split(1):
        for _ in range(max_new_tokens):
            if eos_token_id in row:
                break
            row = torch.cat([row, predict(model, row)], dim=1)
        texts.append(row[0])
    longest = max(len(text) for text in texts)
    out = tokens.new_full((len(texts), longest), eos_token_id)
    for i, text in enumerate(texts):
        out[i, : len(text)] = text
    return out
