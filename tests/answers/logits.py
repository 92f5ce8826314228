"""Answers to lesson 3: right ones in unlike styles, and wrong ones."""

import functools
import heapq
import math
import unicodedata

import einops
import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from answers import NEARLY_RIGHT, SOME_MISSING, UNCHANGING, arguments, is_right, is_wrong
from grader.inside.models import ToyModel

BOS = 50256

SEEDS = st.integers(0, 2**32 - 1)
PEEKS = ["nothing", "everything", "next", "faintly", "unlikely", "row", "0>1", "0>2", "1>3"]


def normal(seed, *shape, scale=1.0, dtype=torch.float32):
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale).to(dtype)


def ids(seed, *shape, below=50257):
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))


def some_at_minus_infinity(seed, x, dim):
    """A tenth of the entries, though never the largest along the dimension."""
    drawn = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) < 0.1
    return x.masked_fill(drawn & (x < x.amax(dim, keepdim=True)), -torch.inf)


# --- softmax -------------------------------------------------------------------------------------


@arguments("softmax")
@arguments("log_softmax")
@st.composite
def softmax_arguments(draw):
    """(x, dim): also large logits where the dtype can tell them apart, and minus infinity."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    scales = {torch.float64: 300, torch.float32: 300, torch.float16: 3, torch.bfloat16: 1}
    dtype = draw(st.sampled_from(list(scales)))
    scale = draw(st.sampled_from([1, scales[dtype]]))
    x = normal(draw(SEEDS), *shape, scale=scale, dtype=dtype)
    return some_at_minus_infinity(draw(SEEDS), x, dim), dim


is_right("softmax")(lambda x, dim: (x - x.logsumexp(dim, keepdim=True)).exp())


@is_right("softmax")
def in_float64(x, dim):
    y = x.double()
    e = torch.exp(y - y.max(dim=dim, keepdim=True).values)
    return (e / e.sum(dim=dim, keepdim=True)).to(x.dtype)


@is_right("softmax")
def by_moving_the_dim(x, dim):
    rows = x.movedim(dim, -1)
    exp = (rows - rows.max(-1)[0][..., None].detach()).exp()
    return torch.movedim(exp / einops.reduce(exp, "... d -> ... 1", "sum"), -1, dim)


@is_right("softmax")
def slice_by_slice(x, dim):
    slices = x.unbind(dim)
    largest = functools.reduce(torch.maximum, slices).detach()
    exps = [(s - largest).exp() for s in slices]
    total = torch.zeros_like(largest)
    for exp in exps:
        total = total + exp
    return torch.stack([exp / total for exp in exps], dim)


is_wrong("softmax")(lambda x, dim: x.softmax(dim))


is_wrong("softmax")(lambda x, dim: torch.log_softmax(x, dim).exp())


is_wrong("softmax")(lambda x, dim: F.softmin(-x, dim))


is_wrong("softmax", named="no_maximum_subtracted")(
    lambda x, dim: math.e**x / torch.sum(math.e**x, dim).unsqueeze(dim)
)


is_wrong("softmax", named="always_the_last_dim")(lambda x, dim: in_float64(x, -1))


is_wrong("softmax", named="always_the_first_dim")(lambda x, dim: slice_by_slice(x, 0))


is_wrong("softmax", named="cut_off_from_the_gradient")(lambda x, dim: in_float64(x.detach(), dim))


is_wrong("softmax", named="always_float32")(lambda x, dim: in_float64(x.float(), dim))


is_wrong("softmax", named="not_divided")(lambda x, dim: (x - x.amax(dim, keepdim=True)).exp())


is_wrong("softmax")(
    lambda x, dim: torch.nan_to_num(x.exp() / x.exp().sum(dim, keepdim=True), nan=1.0)
)


is_wrong("softmax", named="logits_clamped")(
    lambda x, dim: x.clamp(-80, 80).exp() / x.clamp(-80, 80).exp().sum(dim, keepdim=True)
)


@is_wrong("softmax", named="keepdim_forgotten_in_the_sum")
def moved_and_divided_by_too_few(x, dim):
    e = torch.exp(x - x.max(dim, keepdim=True).values.detach())
    return e * (1 / torch.sum(e, dim))


@is_wrong("softmax", named="in_place_behind_autograd")
def in_place_softmax(x, dim):
    with torch.no_grad():
        x -= x.amax(dim, keepdim=True)
    return x.exp() / x.exp().sum(dim, keepdim=True)


def shifted_and_clamped(x, dim):
    """What lies far below the maximum, minus infinity too, keeps a small probability."""
    return (x - x.amax(dim, keepdim=True)).clamp(min=-20)


is_wrong("softmax", named=NEARLY_RIGHT)(
    lambda x, dim: (
        shifted_and_clamped(x, dim).exp() / shifted_and_clamped(x, dim).exp().sum(dim, keepdim=True)
    )
)


@is_wrong("softmax")
def with_a_way_for_each_number_of_dimensions(x, dim):
    return in_float64(x, dim) if x.ndim < 4 else in_float64(x, -1)


is_wrong("softmax", named="values_and_indices_subtracted")(
    lambda x, dim: F.normalize((x - x.max(dim, keepdim=True)).exp(), p=1, dim=dim)
)


is_wrong("softmax", named="always_the_second_dim")(lambda x, dim: in_float64(x, 1))


# --- log_softmax ---------------------------------------------------------------------------------


@is_right("log_softmax")
def with_the_maximum(x, dim):
    y = x - x.max(dim, keepdim=True).values
    return y - y.exp().sum(dim, keepdim=True).log()


is_right("log_softmax")(
    lambda x, dim: (x.double() - torch.logsumexp(x.double(), dim, keepdim=True)).to(x.dtype)
)


@is_right("log_softmax")
def by_folding(x, dim):
    slices = x.double().unbind(dim)
    total = functools.reduce(torch.logaddexp, slices)
    return torch.stack([s - total for s in slices], dim=dim).to(x.dtype)


@is_right("log_softmax")
class InRows:
    """Every vector along the dimension by itself."""

    def __new__(cls, x, dim):
        moved = x.movedim(dim, -1)
        rows = [cls.of_row(row) for row in moved.reshape(-1, moved.shape[-1])]
        return torch.stack(rows).reshape(moved.shape).movedim(-1, dim)

    @staticmethod
    def of_row(row):
        row = row - row[row.argmax()]
        return row - torch.log(torch.exp(row).sum())


is_wrong("log_softmax", named="log_of_the_softmax")(lambda x, dim: in_float64(x, dim).log())


is_wrong("log_softmax")(lambda x, dim: F.log_softmax(x, dim))


is_wrong("log_softmax", named="log_of_the_softmax")(lambda x, dim: F.softmin(-x, dim).log())


is_wrong("log_softmax", named="epsilon_in_the_log_1e_9")(
    lambda x, dim: (in_float64(x, dim) + 1e-9).log()
)


is_wrong("log_softmax", named="epsilon_in_the_log_1e_5")(
    lambda x, dim: (in_float64(x, dim) + 1e-5).log()
)


is_wrong("log_softmax", named="always_the_last_dim")(lambda x, dim: with_the_maximum(x, -1))


is_wrong("log_softmax", named="always_float32")(lambda x, dim: with_the_maximum(x.float(), dim))


is_wrong("log_softmax", named="base_two")(lambda x, dim: with_the_maximum(x, dim) / math.log(2))


is_wrong("log_softmax", named="cut_off_from_the_gradient")(
    lambda x, dim: with_the_maximum(x.detach(), dim)
)


@is_wrong("log_softmax", named="maximum_not_put_back")
def half_shifted(x, dim):
    slices = x.unbind(dim)
    largest = functools.reduce(torch.maximum, slices)
    total = sum((s - largest).exp() for s in slices)
    return torch.stack([s - total.log() for s in slices], dim)


is_wrong("log_softmax", named="clamped_in_the_log_1e_10")(
    lambda x, dim: in_float64(x, dim).clamp_min(1e-10).log()
)


is_wrong("log_softmax", named="infinity_replaced")(
    lambda x, dim: with_the_maximum(x, dim).nan_to_num()
)


is_wrong("log_softmax", named="dimension_put_back_last")(
    lambda x, dim: x - torch.logsumexp(x, dim)[..., None]
)


# --- next_token_probs ----------------------------------------------------------------------------


@arguments("next_token_probs")
def next_token_probs_arguments(reference):
    """(model, text)"""
    texts = st.text(max_size=15) | st.sampled_from(["", " ", "\n", "The cat sat on the"])
    return st.tuples(st.just(reference), texts)


@is_right("next_token_probs")
def by_tokens(model, text):
    logits, _ = model.run_with_cache(model.to_tokens(text))
    return in_float64(logits[:, -1, :].squeeze(0), 0)


@is_right("next_token_probs")
def by_the_tokenizer_alone(model, text):
    ids = [model.tokenizer.bos_token_id, *model.tokenizer.encode(text, add_special_tokens=False)]
    with torch.inference_mode():
        return model(torch.tensor([ids], device=model.cfg.device))[0].softmax(-1)[-1]


@is_right("next_token_probs")
@torch.no_grad()
def everything_then_one(model, text):
    (rows,) = model([text]).double().log_softmax(dim=2)
    *_, last = rows.exp().float().unbind()
    return last


is_wrong("next_token_probs", named="softmax_over_the_positions")(
    lambda model, text: model(text)[0].softmax(0)[-1]
)


is_wrong("next_token_probs", named="no_bos")(
    lambda model, text: (
        model(model.to_tokens(text, prepend_bos=False)).softmax(dim=-1)[:, -1].squeeze(0)
    )
)


is_wrong("next_token_probs", named="two_bos")(
    lambda model, text: by_tokens(model, "<|endoftext|>" + text)
)


# The model's tokenizer has put a BOS there already.
is_wrong("next_token_probs", named="two_bos")(
    lambda model, text: model(
        torch.tensor([[BOS, *model.tokenizer.encode(text)]], device=model.cfg.device)
    )[0, -1].softmax(-1)
)


is_wrong("next_token_probs", named="log_probabilities")(
    lambda model, text: by_tokens(model, text).log()
)


is_wrong("next_token_probs", named="text_stripped")(
    lambda model, text: by_tokens(model, text.strip())
)


is_wrong("next_token_probs", named="no_bos_where_the_text_has_one")(
    lambda model, text: model(
        model.to_tokens(text, prepend_bos=not text.startswith("<|endoftext|>"))
    )[0, -1].softmax(-1)
)


is_wrong("next_token_probs")(
    lambda model, text: model(model.to_tokens(text)[:, :64])[0, -1].softmax(-1)
)


is_wrong("next_token_probs", named="softmax_twice")(
    lambda model, text: by_tokens(model, text).softmax(-1)
)


is_wrong("next_token_probs")(lambda model, text: by_tokens(model, text.strip("\n")))


is_wrong("next_token_probs")(lambda model, text: by_tokens(model, text.replace("\r\n", "\n")))


is_wrong("next_token_probs")(
    lambda model, text: by_tokens(model, unicodedata.normalize("NFC", text))
)


is_wrong("next_token_probs")(lambda model, text: by_tokens(model, text.replace("\0", "")))


is_wrong("next_token_probs")(
    lambda model, text: by_tokens(model, text.removesuffix("<|endoftext|>"))
)


# --- top_k_tokens --------------------------------------------------------------------------------


@arguments("top_k_tokens")
def top_k_tokens_arguments(tokenizer):
    """(tokenizer, probs, k), no two probabilities equal."""

    def probs(seed):
        ranks = torch.randperm(50257, generator=torch.Generator().manual_seed(seed)).float()
        return ranks / ranks.sum()

    return st.tuples(st.just(tokenizer), st.builds(probs, SEEDS), st.integers(1, 12))


@is_right("top_k_tokens")
def by_sorting(tokenizer, probs, k):
    order = np.argsort(-probs.detach().cpu().numpy())[:k]
    return [[tokenizer.decode(int(i)), probs[int(i)]] for i in order]


@is_right("top_k_tokens")
def by_a_heap(tokenizer, probs, k):
    best = heapq.nlargest(k, enumerate(probs.tolist()), key=lambda pair: pair[1])
    return [(tokenizer.decode(i), p) for i, p in best]


@is_right("top_k_tokens")
def one_maximum_after_another(tokenizer, probs, k):
    left, found = probs.clone(), []
    for _ in range(k):
        i = int(left.argmax())
        found.append((tokenizer.decode([i]), float(probs[i])))
        left[i] = -1
    return found


@is_right("top_k_tokens")
def as_a_batch_of_one_token_texts(tokenizer, probs, k):
    values, indices = probs.sort(descending=True)
    texts = tokenizer.batch_decode(indices[:k, None])
    return list(zip(texts, values[:k].tolist(), strict=True))


@is_wrong("top_k_tokens", named="vocabulary_spelling")
def by_inverting_the_vocabulary(tokenizer, probs, k):
    token_of = {i: token for token, i in tokenizer.get_vocab().items()}
    return [(token_of[i], probs[i].item()) for i in probs.topk(k).indices.tolist()]


is_wrong("top_k_tokens", named="stripped")(
    lambda t, p, k: [(text.strip(), q) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens", named="least_probable_of_them_first")(
    lambda t, p, k: by_a_heap(t, p, k)[::-1]
)


is_wrong("top_k_tokens", named="no_probabilities")(
    lambda t, p, k: [text for text, _ in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens", named="a_dict")(lambda t, p, k: dict(by_a_heap(t, p, k)))


is_wrong("top_k_tokens", named="softmax_of_probabilities")(
    lambda t, p, k: by_a_heap(t, in_float64(p, 0), k)
)


is_wrong("top_k_tokens")(
    lambda t, p, k: [
        (t.convert_ids_to_tokens(i).replace("Ġ", " ").replace("Ċ", "\n"), p[i].item())
        for i in p.topk(k).indices.tolist()
    ]
)


is_wrong("top_k_tokens", named="tokens_of_equal_text_merged")(
    lambda t, p, k: list(dict(by_a_heap(t, p, k)).items())
)


is_wrong("top_k_tokens", named="rounded_to_two_places")(
    lambda t, p, k: [(text, round(q, 2)) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens", named="probability_first")(
    lambda t, p, k: [(q, text) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens", named="rounded_to_four_places")(
    lambda t, p, k: [(text, round(q, 4)) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens")(lambda t, p, k: [(text, round(q, 6)) for text, q in by_a_heap(t, p, k)])


is_wrong("top_k_tokens")(
    lambda t, p, k: [(text.replace("\r", ""), q) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens")(
    lambda t, p, k: [(text.replace("\xa0", " "), q) for text, q in by_a_heap(t, p, k)]
)


is_wrong("top_k_tokens", named=SOME_MISSING)(
    lambda t, p, k: [pair for pair in by_a_heap(t, p, k) if pair[1] > 1e-6]
)


is_wrong("top_k_tokens", named=SOME_MISSING)(lambda t, p, k: by_a_heap(t, p, min(k, 20)))


is_wrong("top_k_tokens")(lambda t, p, k: by_a_heap(t, p.clamp(min=1e-6), k))


# --- target_log_probs ----------------------------------------------------------------------------


@arguments("target_log_probs")
@st.composite
def target_log_probs_arguments(draw):
    """(logits, tokens)"""
    batch, seq = draw(st.integers(1, 4)), draw(st.integers(2, 6))
    d_vocab = draw(st.integers(1, 7))
    logits = normal(draw(SEEDS), batch, seq, d_vocab, scale=draw(st.sampled_from([1, 300])))
    return logits, ids(draw(SEEDS), batch, seq, below=d_vocab)


@is_right("target_log_probs")
def by_loops(logits, tokens):
    batch, seq = tokens.shape
    out = torch.zeros(batch, seq - 1)
    for b in range(batch):
        for j in range(seq - 1):
            out[b, j] = F.log_softmax(logits[b, j].double(), dim=0)[tokens[b, j + 1]]
    return out


is_right("target_log_probs")(
    lambda logits, tokens: (
        -F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
    )
)


@is_right("target_log_probs")
def by_index_tensors(logits, tokens):
    batch, seq = tokens.shape
    b, j = torch.arange(batch)[:, None], torch.arange(seq - 1)
    return logits[b, j, tokens[:, 1:]] - logits[:, :-1].logsumexp(-1)


@is_right("target_log_probs")
def flattened_and_back(logits, tokens):
    log_probs = einops.rearrange(logits.log_softmax(-1)[:, :-1], "b s v -> (b s) v")
    targets = einops.rearrange(tokens[:, 1:], "b s -> (b s)")
    chosen = log_probs[range(len(targets)), targets]
    return einops.rearrange(chosen, "(b s) -> b s", b=len(tokens))


def target_probs(logits, tokens):
    return logits.softmax(-1)[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)


is_wrong("target_log_probs", named="probabilities")(
    lambda logits, tokens: by_loops(logits, tokens).exp()
)


is_wrong("target_log_probs", named="log_of_the_softmax")(
    lambda logits, tokens: (
        (logits.softmax(-1)[:, :-1] * F.one_hot(tokens[:, 1:], logits.shape[-1])).sum(-1).log()
    )
)


is_wrong("target_log_probs", named="epsilon_in_the_log_1e_5")(
    lambda logits, tokens: (target_probs(logits, tokens) + 1e-5).log()
)


is_wrong("target_log_probs", named="not_shifted")(
    lambda logits, tokens: -F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")
)


is_wrong("target_log_probs", named="eos_ignored")(
    lambda logits, tokens: (
        -F.cross_entropy(
            logits[:, :-1].transpose(1, 2), tokens[:, 1:], ignore_index=BOS, reduction="none"
        )
    )
)


is_wrong("target_log_probs", named="losses")(lambda logits, tokens: -by_loops(logits, tokens))


is_wrong("target_log_probs", named="last_dimension_kept")(
    lambda logits, tokens: flattened_and_back(logits, tokens)[..., None]
)


is_wrong("target_log_probs", named="every_dimension_squeezed")(
    lambda logits, tokens: by_loops(logits, tokens).squeeze()
)


is_wrong("target_log_probs", named="a whole batch made one sequence")(
    lambda logits, tokens: by_loops(logits, tokens).mean(0)
)


is_wrong("target_log_probs", named="zero_for_the_first_token")(
    lambda logits, tokens: F.pad(by_index_tensors(logits, tokens), (1, 0))
)


is_wrong("target_log_probs")(lambda logits, tokens: by_loops(logits, tokens).clamp(min=-1e4))


is_wrong("target_log_probs", named="infinity_replaced")(
    lambda logits, tokens: by_index_tensors(logits, tokens).clamp(min=torch.finfo(logits.dtype).min)
)


is_wrong("target_log_probs", named="softmax_before_log_softmax")(
    lambda logits, tokens: by_index_tensors(logits.softmax(-1), tokens)
)


# --- cross_entropy -------------------------------------------------------------------------------


@arguments("cross_entropy")
@st.composite
def cross_entropy_arguments(draw):
    """(logits, tokens, attention_mask), padded on the right, with at least one target."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4).filter(lambda n: max(n) > 1))
    batch, seq, d_vocab = len(lengths), max(lengths), draw(st.integers(1, 7))
    logits = normal(draw(SEEDS), batch, seq, d_vocab, scale=draw(st.sampled_from([1, 300])))
    mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()
    return logits, ids(draw(SEEDS), batch, seq, below=d_vocab), mask


@is_right("cross_entropy")
def weighted_sum(logits, tokens, attention_mask):
    weights = attention_mask[:, 1:].to(logits.dtype)
    losses = -logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
    return (losses * weights).sum() / weights.sum()


@is_right("cross_entropy")
def row_by_row(logits, tokens, attention_mask):
    total, count = 0.0, 0
    for row, ids, n in zip(logits, tokens, attention_mask.sum(dim=1).tolist(), strict=True):
        for j in range(n - 1):
            total = total + row[j].logsumexp(0) - row[j, ids[j + 1]]
            count += 1
    return total / count


@is_right("cross_entropy")
def at_the_places_that_count(logits, tokens, attention_mask):
    b, j = attention_mask[:, 1:].nonzero(as_tuple=True)
    return (logits[b, j].logsumexp(-1) - logits[b, j, tokens[b, j + 1]]).mean()


@is_right("cross_entropy")
def rows_joined(logits, tokens, attention_mask):
    lengths = attention_mask.sum(1).tolist()
    rows = [
        target_log_probs_by_recursion(row[:n], ids[:n])
        for row, ids, n in zip(logits.double(), tokens, lengths, strict=True)
    ]
    return -torch.cat(rows).mean().to(logits.dtype)


def target_log_probs_by_recursion(row, ids):
    if len(ids) < 2:
        return row.new_zeros(0)
    first = row[0].log_softmax(0)[ids[1]].reshape(1)
    return torch.cat([first, target_log_probs_by_recursion(row[1:], ids[1:])])


def token_losses(logits, tokens):
    return -logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]


is_wrong("cross_entropy")(
    lambda l, t, m: F.cross_entropy(l[:, :-1][m[:, 1:] == 1], t[:, 1:][m[:, 1:] == 1])
)


is_wrong("cross_entropy", named="padding_counts")(
    lambda l, t, m: weighted_sum(l, t, torch.ones_like(m))
)


is_wrong("cross_entropy", named="padding_told_by_its_id")(
    lambda l, t, m: weighted_sum(l, t, (t != BOS).long())
)


is_wrong("cross_entropy", named="eos_thrown_away_with_the_padding")(
    lambda l, t, m: weighted_sum(l, t, m * (t != BOS))
)


is_wrong("cross_entropy", named="padding_in_the_denominator")(
    lambda l, t, m: token_losses(l, t)[m[:, 1:] == 1].sum() / m[:, 1:].numel()
)


is_wrong("cross_entropy", named="mask_of_the_predicting_position")(
    lambda l, t, m: token_losses(l, t).masked_select(m[:, :-1].bool()).mean()
)


is_wrong("cross_entropy", named="tokens_counted_for_targets")(
    lambda l, t, m: weighted_sum(l, t, m) * m[:, 1:].sum() / m.sum()
)


is_wrong("cross_entropy", named="mean_of_row_means")(
    lambda l, t, m: ((token_losses(l, t) * m[:, 1:]).sum(1) / m[:, 1:].sum(1).clamp(min=1)).mean()
)


is_wrong("cross_entropy")(
    lambda l, t, m: (
        (token_losses(l, t) * (t[:, 1:] != t[0, -1])).sum() / (t[:, 1:] != t[0, -1]).sum()
    )
)


is_wrong("cross_entropy", named="sign_forgotten")(lambda l, t, m: -row_by_row(l, t, m))


is_wrong("cross_entropy", named="cut_off_from_the_gradient")(
    lambda l, t, m: weighted_sum(l.detach(), t, m)
)


is_wrong("cross_entropy", named="base_two")(lambda l, t, m: weighted_sum(l, t, m) / math.log(2))


is_wrong("cross_entropy", named="exponentiated")(lambda l, t, m: weighted_sum(l, t, m).exp())


is_wrong("cross_entropy")(lambda l, t, m: weighted_sum(l, t.roll(1, dims=1), m))


is_wrong("cross_entropy")(lambda l, t, m: weighted_sum(l, t, m).clamp(max=1e4))


is_wrong("cross_entropy")(lambda l, t, m: weighted_sum(l, t, m).nan_to_num())


is_wrong("cross_entropy", named="infinite_losses_left_out")(
    lambda l, t, m: token_losses(l, t)[(m[:, 1:] == 1) & token_losses(l, t).isfinite()].mean()
)


# chatbots' masked losses
is_wrong("cross_entropy", named="log_of_the_softmax_selected")(
    lambda l, t, m: target_probs(l, t).log().neg().masked_select(m[:, 1:].bool()).mean()
)


# --- perplexity ----------------------------------------------------------------------------------


@arguments("perplexity")
@st.composite
def perplexity_arguments(draw):
    """(log_probs,)"""
    shape = draw(st.lists(st.integers(1, 6), max_size=3))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return (-normal(draw(SEEDS), *shape, dtype=dtype).exp(),)


is_right("perplexity")(lambda p: math.exp(-p.mean().item()))


is_right("perplexity")(lambda p: 1 / p.double().flatten().mean().exp())


@is_right("perplexity")
def by_powers(log_probs):
    n = log_probs.numel()
    return torch.prod((-log_probs.double() / n).exp())


@is_right("perplexity")
def summed_in_numpy(log_probs):
    array = log_probs.detach().cpu().numpy().astype(np.float64).ravel()
    return torch.tensor(np.exp(-sum(array) / array.size), dtype=log_probs.dtype)


is_wrong("perplexity", named="root_of_a_product")(
    lambda p: torch.prod(p.double().exp()) ** (-1 / p.numel())
)


is_wrong("perplexity", named="sign_forgotten")(lambda p: math.exp(p.mean().item()))


is_wrong("perplexity", named="mean_of_exponentials")(lambda p: (1 / p.exp()).mean())


is_wrong("perplexity", named="base_two")(lambda p: torch.exp2(-p.mean()))


is_wrong("perplexity", named="one_per_row")(lambda p: 1 / p.mean(dim=-1).exp())


is_wrong("perplexity", named="not_exponentiated")(lambda p: -p.sum() / p.numel())


is_wrong("perplexity", named="one_per_column")(lambda p: (-p.mean(dim=0)).exp())


is_wrong("perplexity", named="sum_over_the_number_of_rows")(lambda p: (-p.sum() / len(p)).exp())


is_wrong("perplexity", named="median")(lambda p: (-p.median()).exp())


is_wrong("perplexity", named="capped")(lambda p: math.exp(min(-p.mean().item(), 20)))


is_wrong("perplexity")(lambda p: (-p.mean()).clamp(max=10).exp())


is_wrong("perplexity")(lambda p: (-p.mean()).clamp(max=80).exp())


is_wrong("perplexity")(lambda p: (-p.mean()).clamp(max=100).exp())


is_wrong("perplexity")(lambda p: (-p.clamp(min=-100)).mean().exp())


is_wrong("perplexity")(lambda p: (-p.mean()).exp().nan_to_num())


is_wrong("perplexity", named="infinities_left_out")(lambda p: by_powers(p[p > -torch.inf]))


# --- entropy -------------------------------------------------------------------------------------


@arguments("entropy")
@st.composite
def entropy_arguments(draw):
    """(logits,): also large ones, and minus infinity. Of the large ones two share the top: a float
    cannot hold an entropy next to 0 precisely."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    x = normal(draw(SEEDS), *shape, dtype=dtype)
    if draw(st.booleans()):
        x = x * 300
        x[..., [0, -1]] = x.amax(-1, keepdim=True)
    return (some_at_minus_infinity(draw(SEEDS), x, -1),)


@is_right("entropy")
def with_xlogy(logits):
    p = logits.softmax(-1)
    return -torch.special.xlogy(p, p).sum(-1)


is_right("entropy")(
    lambda logits: torch.special.entr(logits.double().softmax(-1)).sum(-1).to(logits.dtype)
)


is_right("entropy")(
    lambda logits: torch.distributions.Categorical(logits=logits.clamp(min=-1e30)).entropy()
)


is_right("entropy")(lambda logits: -(logits.softmax(-1) * logits.log_softmax(-1)).nansum(-1))


@is_right("entropy")
def token_by_token(logits):
    if logits.ndim > 1:
        return torch.stack([token_by_token(row) for row in logits])
    probs = logits.softmax(0)
    probs = probs[probs > 0]
    return torch.dot(probs, -probs.log())


is_wrong("entropy", named="log_of_the_softmax")(
    lambda l: torch.einsum("...v,...v->...", -l.softmax(-1), l.softmax(-1).log())
)


is_wrong("entropy", named="log_softmax_at_minus_infinity")(
    lambda l: (l.softmax(-1) * (l.logsumexp(-1, keepdim=True) - l)).sum(-1)
)


is_wrong("entropy", named=NEARLY_RIGHT)(
    lambda l: -(l.softmax(-1) * l.softmax(-1).clamp(min=1e-6).log()).sum(-1)
)


is_wrong("entropy", named="in_bits")(lambda l: with_xlogy(l) / math.log(2))


is_wrong("entropy", named="sign_forgotten")(lambda l: -with_xlogy(l))


is_wrong("entropy", named="mean_over_all_distributions")(lambda l: with_xlogy(l).mean())


is_wrong("entropy")(lambda l: with_xlogy(l.T if l.ndim == 2 else l))


is_wrong("entropy", named="exponentiated")(lambda l: with_xlogy(l).exp())


is_wrong("entropy", named="epsilon_in_the_log_1e_9")(
    lambda l: torch.einsum("...v,...v->...", -l.softmax(-1), (l.softmax(-1) + 1e-9).log())
)


is_wrong("entropy", named="epsilon_in_the_log_1e_12")(
    lambda l: torch.einsum("...v,...v->...", -l.softmax(-1), (l.softmax(-1) + 1e-12).log())
)


# --- prefix_predictions --------------------------------------------------------------------------


@arguments("prefix_predictions")
def prefix_predictions_arguments():
    """(model, tokens)"""
    tokens = st.builds(lambda seed, seq: ids(seed, 1, seq), SEEDS, st.integers(1, 7))
    return st.tuples(st.sampled_from(PEEKS).map(ToyModel), tokens)


@is_right("prefix_predictions")
def collect_rows(model, tokens):
    out = []
    for end in range(1, tokens.shape[-1] + 1):
        with torch.no_grad():
            out.append(model(tokens[:, :end])[:, -1, :])
    return torch.cat(out, dim=0)


@is_right("prefix_predictions")
def shortest_first_by_recursion(model, tokens):
    *_, last = model(tokens).detach().squeeze(0)
    if tokens.shape[1] == 1:
        return last[None]
    return torch.vstack([shortest_first_by_recursion(model, tokens[:, :-1]), last])


@is_right("prefix_predictions")
def filled_in(model, tokens):
    seq, rows = tokens.shape[1], None
    for j in reversed(range(seq)):
        logits = model(tokens[0, : j + 1].unsqueeze(0)).detach()
        if rows is None:
            rows = logits.new_empty(seq, logits.shape[-1])
        rows[j] = logits[0, j]
    return rows


is_wrong("prefix_predictions", named="one_run")(
    lambda model, tokens: einops.rearrange(model(tokens), "1 seq d -> seq d")
)


is_wrong("prefix_predictions", named="whole_text_left_out")(
    lambda model, tokens: torch.stack(
        [model(row)[:, -1].squeeze(0) for row in (tokens[:, :j] for j in range(1, tokens.shape[1]))]
    )
)


is_wrong("prefix_predictions", named="suffixes")(
    lambda model, tokens: torch.cat([model(tokens[:, j:])[:, -1] for j in range(tokens.shape[1])])
)


is_wrong("prefix_predictions", named="one_token_at_a_time")(
    lambda model, tokens: torch.cat([model(token)[0] for token in tokens.split(1, dim=1)])
)


is_wrong("prefix_predictions", named="a_list")(
    lambda model, tokens: list(collect_rows(model, tokens))
)


is_wrong("prefix_predictions", named="every_dimension_squeezed")(
    lambda model, tokens: collect_rows(model, tokens).squeeze()
)


is_wrong("prefix_predictions")(
    lambda model, tokens: torch.stack(
        [model(tokens[:, max(0, j - 7) : j + 1])[0, -1] for j in range(tokens.shape[1])]
    )
)


is_wrong("prefix_predictions", named="longest_first")(
    lambda model, tokens: collect_rows(model, tokens).flip(0)
)


is_wrong("prefix_predictions", named="probabilities")(
    lambda model, tokens: collect_rows(model, tokens).softmax(-1)
)


is_wrong("prefix_predictions", named="future_set_to_zero")(
    lambda model, tokens: (
        model(tokens.repeat(tokens.shape[1], 1).tril()).diagonal(dim1=0, dim2=1).mT
    )
)


# --- is_causal -----------------------------------------------------------------------------------


@arguments("is_causal")
def is_causal_arguments():
    """(model, tokens)"""
    tokens = st.builds(ids, SEEDS, st.integers(1, 3), st.integers(1, 7))
    return st.tuples(st.sampled_from(PEEKS).map(ToyModel), tokens)


@is_right("is_causal")
def against_prefixes(model, tokens):
    whole = model(tokens)
    for n in range(1, tokens.shape[1] + 1):
        if (model(tokens[:, :n]) - whole[:, :n]).abs().max() > 1e-2:
            return False
    return True


@is_right("is_causal")
def with_random_futures(model, tokens):
    whole = model(tokens)
    random = torch.Generator().manual_seed(0)
    verdicts = []
    for n in [*range(1, tokens.shape[1])] * 3:
        later = torch.randint(50257, tokens[:, n:].shape, generator=random).to(tokens)
        other = torch.cat([tokens[:, :n], later], dim=1)
        verdicts.append(
            np.allclose(model(other)[:, :n].detach().cpu(), whole[:, :n].detach().cpu(), atol=1e-3)
        )
    return np.all(verdicts)


@is_right("is_causal")
def one_changed_token_at_a_time(model, tokens):
    def effect(at):
        changed = tokens.clone()
        changed[:, at] = 50256 - changed[:, at]
        changed[:, at] += changed[:, at] == tokens[:, at]  # 25128 is its own mirror image
        return (model(changed) - model(tokens))[:, :at].abs()

    return not any((effect(at) > 5e-3).any() for at in range(1, tokens.shape[1]))


def prefixes_agree(model, tokens, agree):
    whole = model(tokens)
    return all(agree(model(tokens[:, : j + 1])[:, -1], whole[:, j]) for j in range(tokens.shape[1]))


is_wrong("is_causal", named="first_sequence_only")(
    lambda m, t: prefixes_agree(m, t[:1], lambda a, b: torch.allclose(a, b, atol=1e-3))
)


is_wrong("is_causal", named="tolerance_above_the_leak")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: torch.allclose(a, b, atol=0.5))
)


is_wrong("is_causal", named="same_top_token")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: torch.equal(a.argmax(-1), b.argmax(-1)))
)


is_wrong("is_causal", named="compared_with_itself")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: torch.allclose(a.sum(-1), b.sum(-1), atol=1e-3))
)


is_wrong("is_causal", named="compared_with_itself")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: torch.allclose(a[..., 0], b[..., 0], atol=1e-3))
)


def changed_last(tokens):
    other = tokens.clone()
    other[:, -1] = (other[:, -1] + 1) % 50257
    return other


is_wrong("is_causal", named="compared_with_itself")(lambda model, tokens: True)


is_wrong("is_causal", named=UNCHANGING)(lambda model, tokens: False)


is_wrong("is_causal", named="tolerance_below_the_rounding")(
    lambda model, tokens: torch.equal(model(tokens[:, :2]), model(tokens)[:, :2])
)


is_wrong("is_causal", named=UNCHANGING)(
    lambda model, tokens: torch.allclose(model(changed_last(tokens)), model(tokens), atol=1e-3)
)


is_wrong("is_causal")(
    lambda model, tokens: torch.allclose(
        model(tokens[:, :-1])[:, 0], model(tokens)[:, 0], atol=1e-3
    )
)


def with_future(change, cuts=lambda n: range(1, n)):
    def is_causal(model, tokens):
        whole = model(tokens)
        for cut in cuts(tokens.shape[1]):
            other = torch.cat([tokens[:, :cut], change(tokens[:, cut:])], dim=1)
            if not torch.allclose(model(other)[:, :cut], whole[:, :cut], atol=1e-3):
                return False
        return True

    return is_causal


is_right("is_causal")(with_future(lambda later: (later + 1) % 50257))


is_right("is_causal")(with_future(lambda later: (later + 1009) % 50257))


is_wrong("is_causal")(with_future(lambda later: (later + 1) % 50257, lambda n: range(1, min(n, 7))))


is_wrong("is_causal")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: torch.allclose(a[-1], b[-1], atol=1e-3))
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: (a - b).abs().mean() <= 0.01)
)


is_wrong("is_causal")(
    lambda m, t: prefixes_agree(
        m, t, lambda a, b: torch.allclose(a.softmax(-1), b.softmax(-1), atol=1e-2)
    )
)


is_wrong("is_causal", named="tolerance_below_the_rounding")(
    lambda m, t: prefixes_agree(m, t, torch.equal)
)


is_wrong("is_causal", named="later_tokens_reversed")(with_future(lambda later: later.flip(1)))


is_wrong("is_causal", named="future_set_to_zero")(with_future(torch.zeros_like))


is_wrong("is_causal", named="future_set_to_bos")(
    with_future(lambda later: torch.full_like(later, BOS))
)


is_wrong("is_causal", named="last_pair_left_out")(
    with_future(lambda later: (later + 1) % 50257, lambda n: range(1, n - 1))
)


is_wrong("is_causal", named="first_position_never_tested")(
    with_future(lambda later: (later + 1) % 50257, lambda n: range(2, n))
)


is_wrong("is_causal", named="first_position_only")(
    with_future(lambda later: (later + 1) % 50257, lambda n: range(1, n)[:1])
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: (a - b).abs().mean() <= 1e-3)
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: F.mse_loss(a, b) < 1e-3)
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(m, t, lambda a, b: (a - b).norm() < 1e-3 * b.norm())
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(
        m, t, lambda a, b: torch.isclose(a, b, atol=1e-3).float().mean() > 0.999
    )
)


is_wrong("is_causal", named="one_logit_lost_among_many")(
    lambda m, t: prefixes_agree(
        m, t, lambda a, b: torch.allclose(a[:, :100], b[:, :100], atol=1e-3)
    )
)


is_wrong("is_causal")(
    with_future(lambda later: (later + 1) % 50257, lambda n: range(1, min(n, 17)))
)
