"""Lesson 1, solved."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer

END_OF_TEXT = 50256

_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [b for b in range(256) if b not in _PRINTABLE]
BYTE_TO_CHAR = {b: chr(b) for b in _PRINTABLE} | {b: chr(256 + i) for i, b in enumerate(_OTHERS)}
CHAR_TO_BYTE = {char: b for b, char in BYTE_TO_CHAR.items()}


def choose_device(mps: bool, cuda: bool) -> torch.device:
    return torch.device("mps" if mps else "cuda" if cuda else "cpu")


def sort_vocab(vocab: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(vocab.items(), key=lambda item: item[1])


def count_token_lengths(vocab: dict[str, int]) -> dict[int, int]:
    return dict(Counter(len(token) for token in vocab))


def first_token_of_length(sorted_vocab: list[tuple[str, int]], length: int) -> str:
    return next((token for token, _ in sorted_vocab if len(token) == length), "")


def token_to_text(token: str) -> str:
    return bytes(CHAR_TO_BYTE[char] for char in token).decode("utf-8", errors="replace")


def most_common_pair(words: list[list[bytes]]) -> tuple[bytes, bytes] | None:
    counts = Counter(pair for word in words for pair in pairwise(word))
    # Both Counter and max keep the order in which pairs were first seen.
    return max(counts, key=counts.__getitem__, default=None)


def merge_pair(tokens: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    merged: list[bytes] = []
    i = 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def train_bpe(words: list[str], n_merges: int) -> list[tuple[bytes, bytes]]:
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < n_merges and (pair := most_common_pair(split)):
        merges.append(pair)
        split = [merge_pair(word, pair) for word in split]
    return merges


def spelling_variants(tokenizer: GPT2Tokenizer, word: str) -> dict[str, list[str]]:
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {
        form: [tokenizer.decode([i]) for i in tokenizer.encode(form, add_special_tokens=False)]
        for form in forms
    }


def token_spans(tokenizer: GPT2Tokenizer, text: str) -> list[tuple[bytes, int, int]]:
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


def prepend_bos(
    tokens: Int[Tensor, "... seq"], bos_token_id: int = END_OF_TEXT
) -> Int[Tensor, "... seq+1"]:
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1)


def strip_bos(
    tokens: Int[Tensor, "... seq"], bos_token_id: int = END_OF_TEXT
) -> Int[Tensor, "... rest"]:
    begins_with_bos = tokens[..., :1] == bos_token_id
    if not begins_with_bos.any():
        return tokens
    if not begins_with_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[..., 1:]


def encode(
    tokenizer: GPT2Tokenizer, texts: str | list[str], prepend_bos: bool = True
) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]:
    texts = [texts] if isinstance(texts, str) else texts
    bos = [tokenizer.bos_token_id] if prepend_bos else []
    rows = [bos + tokenizer.encode(text, add_special_tokens=False) for text in texts]
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    attention_mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row, dtype=ids.dtype)
        attention_mask[i, : len(row)] = 1
    return ids, attention_mask


def inputs_and_targets(
    tokens: Int[Tensor, "... seq"], bos_token_id: int | None = None
) -> tuple[Int[Tensor, "... n"], Int[Tensor, "... n"]]:
    if bos_token_id is not None:
        tokens = prepend_bos(tokens, bos_token_id)
    return tokens[..., :-1], tokens[..., 1:]


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load_tokenizer

    tokenizer = load_tokenizer()
    pictures.tokens(token_spans, tokenizer, "Ralph, ralph and 56873+3184623: a naïve café, 日本.")
