"""A closer look at where two plain values part, for the eye: aligned, and in the field's terms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch

from grader.inside.plain import Pairs
from grader.inside.reference import TINY
from grader.verdict import agree
from grader.verdict.show import show, width

# What a line begins with; `grader.desk` colours by it.
YOURS, EXPECTED = "yours", "expected"
SMALL = 8  # entries of a tensor that the eye compares without help


def lines(observed: Any, expected: Any, as_tokens: bool = False) -> list[str]:
    """Nothing where the two values say it all by themselves."""
    if isinstance(observed, Pairs) and isinstance(expected, dict):
        observed = observed.of(expected)
    if isinstance(observed, dict) and isinstance(expected, dict):
        return [
            line
            for key in expected
            if key in observed and agree.values(observed[key], expected[key])
            for line in _of_key(key, lines(observed[key], expected[key], as_tokens))
        ][:12]
    if _both(observed, expected, torch.Tensor):
        found = [*_facts(observed, expected)]
        if shifted := shift(observed, expected):
            found.append(shifted)
        return found + _tensor_window(observed, expected, as_tokens)
    if _both(observed, expected, (list, tuple)):
        tensors = [(o, e) for o, e in zip(observed, expected, strict=False) if agree.values(o, e)]
        if tensors and _both(*tensors[0], torch.Tensor):
            return lines(*tensors[0], as_tokens and not _is_mask(tensors[0][1]))
        shifted = shift(list(observed), list(expected))
        return ([shifted] if shifted else []) + _list_window(list(observed), list(expected))
    return []


def _of_key(key: Any, found: list[str]) -> list[str]:
    return [f"At [{show(key)}]:", *found] if found else []


def _is_mask(tensor: torch.Tensor) -> bool:
    """Are these ones and zeros, and no ids?"""
    return not tensor.is_floating_point() and bool(((tensor == 0) | (tensor == 1)).all())


def _both(one: Any, other: Any, kind: Any) -> bool:
    return isinstance(one, kind) and isinstance(other, kind)


# --- Off by one ----------------------------------------------------------------------------------


def shift(observed: Any, expected: Any) -> str | None:
    """Are they the same but for one entry in front or at the end (of the last dimension)? Not where
    one changed entry explains it as well."""
    got, want = _length(observed), _length(expected)
    if got == 0 or want < 2 or (got == want and (want < 3 or not _many_differ(observed, expected))):
        return None
    a, b = slice(1, None), slice(None, -1)
    whole = slice(None)
    cases = {
        got - 1: [
            (a, whole, "The same with one entry too many in front."),
            (b, whole, "The same with one entry too many at the end."),
        ],
        got + 1: [
            (whole, a, "The same without the first entry."),
            (whole, b, "The same without the last entry."),
        ],
        got: [
            (a, b, "Shifted by one: each entry comes one place too late."),
            (b, a, "Shifted by one: each entry comes one place too early."),
        ],
    }
    for of_observed, of_expected, words in cases.get(want, ()):
        if agree.values(_cut(observed, of_observed), _cut(expected, of_expected)) is None:
            return words
    return None


def _many_differ(observed: Any, expected: Any) -> bool:
    """Do two neighbours differ? (Where a run of ones ends a place too early, one entry does.)"""
    if not isinstance(observed, torch.Tensor):
        pairs = zip(observed, expected, strict=True)
        differs = torch.tensor([bool(agree.values(o, e)) for o, e in pairs])
    elif observed.shape != expected.shape:
        return False
    else:
        differs = agree.differing(observed, expected)
    return bool((differs[..., 1:] & differs[..., :-1]).any())


def _length(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.shape[-1] if value.ndim else 0
    return len(value)


def _cut(value: Any, part: slice) -> Any:
    return value[..., part] if isinstance(value, torch.Tensor) else value[part]


# --- Of a tensor of floats as a whole ------------------------------------------------------------


def _facts(observed: torch.Tensor, expected: torch.Tensor) -> list[str]:
    if not (observed.is_floating_point() and expected.is_floating_point() and expected.numel()):
        return []
    if observed.numel() > 4 * expected.numel() + 10_000:  # the shape says enough
        return []
    said = []
    for what, count in (("NaN", torch.isnan), ("infinite", torch.isinf)):
        n, of_expected = int(count(observed).sum()), int(count(expected).sum())
        if n != of_expected:
            are, should = "is" if n == 1 else "are", f"{of_expected or 'none'}"
            said.append(f"{n:,} of its entries {are} {what}, and {should} should be.")
    if observed.shape != expected.shape or observed.isnan().any():
        return said
    for dim in range(expected.ndim):
        for words, of in (
            ("its entries add up to", torch.Tensor.double),
            ("their exp adds up to", _exp),
        ):
            if not _sums_to_one(of(expected), dim):
                continue
            if _sums_to_one(of(observed), dim):
                continue
            sums = of(observed).sum(dim)
            low, high = _entry(sums.min().item()), _entry(sums.max().item())
            to = low if low == high else f"{low} up to {high}"
            ends = f"{_entry(observed.min().item())} to {_entry(observed.max().item())}"
            said.append(f"Along dim {dim} {words} {to}, not to 1; entries go from {ends}.")
            return said
    return said


def _exp(x: torch.Tensor) -> torch.Tensor:
    return x.double().exp()


def _sums_to_one(probs: torch.Tensor, dim: int) -> bool:
    if probs.shape[dim] < 2 or not bool((probs >= 0).all()):
        return False
    sums = probs.sum(dim)
    return bool(torch.allclose(sums, torch.ones_like(sums), atol=5e-3))


# --- Windows -------------------------------------------------------------------------------------


def _tensor_window(observed: torch.Tensor, expected: torch.Tensor, as_tokens: bool) -> list[str]:
    """A stretch of one row of both, around the first (of ids) or largest (of floats) difference."""
    if observed.ndim == 0 or observed.ndim != expected.ndim or not observed.numel():
        return []
    if observed.shape[:-1] != expected.shape[:-1] or not expected.numel():
        return []
    common = min(observed.shape[-1], expected.shape[-1])
    got, want = observed[..., :common], expected[..., :common]
    differs = agree.differing(got, want)
    if not differs.any() and observed.shape == expected.shape:
        return []
    if not differs.any():  # one goes on where the other ends
        at = (*[0] * (observed.ndim - 1), common)
    elif got.is_floating_point():
        gap = (got.double() - want.double()).abs().masked_fill(~differs, -1)
        at = _index(gap.nan_to_num(torch.inf).argmax(), gap.shape)
    else:
        at = tuple(differs.nonzero()[0].tolist())
    row, where = at[:-1], at[-1]
    if not as_tokens and max(observed.numel(), expected.numel()) <= SMALL:
        return []
    form: Callable[[Any], str] = _token if as_tokens else _entry
    label = f"[{''.join(f'{i}, ' for i in row)}"
    return _aligned(_Row(observed[row]), _Row(expected[row]), where, form, label)


class _Row(Sequence[Any]):
    """Entries of a tensor, made numbers of one by one: there may be many."""

    def __init__(self, entries: torch.Tensor) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, i: Any) -> Any:
        return self.entries[i].item()


def _differ(observed: Sequence[Any], expected: Sequence[Any], i: int) -> bool:
    if isinstance(observed, _Row) and isinstance(expected, _Row):  # by the precision of these
        return bool(agree.differing(observed.entries[i], expected.entries[i]))
    return bool(agree.values(observed[i], expected[i]))


def _index(flat: torch.Tensor, shape: torch.Size) -> tuple[int, ...]:
    return tuple(int(i) for i in torch.unravel_index(flat, shape))


def _list_window(observed: list[Any], expected: list[Any]) -> list[str]:
    pairs = zip(observed, expected, strict=False)
    common = min(len(observed), len(expected))
    where = next((i for i, (o, e) in enumerate(pairs) if agree.values(o, e)), common)
    if where == max(len(observed), len(expected)) or max(len(observed), len(expected)) == 1:
        return []
    return _aligned(observed, expected, where, show, "[")


def _aligned(
    observed: Sequence[Any],
    expected: Sequence[Any],
    where: int,
    form: Callable[[Any], str],
    label: str,
) -> list[str]:
    """Two rows, one above the other, as far around `where` as the terminal is wide."""
    longest = max(len(observed), len(expected))
    room = width() - len("    expected  ... ") - len(" ...")

    def column(i: int) -> tuple[str, str, str]:
        got = form(observed[i]) if i < len(observed) else ""
        want = form(expected[i]) if i < len(expected) else ""
        beyond = i >= min(len(observed), len(expected))
        differs = beyond or _differ(observed, expected, i)
        if differs and not beyond and got == want:  # too close to see in as many digits
            got, want = repr(observed[i]), repr(expected[i])
        wide = max(len(got), len(want))
        return got.rjust(wide), want.rjust(wide), ("^" * wide if differs else " " * wide)

    low = high = where
    columns = [column(where)]
    used = len(columns[0][0])
    for i in sorted(
        range(max(0, where - 4), min(longest, where + 5)), key=lambda i: abs(i - where)
    ):
        if i == where:
            continue
        new = column(i)
        used += len(new[0]) + 2
        if used > room:
            break
        columns = [new, *columns] if i < where else [*columns, new]
        low, high = min(low, i), max(high, i)
    rows = ["  ".join(parts) for parts in zip(*columns, strict=True)]
    more_left, more_right = ("... " if low else ""), (" ..." if high < longest - 1 else "")
    return [
        f"Entries {label}{low}:{high + 1}]" if high > low else f"Entry {label}{low}]",
        f"    {YOURS:<10}{more_left}{rows[0]}{more_right}".rstrip(),
        f"    {EXPECTED:<10}{more_left}{rows[1]}{more_right}".rstrip(),
        f"    {'':<10}{' ' * len(more_left)}{rows[2]}".rstrip(),
    ]


def _entry(x: Any) -> str:
    return f"{x:.5g}" if isinstance(x, float) else show(x)


def _token(i: Any) -> str:
    """A token id as the text of GPT-2's token, quoted."""
    if not isinstance(i, int) or i not in _vocabulary():
        return show(i)
    token = _vocabulary()[i]
    shown = token.replace("Ġ", " ").replace("Ċ", "\\n")
    return f"'{shown}'"


@cache
def _vocabulary() -> dict[int, str]:
    vocab = json.loads((TINY / "vocab.json").read_text(encoding="utf-8"))
    return {i: token for token, i in vocab.items()}
