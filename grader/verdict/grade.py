"""Hold what an implementation does against what it should do, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.inside import forbidden, run
from grader.inside.forbidden import Call
from grader.inside.run import Raised
from grader.outcome import Outcome
from grader.verdict import agree
from grader.verdict.exercise import Case, Check
from grader.verdict.recorded import Recorded


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    difference: str = ""  # where the observation departs from the expected one
    case: Case | None = None  # the smallest case that failed
    observed: Any = None
    expected: Any = None
    raised: Raised | None = None
    call: Call | None = None  # one that the exercise forbids
    remark: str = ""  # on a near-miss of type that passes


@dataclass(frozen=True)
class Question:
    """A case, and what the solution does on it."""

    case: Case
    expected: Any


def questions(
    check: Check,
    solution: Callable[..., Any],
    seeds: Iterable[int | str],
    fixture: Callable[[str], Any],
) -> Iterator[Question]:
    """Each seed's cases, smallest first."""
    for seed in seeds:
        with run.clean_state():
            cases = check.cases(seed, fixture)
        for case in cases:
            expected = observation(check, solution, case)
            if isinstance(expected, Raised):
                assert expected.exception is not None
                raise expected.exception  # the kit's fault, never a verdict on a student
            yield Question(case, expected)


def observation(check: Check, implementation: Callable[..., Any], case: Case) -> Any:
    """Of the kit's own implementations, in this process: plain data, or `Raised`."""
    if isinstance(implementation, Recorded):
        return implementation.observation(case)
    args, kwargs = case.arguments()
    return run.observation(check.observe, implementation, args, kwargs)


def grade(
    check: Check,
    implementation: Callable[..., Any],
    questions: Iterable[Question],
    source: str | None = None,
    folder: Path | None = None,
) -> Verdict:
    """The verdict on an implementation, run in this process. In `source`, of the whole file, and at
    each call it is seen whether the implementation calls what the exercise forbids."""
    if run.is_untouched(implementation):
        return Verdict(Outcome.TODO)  # before any case is made: that may take the reference
    if check.forbids and source is not None:
        call = forbidden.in_source(source, check.exercise, check.forbids)
        if call is not None:
            return Verdict(Outcome.WRONG, call=call)

    def observed() -> Iterator[tuple[Question, Any]]:
        for question in questions:
            args, kwargs = question.case.arguments()
            yield (
                question,
                run.observation(check.observe, implementation, args, kwargs, check.forbids, folder),
            )

    return verdict(check, observed())


def verdict(check: Check, observed: Iterable[tuple[Question, Any]]) -> Verdict:
    """The verdict on the first question that does not pass; none after it is asked for."""
    remark = ""
    for question, seen in observed:
        found = judge(check, question, seen)
        if found.outcome is not Outcome.PASSED:
            return found
        remark = remark or found.remark
    return Verdict(Outcome.PASSED, remark=remark)


def judge(check: Check, question: Question, observed: Any) -> Verdict:
    case, expected = question.case, question.expected
    if observed is expected:  # what came back from the sandbox was the same to the byte
        return Verdict(Outcome.PASSED)
    if isinstance(observed, Call):
        return Verdict(Outcome.WRONG, call=observed)
    if isinstance(observed, Raised):
        if observed.is_todo:
            return Verdict(Outcome.TODO)
        return Verdict(Outcome.ERROR, case=case, expected=expected, raised=observed)
    if different := difference(check, observed, expected):
        return Verdict(Outcome.WRONG, different, case, observed, expected)
    return Verdict(Outcome.PASSED, remark=agree.remark(observed, expected) or "")


def difference(check: Check, observed: Any, expected: Any) -> str | None:
    """Where what came back departs from what is right; None where it agrees."""
    try:
        return check.agree(observed, expected)
    except Exception as fault:  # whatever they returned, it is not this grader's end
        return f"What came back cannot be compared ({type(fault).__name__})."
