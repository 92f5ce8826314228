"""What several exercises of lesson 1 are checked with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.verdict.draw import Draw

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


BOS = 50256


def vocab_of(draw: Draw, size: int) -> dict[str, int]:
    """Tokens of several lengths whose ids follow neither the alphabet nor the order in the dict."""
    tokens = {"".join(draw.pick("abcĠĊé") for _ in range(draw.integer(1, 5))) for _ in range(size)}
    ids = draw.shuffled(range(3 * len(tokens)))
    return dict(zip(draw.shuffled(sorted(tokens)), ids, strict=False))


def gpt2_vocab(tokenizer: GPT2Tokenizer) -> dict[str, int]:
    """GPT-2's own first 2,000 tokens (all 50,257 would show no more and take far longer),
    in the order of the alphabet, for the tokenizer's own order is random."""
    return dict(sorted((token, i) for token, i in tokenizer.get_vocab().items() if i < 2000))


def word_of(draw: Draw, letters: str, low: int, high: int) -> list[bytes]:
    return [draw.pick(letters).encode() for _ in range(draw.integer(low, high))]
