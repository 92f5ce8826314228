"""Which misconception an answer is: the one that does the same on every case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from grader import agree
from grader.check import Case, Check, Exercise, Misconception
from grader.grade import observation
from grader.run import Raised


def misconception(
    exercise: Exercise,
    cases: Iterable[tuple[Check, Case]],
    observe: Callable[[Check, Case], Any],
    observe_known: Callable[[Misconception, Check, Case], Any] = lambda known, check, case: (
        observation(check, known.implementation, case)
    ),
) -> Misconception | None:
    """The one misconception that does the same as an implementation on every case, of an
    implementation that is known to be wrong. The case that it failed should come first: there most
    misconceptions part with it, and no other need be run."""
    left = exercise.misconceptions
    for check, case in cases:
        if not left:
            return None
        observed = observe(check, case)
        left = [m for m in left if _same(observed, observe_known(m, check, case))]
    return left[0] if len(left) == 1 else None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Raised) or isinstance(other, Raised):
        return isinstance(one, Raised) and isinstance(other, Raised) and one.kind == other.kind
    try:
        return agree.values(one, other) is None
    except Exception:  # as in `grade.judge`: whatever they returned, it is not this grader's end
        return False
