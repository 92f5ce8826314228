"""Text for people, never longer than a screen, whatever it is about."""

from __future__ import annotations

import math
import reprlib
import shutil
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from grader.inside.models import ToyModel, peeks_of
from grader.inside.plain import Opaque, Pairs, plain
from grader.words import harmless

ENDS = 20  # entries of a long dimension that NumPy is given at each end; it takes fewer
MOST = 400  # entries of a tensor that are formatted, before most of them are left out

_fixed: int | None = None


def fix_width(columns: int = 80) -> None:
    """From now on, take the terminal to be so wide, whatever it is."""
    global _fixed
    _fixed = columns


def width() -> int:
    """How many columns of the terminal (80 where there is none) to use."""
    if _fixed is not None:
        return _fixed - 4
    return min(max(shutil.get_terminal_size().columns, 60), 140) - 4


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 72
        self.maxlist = self.maxtuple = self.maxdict = 8
        self.maxlevel = 3

    def repr_Tensor(self, x: torch.Tensor, level: int) -> str:
        return show_tensor(x)

    def repr_Opaque(self, x: Opaque, level: int) -> str:
        if x.type == "torch.dtype":
            return x.text
        return f"<{x.type} {x.text}>" if x.text else f"<{x.type} object>"

    def repr_Pairs(self, x: Pairs, level: int) -> str:
        names = [key for key, _ in x.items]
        with suppress(TypeError):  # as `reprlib` does with a dict's
            names.sort()
        return self.repr1(x.of(dict.fromkeys(names[: self.maxdict + 1])), level)

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 256 else f"<an integer of {x.bit_length():,} bits>"

    def repr_float(self, x: float, level: int) -> str:
        return f"{x:.7g}"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return self.repr_str(x, level)  # type: ignore[arg-type]

    def repr_str(self, x: str, level: int) -> str:
        whole = repr(x[: self.maxstring])
        return whole if len(x) <= self.maxstring else f"{whole}... ({len(x):,} long)"


_repr = _Repr()


def show(value: Any) -> str:
    """A bounded `repr` of plain data."""
    return _repr.repr(value)


def show_tensor(x: torch.Tensor) -> str:
    """Values of a small tensor, the corners of a large one; shape and dtype where not plain."""
    if x.ndim == 0:
        return f"tensor({_repr.repr(x.item())})"
    shown, at = x, 0
    # NumPy leaves out the middle of a dimension, and no dimension as a whole.
    while shown.ndim > 1 and math.prod(min(n, 5) for n in shown.shape) > MOST:
        shown, at = shown[0], at + 1
    for dim, n in enumerate(shown.shape):
        if n > 2 * ENDS:
            ends = (shown.narrow(dim, 0, ENDS), shown.narrow(dim, n - ENDS, ENDS))
            shown = torch.cat(ends, dim)
    array = shown.double().numpy() if x.is_floating_point() else shown.numpy()
    text = np.array2string(
        array, precision=4, suppress_small=False, max_line_width=width(), separator=", ",
        threshold=24, edgeitems=2 if x.ndim > 1 else 4, prefix=" " * len("tensor("),
    )  # fmt: skip
    text = "[" * at + text + ", ..." * bool(at) + "]" * at
    text = text.replace("\n\n", "\n")  # NumPy sets matrices of a stack apart by an empty line
    dtype = str(x.dtype).removeprefix("torch.")
    return clip(f"tensor({text}, shape {tuple(x.shape)}, {dtype})", lines=8)


def show_argument(value: Any) -> str:
    """An argument of a case: plain data by value, anything else by what it is."""
    if type(value).__module__.startswith("transformer_lens"):
        return "<the reference model>"
    if type(value).__module__.startswith("transformers"):
        adds_bos = getattr(value, "add_bos_token", False)
        return f"<the GPT-2 tokenizer{', adding a BOS by itself' if adds_bos else ''}>"
    if isinstance(value, ToyModel):
        return f"<a toy model that peeks at: {peeks_of(value)}>"
    return show(plain(value))


def clip(text: str, lines: int = 12, width: int = 192) -> str:
    """At most so many lines, each at most so wide, with a mark where something was cut, and nothing
    in them that a terminal or a file could not take."""
    text = harmless(text[: 10 * lines * width])
    kept = text.split("\n", lines)
    cut = len(kept) > lines
    kept = [f"{line[:width]}..." if len(line) > width else line for line in kept[:lines]]
    return "\n".join([*kept, "..."] if cut else kept)
