"""Lesson 2, solved."""

from __future__ import annotations

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor


def one_hot(tokens: Int[Tensor, "..."], d_vocab: int) -> Float[Tensor, "... d_vocab"]:
    return (tokens[..., None] == torch.arange(d_vocab, device=tokens.device)).float()


def embed_by_matmul(
    tokens: Int[Tensor, "batch seq"], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "batch seq d_model"]:
    one_hot_tokens = one_hot(tokens, d_vocab=W_E.shape[0]).to(W_E.dtype)
    return einsum(one_hot_tokens, W_E, "batch seq d_vocab, d_vocab d_model -> batch seq d_model")


def embed_by_lookup(
    tokens: Int[Tensor, "..."], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "... d_model"]:
    return W_E[tokens]


def embed_with_positions(
    tokens: Int[Tensor, "batch seq"],
    W_E: Float[Tensor, "d_vocab d_model"],
    W_pos: Float[Tensor, "n_ctx d_model"],
) -> Float[Tensor, "batch seq d_model"]:
    return W_E[tokens] + W_pos[: tokens.shape[1]]


def unembed(
    final: Float[Tensor, "batch seq d_model"],
    W_U: Float[Tensor, "d_model d_vocab"],
    b_U: Float[Tensor, "d_vocab"],
) -> Float[Tensor, "batch seq d_vocab"]:
    return einsum(final, W_U, "batch seq d_model, d_model d_vocab -> batch seq d_vocab") + b_U


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    pictures.similarities(embed_by_lookup, model, tokenizer, " king queen man woman sun moon Ralph")
