"""When an observation agrees with the expected one, and how to say where it does not.

This is the one place for what counts as equal:

- Structure is exact: lengths, keys, the order of a list.
- Strings and integers are exact. Floats may differ by rounding, as much as the coarser of the two
  dtypes explains (`TOLERANCE`), and where all that is expected is 0, too; NaN and infinities must
  be in the same places.
- Tensors must be tensors and have equal shapes. Floats may not stand for integers nor integers
  for floats.

And of type. Where the value is right and its type is nearly so, it passes with a remark
(`remark`): a tuple for a list or a list for a tuple; as a single number a Python number, a NumPy
number, a tensor without dimensions, an int that a float equals; a tensor of another width than the
solution's. Where the type is the point of a check, that check observes the type itself
(`observe.dtype`, `observe.device`) and it fails there. A list or a NumPy array for a tensor, a
string for a device, floats for ids, always fail, and the sentence says that the values are right
but the type is not.

`values` and its neighbours return None for yes, or a sentence that says what is different. Both
sides are plain data (`grader.inside.plain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from grader.inside.plain import Opaque, Pairs, Sample
from grader.verdict.show import show

# dtype -> (relative to the expected entry, relative to the largest expected entry, absolute). The
# second covers entries near zero that came out of a subtraction of large ones; the third is for
# where all that is expected is near zero, and is what rounding leaves of numbers of a few.
TOLERANCE = {
    torch.float64: (1e-9, 1e-11, 2e-15),
    torch.float32: (2e-4, 4e-6, 1e-6),
    torch.float16: (4e-3, 1e-3, 2e-3),
    torch.bfloat16: (3e-2, 1e-2, 1.6e-2),
}


def values(observed: Any, expected: Any, at: str = "") -> str | None:
    """The default agreement."""
    where = f"At {at}: " if at else ""
    if _is_number(observed) and _is_number(expected):
        if _equal_numbers(observed, expected):
            return None
        got, want = (x.item() if isinstance(x, torch.Tensor) else x for x in (observed, expected))
        return f"{where}{_apart(got, want)}."
    if isinstance(expected, torch.Tensor):
        if isinstance(observed, Sample) and observed.shape == expected.shape:
            observed, expected = observed.entries, expected.flatten()[observed.index]
        return _tensors(observed, expected, where)
    if isinstance(expected, Sample) and isinstance(observed, Sample):
        return (
            None
            if observed.shape == expected.shape and torch.equal(observed.entries, expected.entries)
            else f"{where}other entries."
        )
    if isinstance(expected, Sample):
        if not isinstance(observed, torch.Tensor) or observed.shape != expected.shape:
            return f"{where}{kind(observed)} instead of a tensor of shape {expected.shape}."
        return _tensors(observed.flatten()[expected.index], expected.entries, where)
    if isinstance(expected, (list, tuple)):
        return _sequences(observed, expected, at, where)
    if isinstance(expected, dict):
        return _dicts(observed, expected, at, where)
    if type(observed) is not type(expected):
        is_right = isinstance(expected, Opaque) and observed == expected.text
        return _wrong_type(observed, expected, where, is_right)
    if observed == expected:
        return None
    return f"{where}{show(observed)} instead of {show(expected)}."


def equal(observed: Any, expected: Any) -> bool:
    """By `values`. What cannot be compared is not equal: whatever they returned, it is not this
    grader's end."""
    try:
        return values(observed, expected) is None
    except Exception:  # as above
        return False


def no_more_work(observed: Any, expected: Any) -> str | None:
    """For `observe.result_and_work`: an equal result, for no more work than the solution needs."""
    observed = _of_ours(observed, expected)
    if difference := values(observed["result"], expected["result"]):
        return difference
    for work in ("passes", "sequences run"):
        if observed[work] > expected[work]:
            return f"{observed[work]} {work} where {expected[work]} are enough."
    return None


def values_and_an_integer_mask(observed: Any, expected: Any) -> str | None:
    """For (ids, mask): both, and the mask may not be of truth values."""
    if difference := values(observed, expected):
        return difference
    if observed[1].dtype is torch.bool:
        return "at [1]: the mask holds True and False, and not 1 and 0."
    return None


def named(name: str) -> Callable[[Any, Any], str | None]:
    """The one of these three whose `__name__` this is. Raises KeyError."""
    return {f.__name__: f for f in (values, no_more_work, values_and_an_integer_mask)}[name]


def remark(observed: Any, expected: Any, at: str = "") -> str | None:
    """The first near-miss of type in a value that agrees; None where there is none."""
    where = f"at {at}: " if at else ""
    if _is_number(observed) and _is_number(expected):
        got, want = _number(observed), _number(expected)
        return None if got == want else f"{where}{got} where {want} is meant"
    if isinstance(expected, torch.Tensor):
        if observed.dtype == expected.dtype:
            return None
        return f"{where}a tensor of {observed.dtype} where {expected.dtype} is meant"
    if isinstance(expected, (list, tuple)):
        if type(observed) is not type(expected):
            return f"{where}{kind(observed)} where {kind(expected)} is meant"
        items = ((str(i), got, want) for i, (got, want) in enumerate(zip(observed, expected)))  # noqa: B905
    elif isinstance(expected, dict):
        theirs = _of_ours(observed, expected)
        items = ((show(key), theirs[key], want) for key, want in expected.items())
    else:
        return None
    return next(filter(None, (remark(got, want, f"{at}[{i}]") for i, got, want in items)), None)


def _number(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "a tensor without dimensions"
    return _article(type(value).__name__)


def kind(value: Any) -> str:
    """What sort of thing a plain value is, with an article, for a sentence."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
    if isinstance(value, Opaque):
        return f"{_article(value.type)} ({value.text})" if value.text else _article(value.type)
    return _article(
        {"str": "string", "Pairs": "dict"}.get(type(value).__name__, type(value).__name__)
    )


def type_name(value: Any) -> str:
    """What sort of thing it is, short, with an article."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return f"a tensor of {value.dtype}"
    name = value.type if isinstance(value, Opaque) else type(value).__name__
    return _article({"str": "string", "Pairs": "dict"}.get(name, name))


def _wrong_type(observed: Any, expected: Any, where: str, values_are_right: bool) -> str:
    but = "the values are right, the type is not: " if values_are_right else ""
    return f"{where}{but}{kind(observed)} instead of {kind(expected)}."


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _is_number(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.ndim == 0 and not value.is_complex()
    return isinstance(value, (bool, int, float))


def _equal_numbers(observed: Any, expected: Any) -> bool:
    got, want = (x.item() if isinstance(x, torch.Tensor) else x for x in (observed, expected))
    if not isinstance(want, float):
        return bool(got == want)  # exact, however large
    if isinstance(got, int) and abs(got) > 2**63:
        return False
    # A Python float mostly comes from `.item()`, so it is as exact as a float32. One that is asked
    # for is picked out of something, and no rest of a subtraction.
    dtypes = [x.dtype for x in (observed, expected) if isinstance(x, torch.Tensor)]
    got, want = (torch.tensor(x, dtype=torch.float64) for x in (got, want))
    return bool(_close(got, want, dtypes or [torch.float32], is_computed=bool(dtypes)))


def _close(
    observed: torch.Tensor,
    expected: torch.Tensor,
    dtypes: Iterable[torch.dtype],
    is_computed: bool = True,
) -> torch.Tensor:
    """Entry by entry: is the difference no more than rounding to these dtypes explains?"""
    floats = [dtype for dtype in dtypes if dtype.is_floating_point]
    if not floats:
        return observed == expected
    relative, of_largest, least = max(TOLERANCE.get(dtype, (0.0, 0.0, 0.0)) for dtype in floats)
    observed, expected = observed.double(), expected.double()
    finite = expected[expected.isfinite()].abs()
    largest = finite.max() if finite.numel() else torch.tensor(0.0).double()
    bound = relative * expected.abs() + of_largest * largest
    if is_computed and largest < least:
        bound = bound + least
    near = (observed - expected).abs() <= torch.where(expected.isfinite(), bound, 0)
    return near | (observed == expected) | (observed.isnan() & expected.isnan())


def differing(observed: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Which entries of two tensors of one shape differ by more than rounding."""
    return ~_close(observed, expected, [observed.dtype, expected.dtype])


def _tensors(observed: Any, expected: torch.Tensor, where: str) -> str | None:
    if not isinstance(observed, torch.Tensor):
        return _wrong_type(observed, expected, where, spells(observed, expected))
    if observed.shape != expected.shape:
        return f"{where}shape {tuple(observed.shape)} instead of {tuple(expected.shape)}."
    if observed.is_complex() or observed.is_floating_point() != expected.is_floating_point():
        but = "the values are right, the type is not: " if torch.equal(observed, expected) else ""
        return f"{where}{but}dtype {observed.dtype} instead of {expected.dtype}."
    differs = differing(observed, expected)
    n = int(differs.sum())
    if not n:
        return None
    if not observed.is_floating_point():
        index, which = tuple(differs.nonzero()[0].tolist()), "first"
    else:
        gap = (observed.double() - expected.double()).abs().nan_to_num(torch.inf)
        flat = gap.masked_fill(~differs, -1).argmax()
        # torch.unravel_index imports sympy: a third of a second.
        index, which = tuple(int(i) for i in np.unravel_index(int(flat), gap.shape)), "most"
    got, want = observed[index].item(), expected[index].item()
    text = _apart(got, want)
    if not index:
        return f"{where}{text}."
    of = f"{n:,} of {observed.numel():,} entries differ, the {which} at"
    if n == 1:
        of = f"1 of {observed.numel():,} entries differs, at"
    elif n == observed.numel():
        of = f"every entry differs, the {which} at"
    return f"{where}{of} {list(index)}: {text}."


def _apart(got: Any, want: Any) -> str:
    """Both, in as many digits as tell them apart."""
    if show(got) == show(want):
        return f"{got!r} instead of {want!r}"
    return f"{show(got)} instead of {show(want)}"


def spells(observed: Any, expected: torch.Tensor) -> bool:
    """Does a list hold just what the tensor does?"""
    if not isinstance(observed, (list, tuple)):
        return False
    try:
        if observed and all(isinstance(item, torch.Tensor) for item in observed):
            return values(torch.stack(list(observed)), expected) is None
        return values(torch.tensor(observed, dtype=expected.dtype), expected) is None
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return False


def parting(observed: Any, expected: Any) -> float:
    """How far two values are from one another, from 0 to 1, as the eye takes it: the share of
    entries that differ; 1 where it is not the entries."""
    if isinstance(expected, torch.Tensor) and isinstance(observed, torch.Tensor):
        if observed.shape != expected.shape or not expected.numel():
            return 1.0
        if observed.is_complex() or observed.is_floating_point() != expected.is_floating_point():
            return 1.0
        return float(differing(observed, expected).double().mean())
    if isinstance(expected, (list, tuple)) and isinstance(observed, (list, tuple)):
        if len(observed) != len(expected) or not expected:
            return 1.0
        pairs = zip(observed, expected, strict=True)
        return sum(values(got, want) is not None for got, want in pairs) / len(expected)
    return 1.0


def _sequences(observed: Any, expected: Any, at: str, where: str) -> str | None:
    if not isinstance(observed, (list, tuple)):
        return f"{where}{kind(observed)} instead of {kind(expected)}."
    for i, (got, want) in enumerate(zip(observed, expected)):  # noqa: B905
        if difference := values(got, want, f"{at}[{i}]"):
            return difference
    if len(observed) != len(expected):
        items = "1 item" if len(observed) == 1 else f"{len(observed):,} items"
        return f"{where}{items} instead of {len(expected):,}."
    return None


def _dicts(observed: Any, expected: dict[Any, Any], at: str, where: str) -> str | None:
    if not isinstance(observed, (dict, Pairs)):
        return f"{where}{kind(observed)} instead of {kind(expected)}."
    theirs = _of_ours(observed, expected)
    for key in expected:
        if key not in theirs:
            return f"{where}the key {show(key)} is missing."
    for key in keys(observed):
        if key not in expected:
            return f"{where}the key {show(key)} should not be there."
    if isinstance(observed, Pairs) and len(observed.items) != len(theirs):
        return f"{where}keys that are there twice."
    for key in expected:
        if difference := values(theirs[key], expected[key], f"{at}[{show(key)}]"):
            return difference
    return None


def keys(table: dict[Any, Any] | Pairs) -> Iterable[Any]:
    return table if isinstance(table, dict) else (key for key, _ in table.items)


def _of_ours(observed: Any, expected: dict[Any, Any]) -> dict[Any, Any]:
    """Their values for keys that we expect."""
    theirs: dict[Any, Any] = observed.of(expected) if isinstance(observed, Pairs) else observed
    return theirs
