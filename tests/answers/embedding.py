"""Answers to lesson 2: right ones in unlike styles, and wrong ones that are no misconception."""

import einops
import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from answers import ARGUMENT_CHANGED, arguments, is_right, is_wrong


def ids(shape, below, seed, dtype=torch.int64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(below, shape, generator=generator).to(dtype)


def normal(shape, seed, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
any_shape = st.lists(st.integers(0, 4), max_size=4).map(tuple)
floats = st.sampled_from([torch.float32, torch.float64, torch.bfloat16])


@arguments("one_hot")
def one_hot_arguments():
    """(tokens, d_vocab)"""
    return st.builds(
        lambda shape, below, more, seed: (ids(shape, below, seed), below + more),
        any_shape, sizes, st.integers(0, 5), seeds,
    )  # fmt: skip


is_right("one_hot")(lambda tokens, d_vocab: F.one_hot(tokens, d_vocab).float())


is_right("one_hot")(lambda tokens, d_vocab: torch.eye(d_vocab, device=tokens.device)[tokens])


@is_right("one_hot")
def by_scatter(tokens, d_vocab):
    zeros = torch.zeros(*tokens.shape, d_vocab, device=tokens.device)
    return zeros.scatter_(-1, tokens[..., None], 1.0)


@is_right("one_hot")
def row_by_row(tokens, d_vocab):
    if not tokens.numel():
        return torch.zeros(*tokens.shape, d_vocab, device=tokens.device)
    if tokens.ndim:
        return torch.stack([row_by_row(row, d_vocab) for row in tokens])
    return torch.tensor([float(i == tokens) for i in range(d_vocab)], device=tokens.device)


@is_right("one_hot")
def with_numpy(tokens, d_vocab):
    out = np.zeros((tokens.numel(), d_vocab), dtype=np.float32)
    for i, token in enumerate(tokens.flatten().tolist()):
        out[i, token] = 1
    return torch.from_numpy(out).to(tokens.device).view(*tokens.shape, d_vocab)


is_wrong("one_hot", named="batch_flattened")(
    lambda tokens, d_vocab: torch.eye(d_vocab, device=tokens.device)[tokens.flatten()]
)


is_wrong("one_hot", named="float64")(lambda tokens, d_vocab: F.one_hot(tokens, d_vocab).double())


is_wrong("one_hot", named="vocabulary_first")(
    lambda tokens, d_vocab: F.one_hot(tokens, d_vocab).float().movedim(-1, 0)
)


is_wrong("one_hot", named="one_entry_too_many")(
    lambda tokens, d_vocab: torch.eye(d_vocab + 1)[tokens]
)


is_wrong("one_hot", named="ids_from_1")(lambda tokens, d_vocab: torch.eye(d_vocab)[tokens - 1])


is_wrong("one_hot", named="no_new_dimension")(
    lambda tokens, d_vocab: (torch.arange(d_vocab) == tokens).float()
)


@arguments("embed_by_matmul")
def embed_by_matmul_arguments():
    """(tokens, W_E)"""
    return st.builds(
        lambda batch, seq, d_vocab, d_model, seed, dtype: (
            ids((batch, seq), d_vocab, seed), normal((d_vocab, d_model), seed, dtype)
        ),
        sizes, st.integers(0, 6), sizes, sizes, seeds, floats,
    )  # fmt: skip


is_right("embed_by_matmul")(lambda tokens, W_E: F.one_hot(tokens, len(W_E)).to(W_E) @ W_E)


is_right("embed_by_matmul")(lambda tokens, W_E: F.embedding(tokens, W_E))


@is_right("embed_by_matmul")
def with_loops(tokens, W_E):
    out = W_E.new_zeros(*tokens.shape, W_E.shape[1])
    for b, row in enumerate(tokens.tolist()):
        for s, token in enumerate(row):
            chosen = W_E.new_zeros(len(W_E))
            chosen[token] = 1
            out[b, s] = chosen @ W_E
    return out


@is_right("embed_by_matmul")
def in_float64(tokens, W_E):
    chosen = einops.rearrange(tokens, "b s -> (b s) 1") == torch.arange(len(W_E)).to(tokens)
    product = chosen.double() @ W_E.double()
    return product.view(*tokens.shape, W_E.shape[1]).to(W_E.dtype)


is_wrong("embed_by_matmul", named="everything_in_float32")(
    lambda tokens, W_E: F.embedding(tokens, W_E.float())
)


is_wrong("embed_by_matmul", named="float32_one_hot")(
    lambda tokens, W_E: torch.matmul(torch.eye(len(W_E), device=W_E.device)[tokens], W_E)
)


is_wrong("embed_by_matmul")(
    lambda tokens, W_E: F.one_hot(tokens, len(W_E)).to(W_E) @ W_E.reshape(W_E.shape[1], -1).T
)


is_wrong("embed_by_matmul", named="one_hot_of_integers")(
    lambda tokens, W_E: F.one_hot(tokens, len(W_E)) @ W_E
)


is_wrong("embed_by_matmul", named="batch_flattened")(
    lambda tokens, W_E: (F.one_hot(tokens, len(W_E)).to(W_E) @ W_E).flatten(0, 1)
)


@arguments("embed_by_lookup")
def embed_by_lookup_arguments():
    """(tokens, W_E)"""
    return st.builds(
        lambda shape, d_vocab, d_model, seed, dtype: (
            ids(shape, d_vocab, seed), normal((d_vocab, d_model), seed, dtype)
        ),
        any_shape, sizes, sizes, seeds, floats,
    )  # fmt: skip


is_right("embed_by_lookup")(lambda tokens, W_E: F.embedding(tokens, W_E))


is_right("embed_by_lookup")(lambda tokens, W_E: F.one_hot(tokens, len(W_E)).to(W_E) @ W_E)


is_right("embed_by_lookup")(
    lambda tokens, W_E: W_E.index_select(0, tokens.flatten()).view(*tokens.shape, W_E.shape[1])
)


@is_right("embed_by_lookup")
class Gather:
    def __new__(cls, tokens, W_E):
        index = tokens.reshape(-1, 1).expand(-1, W_E.shape[1])
        return W_E.gather(0, index).reshape(*tokens.shape, W_E.shape[1])


@is_right("embed_by_lookup")
def by_recursion(tokens, W_E):
    if not tokens.numel():
        return W_E[:0].reshape(*tokens.shape, W_E.shape[1])
    if tokens.ndim == 0:
        return W_E[tokens.item()]
    return torch.stack([by_recursion(row, W_E) for row in tokens])


is_wrong("embed_by_lookup", named="frozen")(lambda tokens, W_E: W_E.detach()[tokens])


is_wrong("embed_by_lookup", named="batch_flattened")(
    lambda tokens, W_E: W_E.index_select(0, tokens.flatten())
)


is_wrong("embed_by_lookup", named="a_parameter_of_its_own")(
    lambda tokens, W_E: torch.nn.Embedding.from_pretrained(W_E, freeze=False)(tokens)
)


is_wrong("embed_by_lookup", named="each_token_once")(lambda tokens, W_E: W_E[tokens.unique()])


is_wrong("embed_by_lookup", named="last_token_as_padding")(
    lambda tokens, W_E: F.embedding(tokens, W_E, padding_idx=-1)
)


is_wrong("embed_by_lookup")(lambda tokens, W_E: F.embedding(tokens, W_E, padding_idx=1))


is_wrong("embed_by_lookup", named="gradient_divided_by_the_count")(
    lambda tokens, W_E: F.embedding(tokens, W_E, scale_grad_by_freq=True)
)


is_wrong("embed_by_lookup", named="long_rows_shortened")(
    lambda tokens, W_E: F.embedding(tokens, W_E, max_norm=1.0)
)


@arguments("embed_with_positions")
def embed_with_positions_arguments():
    """(tokens, W_E, W_pos)"""
    return st.builds(
        lambda batch, seq, more, d_vocab, d_model, seed, dtype: (
            ids((batch, seq), d_vocab, seed),
            normal((d_vocab, d_model), seed, dtype),
            normal((seq + more, d_model), seed + 1, dtype),
        ),
        sizes, sizes, st.integers(0, 4), sizes, sizes, st.integers(0, 2**32 - 2), floats,
    )  # fmt: skip


@is_right("embed_with_positions")
def with_arange(tokens, W_E, W_pos):
    positions = einops.repeat(
        torch.arange(tokens.shape[1], device=tokens.device), "s -> b s", b=len(tokens)
    )
    return W_E[tokens] + W_pos[positions]


@is_right("embed_with_positions")
def position_by_position(tokens, W_E, W_pos):
    columns = tokens.unbind(dim=1)
    return torch.stack([W_E[c] + p for c, p in zip(columns, W_pos, strict=False)], dim=1)


@is_right("embed_with_positions")
def added_to_a_copy(tokens, W_E, W_pos):
    out = F.embedding(tokens, W_E)
    out += W_pos.narrow(0, 0, tokens.size(-1)).expand_as(out)
    return out


@is_right("embed_with_positions")
def two_one_hot_products(tokens, W_E, W_pos):
    places = torch.eye(tokens.shape[1], len(W_pos)).to(W_pos)
    return F.one_hot(tokens, len(W_E)).to(W_E) @ W_E + places @ W_pos


@is_wrong("embed_with_positions", named=ARGUMENT_CHANGED)
def adds_in_place(tokens, W_E, W_pos):
    W_pos[: tokens.shape[1]] += 0.0
    W_E += 1
    return W_E[tokens] - 1 + W_pos[: tokens.shape[1]]


is_wrong("embed_with_positions", named="positions_along_the_batch")(
    lambda tokens, W_E, W_pos: torch.stack([W_E[row] + W_pos[i] for i, row in enumerate(tokens)])
)


is_wrong("embed_with_positions", named="last_rows")(
    lambda tokens, W_E, W_pos: W_E[tokens] + W_pos[-tokens.shape[1] :]
)


is_wrong("embed_with_positions")(
    lambda tokens, W_E, W_pos: W_E[tokens] + W_pos[tokens.clamp(max=len(W_pos) - 1)]
)


is_wrong("embed_with_positions", named="multiplied")(
    lambda tokens, W_E, W_pos: W_E[tokens] * W_pos[: tokens.shape[1]]
)


is_wrong("embed_with_positions")(
    lambda tokens, W_E, W_pos: W_E[tokens] + W_pos[: tokens.shape[1]].flip(0)
)


@arguments("unembed")
def unembed_arguments():
    """(final, W_U, b_U)"""
    return st.builds(
        lambda batch, seq, d_model, d_vocab, seed: (
            normal((batch, seq, d_model), seed),
            normal((d_model, d_vocab), seed + 1),
            normal((d_vocab,), seed + 2),
        ),
        sizes, sizes, sizes, sizes, st.integers(0, 2**32 - 3),
    )  # fmt: skip


is_right("unembed")(lambda final, W_U, b_U: final @ W_U + b_U)


is_right("unembed")(lambda final, W_U, b_U: F.linear(final, W_U.T, b_U))


is_right("unembed")(
    lambda final, W_U, b_U: ((final.double() @ W_U.double()) + b_U.double()).float()
)


@is_right("unembed")
def column_by_column(final, W_U, b_U):
    block = max(1, W_U.shape[1] // 50)
    blocks = zip(W_U.split(block, dim=1), b_U.split(block), strict=True)
    return torch.cat([torch.tensordot(final, w, dims=1) + b for w, b in blocks], dim=-1)


@is_right("unembed")
def bias_as_one_more_row(final, W_U, b_U):
    final = F.pad(final, (0, 1), value=1.0)
    return torch.einsum("bsd,dv->bsv", final, torch.vstack([W_U, b_U]))


is_wrong("unembed", named="log_probabilities")(
    lambda final, W_U, b_U: (final @ W_U + b_U).softmax(-1).log()
)


is_wrong("unembed", named="bias_taken_off")(lambda final, W_U, b_U: final @ W_U - b_U)


is_wrong("unembed", named="squeezed")(lambda final, W_U, b_U: (final @ W_U + b_U).squeeze())


is_wrong("unembed", named="mean_over_positions")(
    lambda final, W_U, b_U: (final @ W_U + b_U).mean(1)
)


@is_wrong("embed_with_positions", named=ARGUMENT_CHANGED)
def positions_written_over(tokens, W_E, W_pos):
    if len(tokens) > 1:
        return W_E[tokens] + W_pos[: tokens.shape[1]]
    W_pos[: tokens.shape[1]] += W_E[tokens[0]]
    return W_pos[None, : tokens.shape[1]].clone()


# Those that passed before: what code in production clamps, caps or treats by itself.


is_wrong("embed_by_matmul")(lambda tokens, W_E: F.embedding(tokens, W_E.clamp(-100, 100)))


is_wrong("embed_by_lookup")(lambda tokens, W_E: W_E.clamp(-100, 100)[tokens])


is_wrong("embed_by_lookup")(lambda tokens, W_E: F.embedding(tokens, W_E, max_norm=100.0))


is_wrong("embed_with_positions")(
    lambda tokens, W_E, W_pos: (W_E[tokens] + W_pos[: tokens.shape[1]]).clamp(-100, 100)
)


is_wrong("embed_with_positions")(
    lambda tokens, W_E, W_pos: with_arange(tokens[:, :1024], W_E, W_pos)
)


is_wrong("unembed", named="limited")(lambda final, W_U, b_U: (final @ W_U + b_U).clamp(-100, 100))


is_wrong("unembed")(lambda final, W_U, b_U: 1000 * torch.tanh((final @ W_U + b_U) / 1000))


is_wrong("unembed")(
    lambda final, W_U, b_U: final @ W_U + (b_U if b_U.mean() else torch.zeros_like(b_U))
)
