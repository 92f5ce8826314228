"""What a result is made of: where a list of tuples is asked for, or several tensors, one mistake
may be in one part and another in the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from grader.inside.plain import Opaque, Pairs
from grader.verdict import agree
from grader.verdict.exercise import size

MOST = 6  # parts of one result
WHOLE = ("",)  # what has no parts is one


def names(expected: Any) -> Sequence[Any]:
    """Of a list of tuples its columns, of a tuple its items, of a dict its values by key."""
    if (columns := _columns(expected)) is not None:
        return range(columns)
    if isinstance(expected, tuple) and 2 <= len(expected) <= MOST:
        return range(len(expected))
    if isinstance(expected, dict) and 2 <= len(expected) <= MOST:
        return list(expected)
    return WHOLE


def split(value: Any, expected: Any) -> dict[Any, Any]:
    """Part -> what a value has there, if it is built as the expected one; else it is each part."""
    found = names(expected)
    if found is WHOLE:
        return {found[0]: value}
    if isinstance(expected, dict):
        if isinstance(value, Pairs):
            value = value.of(expected)
        if isinstance(value, dict):
            return {part: value.get(part) for part in found}
    elif isinstance(expected, list):
        if _columns(value) == len(found):
            return {part: [row[part] for row in value] for part in found}
    elif isinstance(value, (list, tuple)) and len(value) == len(found):
        return {part: value[part] for part in found}
    return dict.fromkeys(found, value)


def within_reason(observed: Any, expected: Any) -> Any:
    """What came back, but for what holds far more than was asked for: that explains nothing, and
    is not kept."""
    most = 10 * size(expected) + 1_000
    return Opaque("far too much") if _holds_more(observed, most) else observed


def work(value: Any) -> int:
    """How much it is to compare, about."""
    return 1 + value.numel() // 100 if isinstance(value, torch.Tensor) else size(value)


def _holds_more(value: Any, most: int) -> bool:
    """Is there more in it than this? Not all of it is looked at to say so."""
    left, left_over = [value], most
    while left and left_over >= 0:
        inner = left.pop()
        if isinstance(inner, torch.Tensor):
            left_over -= 1 + inner.numel() // 10
        elif isinstance(inner, (str, bytes)):
            left_over -= len(inner) // 100
        elif isinstance(inner, Pairs):
            left_over -= len(inner.items)
            left += [part for pair in inner.items for part in pair] if left_over >= 0 else []
        elif isinstance(inner, (list, tuple, dict)):
            left_over -= len(inner)
            if left_over >= 0:
                left += inner.values() if isinstance(inner, dict) else inner
    return left_over < 0


def _columns(value: Any) -> int | None:
    """Of a list of tuples of one length."""
    if not isinstance(value, list) or not value:
        return None
    lengths = {len(row) if isinstance(row, (tuple, list)) else 0 for row in value}
    length = lengths.pop()
    return length if not lengths and 2 <= length <= MOST else None


def _no_more(observed: Any, expected: Any) -> bool:
    return isinstance(observed, int) and observed <= expected


# Where agreement is not equality: of which checks, in which part.
AGREE: dict[Any, dict[Any, Callable[[Any, Any], bool]]] = {
    agree.no_more_work: {"passes": _no_more, "sequences run": _no_more},
}
