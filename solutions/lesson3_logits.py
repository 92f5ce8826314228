"""Lesson 3, solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer

Model = Callable[[Int[Tensor, "batch seq"]], Float[Tensor, "batch seq d_vocab"]]


def softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    exp = (x - x.amax(dim, keepdim=True)).exp()
    return exp / exp.sum(dim, keepdim=True)


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    return x - x.logsumexp(dim, keepdim=True)


def next_token_probs(model: TransformerBridge, text: str) -> Float[Tensor, "d_vocab"]:
    return model(text)[0, -1].softmax(dim=-1)


def top_k_tokens(
    tokenizer: GPT2Tokenizer, probs: Float[Tensor, "d_vocab"], k: int
) -> list[tuple[str, float]]:
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def target_log_probs(
    logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"]
) -> Float[Tensor, "batch seq-1"]:
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:, None]).squeeze(-1)


def cross_entropy(
    logits: Float[Tensor, "batch seq d_vocab"],
    tokens: Int[Tensor, "batch seq"],
    attention_mask: Int[Tensor, "batch seq"],
) -> Float[Tensor, ""]:
    return -target_log_probs(logits, tokens)[attention_mask[:, 1:] == 1].mean()


def perplexity(log_probs: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    return (-log_probs.mean()).exp()


def entropy(logits: Float[Tensor, "... d_vocab"]) -> Float[Tensor, "..."]:
    log_probs = logits.log_softmax(dim=-1)
    probs = log_probs.exp()
    return torch.where(probs > 0, -probs * log_probs, 0.0).sum(dim=-1)


def prefix_predictions(model: Model, tokens: Int[Tensor, "1 seq"]) -> Float[Tensor, "seq d_vocab"]:
    return torch.stack([model(tokens[:, : j + 1])[0, -1] for j in range(tokens.shape[1])])


def is_causal(model: Model, tokens: Int[Tensor, "batch seq"]) -> bool:
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1000) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    text = "In the beginning God created the heaven and the earth."
    pictures.next_token(next_token_probs, model, tokenizer, "The cat sat on the")
    pictures.losses(target_log_probs, model, tokenizer, text)
    pictures.top_predictions(prefix_predictions, softmax, model, tokenizer, text)
