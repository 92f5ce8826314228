"""Which misconception an answer is: the one that does the same on every case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from grader.inside.run import Raised
from grader.verdict import agree
from grader.verdict.exercise import Case, Check, Exercise, Misconception
from grader.verdict.grade import observation


def misconception(
    exercise: Exercise,
    cases: Iterable[tuple[Check, Case]],
    observe: Callable[[Check, Case], Any],
    observe_known: Callable[[Misconception, Check, Case], Any] = lambda known, check, case: (
        observation(check, known.implementation, case)
    ),
) -> Misconception | None:
    """The one misconception that does the same as an implementation on every case, of an
    implementation that is known to be wrong. The case that it failed must come first: there most
    misconceptions part with it, and no other need be run. If it raised there, it has to raise the
    very same words everywhere: nothing else may be wrong with it."""
    left = exercise.misconceptions
    to_the_word = False
    for i, (check, case) in enumerate(cases):
        if not left:
            return None
        observed = observe(check, case)
        to_the_word |= i == 0 and isinstance(observed, Raised)
        left = [m for m in left if _same(observed, observe_known(m, check, case), to_the_word)]
    return left[0] if len(left) == 1 else None


def _same(one: Any, other: Any, to_the_word: bool) -> bool:
    if isinstance(one, Raised) and isinstance(other, Raised):
        return _said(one) == _said(other) if to_the_word else one.kind == other.kind
    if isinstance(one, Raised) or isinstance(other, Raised):
        return False
    try:
        return agree.values(one, other) is None
    except Exception:  # as in `grade.judge`: whatever they returned, it is not this grader's end
        return False


def _said(raised: Raised) -> str:
    """Which of several indices out of bounds is met first depends on threads."""
    return re.sub(r"\bindex -?\d+", "index", raised.text)
