"""Record a lesson: what a kit needs of it that is handed out without solutions, as
`grader.verdict.recorded` reads it.

No code, no case but the public ones, no seed: data, and the words that a student may come to read.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable
from typing import Any

import msgpack
from torch import Tensor

from grader.inside import wire
from grader.inside.fixtures import Fixtures
from grader.inside.plain import sampled
from grader.verdict import explain, load, recorded
from grader.verdict.exercise import PUBLIC_SEED, Case, Check, Exercise
from grader.verdict.grade import observation, questions

LARGE = 20_000  # bytes of an argument that is recorded once, however many cases take it


def lesson(name: str, fixtures: Fixtures, report: Callable[[str], None]) -> bytes:
    """`report` is told which exercise is at work."""
    solutions = load.solution(name)
    large: dict[bytes, int] = {}
    exercises = []
    for exercise in load.exercises(name):
        report(f"{name}: {exercise.name}")
        solution = getattr(solutions, exercise.name)
        exercises.append(_exercise(exercise, solution, fixtures, large))
    packed: bytes = msgpack.packb({"large": list(large), "exercises": exercises})
    return zlib.compress(packed, 9)


def _exercise(
    exercise: Exercise, solution: Any, fixtures: Fixtures, large: dict[bytes, int]
) -> dict[str, Any]:
    asked = {
        check.name: [
            question
            for question in questions(check, solution, [PUBLIC_SEED], fixtures)
            if not _is_elsewhere(question.case)
        ]
        for check in exercise.checks
    }
    expected = {
        check: [wire.encode(question.expected) for question in made]
        for check, made in asked.items()
    }
    return {
        "name": exercise.name,
        "hints": list(exercise.hints),
        "forbids": [list(exercise.forbids.torch), list(exercise.forbids.methods)],
        "parameters": [
            [p.name, int(p.kind), p.default is not p.empty]
            for p in inspect.signature(solution).parameters.values()
        ],
        "checks": [
            {
                "name": check.name,
                "says": check.says,
                "points": check.points,
                "observe": check.observe.__name__,
                "agree": check.agree.__name__,
                "of_tokens": check.of_tokens,
                "needs": check.needs,
                "cases": [_case(check, q.case, fixtures, large) for q in asked[check.name]],
                "expected": expected[check.name],
            }
            for check in exercise.checks
        ],
        "misconceptions": [
            {
                "name": known.implementation.__name__,
                "says": inspect.getdoc(known.implementation),
                "seen": {
                    check.name: [
                        _seen(check, observation(check, known.implementation, q.case), q.expected)
                        for q in asked[check.name]
                    ]
                    for check in exercise.checks
                },
            }
            for known in exercise.misconceptions
        ],
    }


def _is_elsewhere(case: Case) -> bool:
    """A case for an accelerator, which the other machine may lack."""
    given = case.plain()
    arguments = [*given["args"], *given["kwargs"].values()]
    return any(isinstance(x, Tensor) and x.device.type != recorded.DEVICE for x in arguments)


def _case(check: Check, case: Case, fixtures: Fixtures, large: dict[bytes, int]) -> bytes:
    def live(value: Any) -> str | None:
        if not isinstance(value, Tensor):
            return fixtures.name_of(value)
        if value.nbytes < LARGE:
            return None
        if "reference" in check.needs and (
            table := recorded.is_table(value, fixtures("reference"))
        ):
            return table
        return f"large {large.setdefault(wire.encode(value), len(large))}"

    return wire.encode(case.plain(), live)


def _seen(check: Check, observed: Any, expected: Any) -> bytes | None:
    """None: what the solution does."""
    if not explain.is_wrong(check, observed, expected):
        return None
    return wire.encode(sampled(observed))
