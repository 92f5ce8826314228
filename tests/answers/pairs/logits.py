"""Answers to lesson 3 that make two mistakes at once."""

import math

import torch
from torch.nn import functional as F

from answers.pairs import pair

BOS = 50256


# --- softmax -------------------------------------------------------------------------------------


@pair("softmax", "no_maximum_subtracted", "always_the_last_dim")
def exp_over_the_last(x, dim):
    e = torch.exp(x)
    return e / e.sum(-1, keepdim=True)


@pair("softmax", "no_maximum_subtracted", "cut_off_from_the_gradient")
def exp_of_a_new_tensor(x, dim):
    e = torch.tensor(x.tolist(), dtype=x.dtype, device=x.device).exp()
    return e.div(e.sum(dim, keepdim=True))


@pair("softmax", "no_maximum_subtracted", "always_float32")
def exp_in_float32(x, dim):
    e = x.to(torch.float32).exp()
    total = torch.sum(e, dim=dim, keepdim=True)
    return e / total


@pair("softmax", "always_the_first_dim", "in_place")
def down_the_columns_in_place(x, dim):
    x.sub_(x.amax(0))
    return x.exp() / x.exp().sum(0)


@pair("softmax", "always_the_last_dim", "float32_in_between")
def floats_of_the_last_and_back(x, dim):
    y = x.float()
    y = (y - y.max(-1, keepdim=True)[0]).exp()
    return (y / y.sum(-1, keepdim=True)).type(x.dtype)


@pair("softmax", "one_maximum_for_all", "always_float32")
def global_maximum_in_float32(x, dim):
    z = x.float() - x.float().max()
    return z.exp() / z.exp().sum(dim, keepdim=True)


@pair("softmax", "one_sum_for_all", "in_place")
def whole_tensor_in_place(x, dim):
    x -= torch.max(x)
    p = torch.exp(x)
    return p / torch.sum(p)


# --- log_softmax ---------------------------------------------------------------------------------


@pair("log_softmax", "log_of_the_softmax", "always_the_last_dim")
def log_of_the_last(x, dim):
    e = (x - x.amax(-1, keepdim=True)).exp()
    p = e / e.sum(-1, keepdim=True)
    return p.log()


@pair("log_softmax", "log_of_the_softmax", "always_float32")
def log_in_float32(x, dim):
    z = x.float()
    e = torch.exp(z - z.max(dim, keepdim=True).values)
    return (e / e.sum(dim, keepdim=True)).log()


@pair("log_softmax", "no_maximum_subtracted", "always_the_last_dim")
def log_of_exp_sum_at_the_end(x, dim):
    return x - x.exp().sum(-1, keepdim=True).log()


@pair("log_softmax", "no_maximum_subtracted", "in_place")
def log_of_exp_sum_taken_off_in_place(x, dim):
    x -= torch.log(torch.sum(torch.exp(x), dim, keepdim=True))
    return x


@pair("log_softmax", "one_maximum_for_all", "always_float32")
def global_maximum_and_log_in_float32(x, dim):
    z = x.to(torch.float) - x.max()
    return z - z.exp().sum(dim, keepdim=True).log()


@pair("log_softmax", "keepdim_forgotten", "no_maximum_subtracted")
def log_of_exp_sum_without_keepdim(x, dim):
    total = torch.exp(x).sum(dim)
    return x - torch.log(total)


@pair("log_softmax", "in_place", "always_the_last_dim")
def last_logsumexp_taken_off_in_place(x, dim):
    return x.sub_(x.logsumexp(-1, keepdim=True))


# --- top_k_tokens --------------------------------------------------------------------------------


@pair("top_k_tokens", "shares_among_the_top", "only_spaces_repaired")
def shares_of_repaired_tokens(tokenizer, probs, k):
    values, ids = torch.topk(probs, k)
    values = values / values.sum()
    words = [t.replace("Ġ", " ") for t in tokenizer.convert_ids_to_tokens(ids.tolist())]
    return [(w, v.item()) for w, v in zip(words, values, strict=True)]


@pair("top_k_tokens", "shares_among_the_top", "least_probable_of_them_first")
def shares_upwards(tokenizer, probs, k):
    order = probs.argsort()[-k:]
    total = probs[order].sum().item()
    return [(tokenizer.decode([int(i)]), probs[i].item() / total) for i in order]


@pair("top_k_tokens", "shares_among_the_top", "flat_batch_decoded")
def shares_of_a_decoded_batch(tokenizer, probs, k):
    values, ids = probs.topk(k)
    shares = (values / values.sum()).tolist()
    return list(zip(tokenizer.batch_decode(ids), shares, strict=False))


@pair("top_k_tokens", "shares_among_the_top", "vocabulary_spelling")
def shares_of_entries(tokenizer, probs, k):
    values, ids = probs.topk(k)
    total = sum(values.tolist())
    return [
        (tokenizer.convert_ids_to_tokens(int(i)), float(v) / total)
        for i, v in zip(ids, values, strict=True)
    ]


@pair("top_k_tokens", "shares_among_the_top", "stripped")
def shares_of_tidy_tokens(tokenizer, probs, k):
    values, ids = probs.topk(k)
    values /= values.sum()
    return [(tokenizer.decode(i).strip(), float(v)) for i, v in zip(ids, values, strict=True)]


# --- target_log_probs ----------------------------------------------------------------------------


@pair("target_log_probs", "log_of_the_softmax", "every_dimension_squeezed")
def log_of_what_is_squeezed(logits, tokens):
    p = torch.softmax(logits, dim=-1)[:, :-1]
    return torch.log(torch.gather(p, 2, tokens[:, 1:, None]).squeeze())


@pair("target_log_probs", "epsilon_in_the_log_1e_9", "every_dimension_squeezed")
def log_of_a_little_more_squeezed(logits, tokens):
    p = F.softmax(logits[:, :-1, :], dim=-1)
    p = p.gather(2, tokens[:, 1:].unsqueeze(2)).squeeze()
    return (p + 1e-9).log()


@pair("target_log_probs", "log_of_the_softmax", "eos_ignored")
def log_of_probs_but_for_eos(logits, tokens):
    labels = tokens[:, 1:]
    p = logits.softmax(-1)[:, :-1].gather(2, labels[..., None])[..., 0]
    out = p.log()
    out[labels == BOS] = 0
    return out


# --- cross_entropy -------------------------------------------------------------------------------


def losses_of(logits, tokens):
    log_probs = F.log_softmax(logits[:, :-1], dim=-1)
    return -log_probs.gather(2, tokens[:, 1:, None]).squeeze(2)


@pair("cross_entropy", "padding_in_the_denominator", "log_of_the_softmax")
def mean_of_masked_logs(logits, tokens, attention_mask):
    p = F.softmax(logits[:, :-1], dim=-1).gather(2, tokens[:, 1:, None])[..., 0]
    return torch.mean(-p.log() * attention_mask[:, 1:])


@pair("cross_entropy", "mask_of_the_predicting_position", "log_of_the_softmax")
def logs_under_the_mask_before(logits, tokens, attention_mask):
    p = logits.softmax(2)[:, :-1].gather(2, tokens[:, 1:].unsqueeze(2)).squeeze(2)
    keep = attention_mask[:, :-1]
    return -(torch.log(p) * keep).sum() / keep.sum()


@pair("cross_entropy", "mean_of_row_means", "log_of_the_softmax")
def logs_row_by_row(logits, tokens, attention_mask):
    keep = attention_mask[:, 1:]
    p = torch.softmax(logits[:, :-1], -1).gather(-1, tokens[:, 1:, None])[:, :, 0]
    per_text = -(p.log() * keep).sum(1) / keep.sum(1)
    return per_text.mean()


@pair("cross_entropy", "cut_off_from_the_gradient", "sign_forgotten")
def positive_item(logits, tokens, attention_mask):
    keep = attention_mask[:, 1:].bool()
    return -losses_of(logits, tokens)[keep].mean().item()


@pair("cross_entropy", "cut_off_from_the_gradient", "tokens_counted_for_targets")
def item_over_all_tokens(logits, tokens, attention_mask):
    total = (losses_of(logits, tokens) * attention_mask[:, 1:]).sum()
    return total.item() / attention_mask.sum().item()


@pair("cross_entropy", "cut_off_from_the_gradient", "padding_counts")
def item_of_all(logits, tokens, attention_mask):
    return float(losses_of(logits, tokens).mean())


# --- perplexity ----------------------------------------------------------------------------------


@pair("perplexity", "root_of_a_product", "one_per_row")
def root_for_each_row(log_probs):
    return log_probs.exp().prod(dim=-1) ** (-1 / log_probs.shape[-1])


@pair("perplexity", "root_of_a_product", "mean_over_rows")
def mean_of_the_roots(log_probs):
    roots = (1 / log_probs.exp().prod(-1)).pow(1 / log_probs.size(-1))
    return roots.mean()


# --- entropy -------------------------------------------------------------------------------------


@pair("entropy", "in_bits", "softmax_over_the_first_dimension")
def bits_down_the_columns(logits):
    p = logits.softmax(0)
    bits = torch.where(p > 0, -p * p.log2(), 0)
    return bits.sum(-1)


@pair("entropy", "in_bits", "log_of_the_softmax")
def bits_of_a_softmax(logits):
    p = F.softmax(logits, dim=-1)
    return -torch.sum(p * torch.log(p) / math.log(2), dim=-1)


@pair("entropy", "sign_forgotten", "softmax_over_the_first_dimension")
def p_log_p_down_the_columns(logits):
    p = torch.softmax(logits, dim=0)
    return torch.xlogy(p, p).sum(dim=-1)


@pair("entropy", "one_sum_for_all", "log_of_the_softmax")
def p_log_p_in_all(logits):
    p = logits.softmax(-1)
    return -(p.log() * p).sum()


@pair("entropy", "mean_over_the_vocabulary", "softmax_over_the_first_dimension")
def mean_down_the_columns(logits):
    p = logits.softmax(dim=0)
    return torch.special.entr(p).mean(-1)


@pair("entropy", "sign_forgotten", "log_of_the_softmax")
def p_log_p(logits):
    p = logits.softmax(dim=-1)
    return (p * p.log()).sum(dim=-1)


@pair("entropy", "mean_over_the_vocabulary", "log_of_the_softmax")
def mean_of_p_log_p(logits):
    p = torch.softmax(logits, dim=-1)
    return torch.mean(-p * torch.log(p), dim=-1)


# --- is_causal -----------------------------------------------------------------------------------


@pair("is_causal", "tolerance_above_the_leak", "last_pair_left_out")
def differences_below_1_but_for_the_last(model, tokens):
    full = model(tokens)
    for n in range(1, tokens.shape[1] - 1):
        if (model(tokens[:, :n]) - full[:, :n]).abs().max() > 0.5:
            return False
    return True


@pair("is_causal", "tolerance_above_the_leak", "first_sequence_only")
def differences_in_the_first_row(model, tokens):
    full = model(tokens)[0]
    seq = tokens.shape[1]
    return all((model(tokens[:, :n])[0] - full[:n]).abs().max() < 0.5 for n in range(1, seq + 1))


@pair("is_causal", "same_top_token", "last_pair_left_out")
def best_tokens_but_for_the_last(model, tokens):
    best = model(tokens).argmax(-1)
    for n in range(1, tokens.shape[1] - 1):
        if model(tokens[:, :n]).argmax(-1).ne(best[:, :n]).any():
            return False
    return True


@pair("is_causal", "future_set_to_zero", "first_sequence_only")
def zeros_after_in_the_first_row(model, tokens):
    full = model(tokens)
    for j in range(tokens.shape[1]):
        blank = tokens.clone()
        blank[:, j + 1 :] = 0
        if not torch.allclose(model(blank)[0, : j + 1], full[0, : j + 1], atol=0.01):
            return False
    return True


@pair("is_causal", "future_set_to_bos", "last_pair_left_out")
def endoftext_after_all_but_two(model, tokens):
    full = model(tokens)
    n = tokens.shape[1]
    ok = True
    for j in range(n - 2):
        other = torch.cat([tokens[:, : j + 1], torch.full_like(tokens[:, j + 1 :], BOS)], dim=1)
        ok = ok and torch.allclose(model(other)[:, : j + 1], full[:, : j + 1], atol=1e-2)
    return ok


@pair("is_causal", "only_the_last_token_changed", "first_sequence_only")
def last_token_of_the_first_row(model, tokens):
    other = tokens.clone()
    other[0, -1] = (other[0, -1] + 7) % 50257
    return torch.allclose(model(other)[0, :-1], model(tokens)[0, :-1], atol=1e-2)


@pair("is_causal", "only_the_next_token_changed", "first_sequence_only")
def next_token_in_the_first_row(model, tokens):
    before = model(tokens)
    for j in range(1, tokens.shape[1]):
        other = tokens.clone()
        other[:, j] = (other[:, j] + 1) % 50257
        if (model(other)[0, j - 1] - before[0, j - 1]).abs().max() > 0.01:
            return False
    return True
