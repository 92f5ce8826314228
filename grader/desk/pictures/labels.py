"""Tokens as they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from grader.desk.pictures.call import NothingToShow
from grader.words import STAND_INS

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer

LABEL = 18  # characters of a token


_BYTES = {shown: byte for byte, shown in STAND_INS.items()}
_STAND_INS = {" ": "Ġ", "\n": "Ċ", "\t": "ĉ", "\r": "č"}


def visible(token: str | bytes) -> str:
    """A token with nothing in it that cannot be seen: Ġ for a space, bytes of half a character as
    \\xf0, invisible characters as \\u200b."""
    if isinstance(token, bytes):
        token = token.decode("utf-8", "backslashreplace")
    shown = [
        _STAND_INS.get(c) or (c if c.isprintable() else c.encode("unicode_escape").decode())
        for c in token[:200]
    ]
    return "".join(shown)


def label_of(tokenizer: GPT2Tokenizer, token: int) -> str:
    """Of one id, cut where it is long."""
    text = tokenizer.decode([token])
    if "\ufffd" in text:  # half a character
        shown = visible(bytes(_BYTES[c] for c in str(tokenizer.convert_ids_to_tokens(token))))
    else:
        shown = visible(text)
    return shown if len(shown) <= LABEL else f"{shown[: LABEL - 1]}…"


def for_font(labels: Sequence[str]) -> list[str]:
    """With what Matplotlib's own font lacks as \\u escapes."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return [
        "".join(
            c if font.get_char_index(ord(c)) else c.encode("unicode_escape").decode() for c in label
        )
        for label in labels
    ]


def ids_of(tokenizer: GPT2Tokenizer, text: str) -> torch.Tensor:
    """int64, without BOS."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if not ids:
        raise NothingToShow("the text is empty.")
    return torch.tensor(ids)


def quoted(text: str) -> str:
    return f"“{visible(text).replace('Ġ', ' ')[-60:]}”"


def exp(mean: float) -> str:
    try:
        return f"{math.exp(mean):,.1f}"
    except OverflowError:
        return "infinite"
