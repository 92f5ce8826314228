"""When the points of a check count.

Some checks pass for an answer that does nothing: `return None` leaves its arguments alone, `x * 0`
keeps their dtype, and `return ""` is right wherever nothing is to be found. So no point of an
exercise counts before the answer has got results right, in whichever of its checks, that are more
than an argument handed back, and more than the same number, word or empty thing every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from grader.inside.plain import plain
from grader.verdict import agree
from grader.verdict.exercise import Case, Check
from grader.verdict.grade import Question

_BESIDE_THE_RESULT = ("dtype", "device", "arguments_after", "builds_graph")
WITH_MORE = ("result_and_work", "result_and_identity")


def is_of_the_result(check: Check) -> bool:
    """Does it look at the value that comes back?"""
    return check.observe.__name__ not in _BESIDE_THE_RESULT


class Right:
    """What an answer has got right of one exercise."""

    def __init__(self) -> None:
        self._first: list[Any] = []  # one of the results
        self._is_more = False  # than a constant
        self._handed_back: set[int | str] | None = None  # arguments that all results are equal to

    @property
    def counts(self) -> bool:
        return self._is_more and not self._handed_back

    def add(self, check: Check, questions: Iterable[Question]) -> None:
        """A check that passed."""
        if not is_of_the_result(check):
            return
        for question in questions:
            if self.counts:
                return
            result = question.expected
            if check.observe.__name__ in WITH_MORE:
                result = result["result"]
            self._first = self._first or [result]
            if says_something(result) or agree.values(result, self._first[0]) is not None:
                self._is_more = True
            given = _arguments(question.case)
            names = given if self._handed_back is None else self._handed_back
            same = {n for n in names if agree.values(plain(given.get(n)), result) is None}
            self._handed_back = same


def says_something(result: Any) -> bool:
    """Can nobody come by it without having looked at the case?"""
    if isinstance(result, torch.Tensor) and result.numel() == 1 and not result.is_complex():
        return says_something(result.item())
    if isinstance(result, torch.Tensor):
        return result.numel() > 1 and bool((result != result.flatten()[0]).any())
    if isinstance(result, float):  # 0, 1, 2.5 or inf are said soon
        return math.isfinite(result) and not (4 * result).is_integer() and abs(result) > 1e-6
    if isinstance(result, dict):
        return bool(result)
    if isinstance(result, (list, tuple)):
        return any(not isinstance(x, torch.Tensor) or says_something(x) for x in result)
    return False


def _arguments(case: Case) -> dict[int | str, Any]:
    given = case.plain()
    return {**dict(enumerate(given["args"])), **given["kwargs"]}
