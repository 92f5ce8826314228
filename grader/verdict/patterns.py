"""Mistakes that show in what came back, whatever the exercise: no return, a factor, another order.

Each is looked for in the results alone; what they make of dtypes, gradients and the like follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from grader.inside.plain import Opaque, Pairs, plain
from grader.inside.run import Raised
from grader.verdict import agree, difference
from grader.verdict.counting import WITH_MORE, is_of_the_result
from grader.words import STAND_INS

if TYPE_CHECKING:
    from grader.verdict.explain import Seen

SHARE = 0.7  # of the wrong results that a pattern has to fit
LARGE = 20_000  # entries of a tensor that are looked at
NEARLY = 1e-2  # how far off a result may be, relative to the right one, that is nearly right


@dataclass(frozen=True)
class Pattern:
    name: str
    says: str


@dataclass(frozen=True)
class Found:
    """A pattern that fits what is wrong."""

    pattern: Pattern
    cases: frozenset[int]  # numbers of those that it explains
    is_certain: bool  # it holds there whatever is wrong with others
    price: float  # what it has to explain beyond a misconception to be said in its place


def found(seen: Sequence[Seen], forms: bool = False) -> Iterator[Found]:
    """Those that fit and are denied by no right result. forms: only those of what can be done to
    any result."""
    results = {i: result for i, one in enumerate(seen) if (result := _result(one)) is not None}
    wrong = {i: result for i, result in results.items() if forms or seen[i].is_wrong}
    right = [result for i, result in results.items() if i not in wrong]
    for look in FORMS if forms else LOOKS:
        fits = {i: kind for i, result in wrong.items() if (kind := _look(look, result)) is not None}
        # Of some there are several kinds (factors, say): all cases have to show the same one.
        kinds = list(fits.values())
        kind = max(kinds, key=kinds.count, default=None)
        if kind is None or any(kind.denied_by(result) for result in right):
            continue
        explained = {i for i, other in fits.items() if other == kind}
        is_all = len(explained) >= SHARE * len(wrong)
        if not is_all and look not in CERTAIN:
            continue
        if look in (factor, offset) and not _is_seen_often(look, (results[i] for i in explained)):
            continue
        if is_all:  # what is wrong with the gradient or the dtype follows
            explained |= {
                i
                for i, one in enumerate(seen)
                if i not in results
                and one.is_wrong
                and one.check.observe.__name__ != "arguments_after"
            }
        price = 0.5 if look in CERTAIN else 2.0 if look in AT_LAST else 1.5
        yield Found(kind.pattern, frozenset(explained), look in CERTAIN, price)
    if not forms:
        yield from _beside(seen)
        yield from _unchanging(seen, results)


def _unchanging(seen: Sequence[Seen], results: Mapping[int, Result]) -> Iterator[Found]:
    first = next(iter(results.values())).observed if len(results) > 3 else None
    if first is None or not all(agree.equal(one.observed, first) for one in results.values()):
        return
    if isinstance(first, (Raised, Opaque)) or all(
        agree.equal(one.expected, first) for one in results.values()
    ):
        return
    pattern = Pattern(
        "the same result whatever it is given",
        "It comes back for every input, and is right for some of them alone. Which of its "
        "arguments does your code look at?",
    )
    yield Found(pattern, frozenset(i for i, one in enumerate(seen) if one.is_wrong), False, 0.2)


def _is_plain(observer: str, one: Seen) -> bool:
    """Is it just this that is wrong, and not what is looked at?"""
    if observer == "gradients":
        return isinstance(one.observed, str)
    if observer == "dtype" and not isinstance(one.observed, (list, tuple)):
        return False
    if observer == "dtype":
        both = [*one.observed, *one.expected]
        is_dtype = all(isinstance(x, Opaque) and x.type == "torch.dtype" for x in both)
        return is_dtype and len(one.observed) == len(one.expected)
    return True


def _is_seen_often(look: Look, fits: Iterable[Result]) -> bool:
    """Of a number or two, some factor makes the right ones out of any."""
    entries = [
        abs(x) for one in fits if (pair := _numbers(one)) is not None for x in pair[1].tolist()
    ]
    return len(set(entries)) > (3 if look is factor else 1) and len(entries) > 3


def _beside(seen: Sequence[Seen]) -> Iterator[Found]:
    """What checks show that do not look at the result."""
    for observer, pattern in BESIDE.items():
        cases = frozenset(
            i
            for i, one in enumerate(seen)
            if one.check.observe.__name__ == observer
            and one.is_wrong
            and not isinstance(one.observed, Raised)
            and _is_plain(observer, one)
        )
        if cases:
            yield Found(pattern, cases, True, 0.5)


@dataclass(frozen=True)
class Result:
    observed: Any
    expected: Any
    arguments: Sequence[Any]


@dataclass(frozen=True)
class Kind:
    """A pattern that fits, and what it would make of a right result, if that is known."""

    pattern: Pattern
    of: Callable[[Result], Any] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kind) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def denied_by(self, right: Result) -> bool:
        if self.of is None:
            return False
        try:
            return not agree.equal(self.of(right), right.expected)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return False


Look = Callable[[Result], Kind | None]


def _result(one: Seen) -> Result | None:
    """What came back and what should have, where this is what the check looks at."""
    if not is_of_the_result(one.check) or one.check.observe.__name__.startswith("grad"):
        return None
    observed, expected = one.observed, one.expected
    if one.check.observe.__name__ in WITH_MORE:
        expected = expected["result"]
        if isinstance(observed, (dict, Pairs)):
            observed = observed.get("result")
    observed, expected = _thinned(observed, expected)
    given = one.case.plain()
    return Result(observed, expected, [*given["args"], *given["kwargs"].values()])


def _look(look: Look, result: Result) -> Kind | None:
    try:
        return look(result)
    except Exception:  # as in `grade.judge`: whatever they returned, it is not this grader's end
        return None


def _thinned(observed: Any, expected: Any) -> tuple[Any, Any]:
    """Of large tensors every so many entries of the last dimension: a pattern shows in these."""
    if not isinstance(observed, torch.Tensor) or not isinstance(expected, torch.Tensor):
        return observed, expected
    step = -(-max(observed.numel(), expected.numel()) // LARGE)
    if step < 2 or not observed.ndim or not expected.ndim:
        return observed, expected
    return observed[..., ::step], expected[..., ::step]


BESIDE = {
    "arguments_after": Pattern(
        "an argument changed",
        "What it was given holds something else afterwards, and the caller may still need it. "
        "Which of your lines writes into it, and what would make a new value instead?",
    ),
    "gradients": Pattern(
        "a result cut off from the gradient",
        "`detach`, `item`, `tolist`, `torch.tensor(...)`, `no_grad` and a way through NumPy forget "
        "where numbers came from. Which of your steps leaves PyTorch?",
    ),
    "dtype": Pattern(
        "a result of another dtype",
        "The values may be right, but the caller gets another type of numbers than was asked for. "
        "Which of your steps makes it, and from what should it be taken?",
    ),
    "builds_graph": Pattern(
        "a gradient graph that nobody needs",
        "Every forward pass keeps what a backward pass would want, and here there is none. What "
        "tells PyTorch so?",
    ),
}


# --- Exceptions ----------------------------------------------------------------------------------

# What PyTorch and Python complain of: how it is said, and, where that says enough, its name.
COMPLAINTS: Sequence[tuple[str, Sequence[str], Pattern | None]] = (
    (
        "pair",
        ("torch.return_types",),
        Pattern(
            "values and indices taken for the values",
            "`max`, `min`, `sort` and `topk` along a dimension give two tensors, the values and "
            "where they are. Which of the two do you want, and how do you get at it?",
        ),
    ),
    (
        "none",
        ("'NoneType' object", "and 'NoneType'", "'NoneType' and"),
        Pattern(
            "None used as if it were a value",
            "A method that changes its object gives back None (`append`, `sort`, `update`), and so "
            "does a function without a `return`. Whose result do you go on with?",
        ),
    ),
    (
        "scalar",
        ("cannot be converted to Scalar", "only one element tensors", "only length-1 arrays",
         "only 0-dimensional arrays"),
        Pattern(
            "a tensor of several entries taken for one number",
            "`item`, `int` and `float` take a tensor of exactly one entry. How many has yours, for "
            "a batch, or for a longer input?",
        ),
    ),
    (
        "truth",
        ("truth value of a", "Boolean value of Tensor"),
        Pattern(
            "a whole tensor asked whether it is true",
            "`if`, `and` and `not` want one truth value, and a comparison of tensors gives many. "
            "Is `all`, `any`, `&` or a mask what you mean?",
        ),
    ),
    (
        "mean",
        ("mean(): could not infer", "mean(): input dtype"),
        Pattern(
            "the mean of truth values or integers",
            "PyTorch takes means of floats alone. What makes floats of the comparison's True and "
            "False?",
        ),
    ),
    ("call", ("is not callable",), None),
    (
        "argument",
        ("unexpected keyword argument", "positional argument", "invalid combination of"),
        None,
    ),
    ("leaf", ("leaf Variable", "in-place operation", "requires grad"), None),
    ("range", ("out of range", "out of bounds"), None),
    (
        "dtype",
        ("expected scalar type", "same dtype", "dtype", "scalar type", "expected m1 and m2",
         "data type"),
        None,
    ),
    ("device", ("same device", "device type"), None),
    (
        "shape",
        ("shape", "size", "must match", "dimension", "same number of dim", "expanded", "1D tensors",
         "broadcast"),
        None,
    ),
)  # fmt: skip


def complaint(raised: Raised) -> str | None:
    """What an exception is about, in a word of ours; None where it is none that we know."""
    for word, phrases, _ in COMPLAINTS:
        if any(phrase in raised.text for phrase in phrases):
            return word
    return None


def complains(result: Result) -> Kind | None:
    if isinstance(result.observed, Raised) and (word := complaint(result.observed)):
        pattern = next(pattern for name, _, pattern in COMPLAINTS if name == word)
        return Kind(pattern) if pattern is not None else None
    return None


# --- Nothing, or something else altogether -------------------------------------------------------


def no_return(result: Result) -> Kind | None:
    if result.observed is not None or result.expected is None:
        return None
    return Kind(
        Pattern(
            "a function without a `return`",
            "It gives back None, as every function does that comes to its end without a `return`. "
            "`print` shows a value to you, `return` hands it to the caller. Does every way through "
            "it end in one?",
        ),
        lambda right: None,
    )


def argument_returned(result: Result) -> Kind | None:
    for i, argument in enumerate(result.arguments):
        held = plain(argument)
        if isinstance(held, (torch.Tensor, list, dict, str)) and agree.equal(result.observed, held):
            return Kind(
                Pattern(
                    "an argument handed back as it came",
                    "What comes back is what went in. Is what you computed kept under the name "
                    "that you return?",
                ),
                lambda right, i=i: plain(right.arguments[i]),  # type: ignore[misc]
            )
    return None


def another_exception(result: Result) -> Kind | None:
    raised, expected = result.observed, result.expected
    if not isinstance(raised, Raised) or not isinstance(expected, str):
        return None
    if not expected.endswith(" raised") or expected.startswith("no "):
        return None
    wanted = expected.removesuffix(" raised")
    return Kind(
        Pattern(
            f"another exception than {wanted}",
            f"Callers catch an exception by its type, and the docstring promises them {wanted}. "
            f"Which of your lines raises, and is it on purpose?",
        )
    )


# --- The right values in another form ------------------------------------------------------------


def container(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not _holds(observed, expected):
        return None
    got, want = agree.type_name(observed), agree.type_name(expected)
    if got == want:  # what is in it is meant
        return Kind(
            Pattern(
                "the right values in another type",
                "What is asked for are numbers, bytes or text, and what comes back shows the same "
                "but is of another type. Where does it change?",
            )
        )
    return Kind(
        Pattern(
            f"the right values in {got}",
            f"The values are right, but {want} should come back. What makes one of what you have?",
        )
    )


def _holds(observed: Any, expected: Any) -> bool:
    """Does it hold what the expected value does, in another container?"""
    if isinstance(observed, Opaque):  # what it holds is not seen
        array = isinstance(expected, torch.Tensor) and observed.type == "numpy.ndarray"
        lazy = isinstance(expected, list) and observed.type in _LAZY
        return lazy or (array and observed.text == f"of shape {tuple(expected.shape)}")
    if isinstance(expected, Opaque):
        return bool(observed == expected.text)
    if isinstance(observed, (dict, Pairs)) and isinstance(expected, (list, tuple)):
        pairs = observed.items() if isinstance(observed, dict) else observed.items
        return _loosely([list(pair) for pair in pairs], list(expected))
    if isinstance(expected, dict) and isinstance(observed, (list, tuple)):
        return _loosely(observed, [list(pair) for pair in expected.items()])
    if isinstance(expected, torch.Tensor) and isinstance(observed, torch.Tensor):
        return observed.dtype != expected.dtype and torch.equal(
            observed.double() if not observed.is_complex() else observed, expected.double()
        )
    if isinstance(expected, torch.Tensor):
        return agree.spells(observed, expected)
    if isinstance(observed, torch.Tensor):
        return agree.spells(expected, observed)
    return _loosely(observed, expected) and not agree.equal(observed, expected)


def _loosely(one: Any, other: Any) -> bool:
    """The same but for how things are held: numbers as text, bytes as text, lists for tuples."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_loosely, one, other))
    if isinstance(one, Pairs) and isinstance(other, dict):
        one = one.of(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_loosely(one[key], other[key]) for key in other)
    if isinstance(one, bytes) and isinstance(other, str):
        return one == other.encode("utf-8", "surrogatepass")
    if isinstance(one, str) and isinstance(other, bytes):
        return one.encode("utf-8", "surrogatepass") == other
    if isinstance(one, str) and isinstance(other, (int, float)):
        return one == str(other)
    return agree.equal(one, other)


_LAZY = ("generator", "map", "filter", "zip", "dict_items", "dict_keys", "dict_values", "set")


def displayed(result: Result) -> Kind | None:
    if not _with_text(result, _as_displayed):
        return None
    return Kind(
        Pattern(
            "tokens as the vocabulary displays them",
            "In the vocabulary every byte has a character that can be printed, Ġ for a space. What "
            "makes the text of it that a reader sees?",
        )
    )


def stripped(result: Result) -> Kind | None:
    if not _with_text(result, str.strip):
        return None
    return Kind(
        Pattern(
            "text stripped of its spaces",
            "The space in front is a part of the token, and of no less weight than a letter. Which "
            "of your steps takes it away?",
        )
    )


def _with_text(result: Result, of: Callable[[str], str]) -> bool:
    """Is it what is expected, with this done to every text in it?"""

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return of(value)
        if isinstance(value, (list, tuple)):
            return type(value)(change(item) for item in value)
        if isinstance(value, dict):
            return {key: change(item) for key, item in value.items()}
        return value

    if not _has_text(result.expected):
        return False
    made = change(result.expected)
    return not agree.equal(made, result.expected) and agree.equal(result.observed, made)


def _has_text(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and any(map(_has_text, value[:3]))
    )


def _as_displayed(text: str) -> str:
    return "".join(map(STAND_INS.__getitem__, text.encode("utf-8", "surrogatepass")))


def first_of_several(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not isinstance(observed, (list, tuple)) or isinstance(expected, (list, tuple)):
        return None
    if not any(agree.equal(item, expected) for item in observed[:10]):
        return None
    return Kind(
        Pattern(
            "the answer among other things",
            "What is asked for is there, in a list or tuple with something else. What should come "
            "back, and nothing beside it?",
        )
    )


def one_of_several(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not isinstance(expected, tuple) or isinstance(observed, (list, tuple)):
        return None
    if not any(agree.equal(observed, item) for item in expected):
        return None
    return Kind(
        Pattern(
            "a part of the answer alone",
            "What comes back is right, but more is asked for. What else should be returned with "
            "it, and in which order?",
        )
    )


def another_shape(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not _both_tensors(result) or observed.shape == expected.shape:
        return None
    if observed.numel() != expected.numel() or not expected.numel():
        return None
    if not agree.equal(observed.flatten(), expected.flatten()):
        return None
    return Kind(
        Pattern(
            "the right entries in another shape",
            "All entries are there, in their order, but not in the dimensions asked for. Which of "
            "your steps adds a dimension, or drops or joins some?",
        )
    )


def transposed(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not _both_tensors(result) or not 2 <= expected.ndim <= 4:
        return None
    for a in range(expected.ndim):
        for b in range(a):
            if agree.equal(observed, expected.transpose(a, b)):
                return Kind(
                    Pattern(
                        "a transposed result",
                        "Every entry is right, with two dimensions exchanged. In which order does "
                        "the docstring name them?",
                    ),
                    lambda right, a=a, b=b: right.expected.transpose(a, b),  # type: ignore[misc]
                )
    return None


def one_row(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if not _both_tensors(result) or not expected.ndim or len(expected) < 2:
        return None
    rows = (expected[0], expected[:1], expected[-1], expected[-1:])
    if not any(agree.equal(observed, row) for row in rows):
        return None
    return Kind(
        Pattern(
            "one row for a whole batch",
            "The first dimension is the batch, and an entry of it is one sequence. Which of your "
            "steps picks a single one, and what happens to the others?",
        )
    )


def flattened(result: Result) -> Kind | None:
    if not _both_tensors(result) or not result.observed.ndim == 1 < result.expected.ndim:
        return None
    return Kind(
        Pattern(
            "a whole batch made one sequence",
            "The first dimension is the batch, and its rows should stay apart. Which of your steps "
            "joins them?",
        )
    )


def another_rank(result: Result) -> Kind | None:
    if not _both_tensors(result) or result.observed.ndim == result.expected.ndim:
        return None
    n = result.observed.ndim - result.expected.ndim
    if not result.observed.ndim:
        name = "one number where there should be one for each entry"
    else:
        name = f"{abs(n)} dimension{'s' * (abs(n) > 1)} too {'many' if n > 0 else 'few'}"
    return Kind(
        Pattern(
            name,
            "Compare the shape that comes back with the one in the docstring. Which step adds, "
            "drops or sums over a dimension, and which dimensions should it leave alone?",
        )
    )


# --- The right values, and something done to them ------------------------------------------------


def shifted(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    are_lists = isinstance(expected, (list, tuple)) and isinstance(observed, (list, tuple))
    if not _both_tensors(result) and not are_lists:
        return None
    words = difference.shift(observed, expected)
    if words is None:
        return None

    def denies(right: Result) -> Any:
        is_long = isinstance(right.expected, torch.Tensor) and right.expected.ndim == 0
        return right.expected if is_long or len(right.expected) < 2 else None

    return Kind(
        Pattern(
            "off by one: " + words[0].lower() + words[1:].rstrip("."),
            "Every entry is right, but for where it starts or ends. Which positions does your "
            "slice or range take, and which should it?",
        ),
        denies,
    )


def permuted(result: Result) -> Kind | None:
    observed, expected = result.observed, result.expected
    if isinstance(observed, (list, tuple)) and isinstance(expected, (list, tuple)):
        if not 2 <= len(expected) == len(observed) <= 60:
            return None
        left = list(expected)
        for item in observed:
            at = next((i for i, other in enumerate(left) if agree.equal(item, other)), None)
            if at is None:
                return None
            del left[at]
    elif _both_tensors(result) and observed.shape == expected.shape and expected.numel() > 2:
        if observed.is_floating_point() and not bool(observed.isfinite().all()):
            return None
        one, other = observed.flatten().sort().values, expected.flatten().sort().values
        if not agree.equal(one, other):
            return None
    else:
        return None
    return Kind(
        Pattern(
            "the right entries in another order",
            "Nothing is missing and nothing is too much; only the order is another. What decides "
            "it in your code, and what should?",
        )
    )


def some_missing(result: Result) -> Kind | None:
    if not _within(result.observed, result.expected):
        return None
    return Kind(
        Pattern(
            "some entries missing, and the others right",
            "What is there is right, in the right order. Which entries are left out, and by which "
            "condition or bound in your code?",
        )
    )


def some_too_many(result: Result) -> Kind | None:
    if not _within(result.expected, result.observed):
        return None
    return Kind(
        Pattern(
            "the right entries, and some that should not be there",
            "All that is asked for is there. Which entries are too many, and what lets them in?",
        )
    )


def _within(less: Any, more: Any) -> bool:
    """Are these some of those, in the same order?"""
    if isinstance(less, (dict, Pairs)) and isinstance(more, (dict, Pairs)):
        if isinstance(less, Pairs):
            if not isinstance(more, dict):
                return False
            less, n = less.of(more), len(less.items)
            if n != len(less):
                return False
        if isinstance(more, Pairs):
            more = more.of(less)
            return len(more) == len(less) and agree.equal(more, less)
        return 0 < len(less) < len(more) and all(
            key in more and agree.equal(value, more[key]) for key, value in less.items()
        )
    if isinstance(less, torch.Tensor) and isinstance(more, torch.Tensor):
        if less.ndim != more.ndim or not less.numel() or less.shape == more.shape:
            return False
        differ = [d for d, (a, b) in enumerate(zip(less.shape, more.shape, strict=True)) if a != b]
        if len(differ) != 1 or not less.shape[differ[0]] < more.shape[differ[0]] <= 500:
            return False
        less, more = list(less.unbind(differ[0])), list(more.unbind(differ[0]))
    if not isinstance(less, (list, tuple)) or not isinstance(more, (list, tuple)):
        return False
    if not 0 < len(less) < len(more) <= 500:
        return False
    rest = iter(more)
    return all(any(agree.equal(one, other) for other in rest) for one in less)


def factor(result: Result) -> Kind | None:
    pair = _numbers(result)
    if pair is None:
        return None
    observed, expected = pair
    counts = expected != 0
    if not bool(counts.any()) or bool((observed[~counts] != 0).any()):
        return None
    ratios = observed[counts] / expected[counts]
    ratio = ratios.mean().item()
    if abs(ratio) < 1e-6 or abs(ratio - 1) < NEARLY or not _constant(ratios, ratio):
        return None
    shown = f"{ratio:.4g}"
    says = "Every entry is as many times too large. Which factor do you leave out, or put in twice?"
    if abs(ratio + 1) < 1e-3:
        return Kind(
            Pattern(
                "the right result with the wrong sign",
                "Every entry is minus what it should be. A logarithm of a probability is negative: "
                "which sign should the result have?",
            ),
            lambda right: -1 * right.expected,
        )
    if abs(ratio - 1 / math.log(2)) < 1e-3 or abs(ratio - 1 / math.log(10)) < 1e-3:
        base = "2" if ratio > 1 else "10"
        says = (
            f"That is what a logarithm to base {base} makes of a natural one. Which is asked for?"
        )
    if abs(ratio - 100) < 1e-2:
        says = "That is per cent. A share, or a probability, goes from 0 to 1."
    return Kind(
        Pattern(f"the right result times {shown}", says), lambda right: right.expected * ratio
    )


def offset(result: Result) -> Kind | None:
    pair = _numbers(result)
    if pair is None:
        return None
    gaps = pair[0] - pair[1]
    gap = gaps.mean().item()
    if abs(gap) < NEARLY or not _constant(gaps, gap):
        return None
    if pair[1].numel() == 1 and abs(gap) != 1:  # of one number every other is so far off
        return None
    sign = "plus" if gap > 0 else "minus"
    return Kind(
        Pattern(
            f"the right result {sign} {abs(gap):.4g}",
            "Every entry is off by the same amount. What is added, or left out, for all of them "
            "alike?",
        ),
        lambda right: right.expected + gap,
    )


def nearly(result: Result) -> Kind | None:
    pair = _numbers(result)
    if pair is None or not _is_float(result.expected):
        return None
    observed, expected = pair
    if not bool(observed.isfinite().all() and expected.isfinite().all()):
        return None
    largest = expected.abs().max().item()
    if not largest or float((observed - expected).abs().max()) > NEARLY * largest:
        return None
    return Kind(
        Pattern(
            "nearly right, but not to the precision of its type",
            "Every entry is off by less than one in a hundred. A small number added or a bound "
            "(an epsilon, a clamp), rounding, or a narrower type in between does that: what is it "
            "for, and is it needed?",
        )
    )


def _is_float(value: Any) -> bool:
    return isinstance(value, float) or (
        isinstance(value, torch.Tensor) and value.is_floating_point()
    )


def _both_tensors(result: Result) -> bool:
    return isinstance(result.observed, torch.Tensor) and isinstance(result.expected, torch.Tensor)


def _numbers(result: Result) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Both as flat float64, where they are numbers of equal shape, or tables of such."""
    pair = []
    both = [result.observed, result.expected]
    if isinstance(both[1], dict):
        if isinstance(both[0], Pairs):
            both[0] = both[0].of(both[1])
        if not isinstance(both[0], dict) or both[0].keys() != both[1].keys():
            return None
        both = [[table[key] for key in both[1]] for table in both]
        if not all(isinstance(x, int) and abs(x) < 2**53 for table in both for x in table):
            return None
        both = [torch.tensor(table, dtype=torch.float64) for table in both]
    for value in both:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
            value = torch.tensor(value, dtype=torch.float64)
        if not isinstance(value, torch.Tensor) or value.is_complex() or value.dtype is torch.bool:
            return None
        pair.append(value)
    if pair[0].shape != pair[1].shape or not pair[0].numel():
        return None
    return pair[0].double().flatten(), pair[1].double().flatten()


def _constant(values: torch.Tensor, value: float) -> bool:
    return bool(((values - value).abs() <= 1e-3 * abs(value)).all())


# What can be done to any result.
FORMS: Sequence[Look] = (
    container, displayed, stripped, first_of_several, another_shape, transposed, one_row, permuted,
    factor, offset,
)  # fmt: skip
LOOKS = (
    no_return, complains, *FORMS, one_of_several, argument_returned, shifted, some_missing,
    some_too_many, nearly, another_exception, flattened, another_rank,
)  # fmt: skip
# What holds on the cases that show it, whatever is wrong with others.
CERTAIN = (no_return, complains, container, another_exception)
# What is said where nothing else is to be said.
AT_LAST = (flattened, another_rank)
