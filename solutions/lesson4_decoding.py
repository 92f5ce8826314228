"""Lesson 4, solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

END_OF_TEXT = 50256


def argmax_decode(logits: Float[Tensor, "batch seq d_vocab"]) -> Int[Tensor, "batch seq"]:
    return logits.argmax(dim=-1)


@torch.no_grad()
def predicted_pairs(model: TransformerBridge, text: str) -> list[tuple[str, str]]:
    tokens = model.to_tokens(text)
    expected = argmax_decode(model(tokens))
    return [
        (model.tokenizer.decode([token]), model.tokenizer.decode([after]))
        for token, after in zip(tokens[0].tolist(), expected[0].tolist(), strict=True)
    ]


def next_token(logits: Float[Tensor, "batch seq d_vocab"]) -> Int[Tensor, "batch"]:
    return logits[:, -1].argmax(dim=-1)


def append_token(
    tokens: Int[Tensor, "batch seq"], token: Int[Tensor, "batch"]
) -> Int[Tensor, "batch seq+1"]:
    return torch.cat([tokens, token[:, None].to(tokens)], dim=1)


def token_accuracy(
    logits: Float[Tensor, "batch seq d_vocab"],
    tokens: Int[Tensor, "batch seq"],
    attention_mask: Int[Tensor, "batch seq"],
) -> Float[Tensor, ""]:
    is_right = argmax_decode(logits)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@torch.no_grad()
def greedy_generate(
    model: TransformerBridge, prompt: str, n_tokens: int, prepend_bos: bool = True
) -> Int[Tensor, "1 seq+n_tokens"]:
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        tokens = append_token(tokens, next_token(model(tokens)))
    return tokens


@torch.no_grad()
def generate_until(
    model: TransformerBridge,
    tokens: Int[Tensor, "1 seq"],
    max_new_tokens: int,
    eos_token_id: int = END_OF_TEXT,
) -> Int[Tensor, "1 seq+n"]:
    for _ in range(max_new_tokens):
        token = next_token(model(tokens))
        tokens = append_token(tokens, token)
        if token.item() == eos_token_id:
            break
    return tokens


@torch.no_grad()
def generate_batch(
    model: TransformerBridge,
    tokens: Int[Tensor, "batch seq"],
    max_new_tokens: int,
    eos_token_id: int = END_OF_TEXT,
) -> Int[Tensor, "batch seq+n"]:
    running = torch.arange(len(tokens), device=tokens.device)
    for _ in range(max_new_tokens):
        if len(running) == 0:
            break
        token = tokens.new_full((len(tokens),), eos_token_id)
        token[running] = next_token(model(tokens[running]))
        tokens = append_token(tokens, token)
        running = running[token[running] != eos_token_id]
    return tokens


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    pictures.expected_tokens(predicted_pairs, model, "In the beginning God created the heaven.")
    pictures.continuation(greedy_generate, model, tokenizer, "In the beginning")
