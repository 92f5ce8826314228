"""Exercises whose answers were recorded when the kit was made (`grader.handout.record`): what a kit
has that was handed out without solutions, checks and misconceptions.

Each case comes with what the solution does on it, and each misconception with what it does on all
of them. Of an observation that holds a large tensor a misconception has a `Sample`.

A file, one for each lesson, is zlib-compressed msgpack. What is compared in it are frames of
`grader.inside.wire`; reading one runs nothing.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import msgpack
import torch

from grader import lessons
from grader.inside import observe, wire
from grader.inside.forbidden import Forbidden
from grader.problem import Problem
from grader.verdict import agree
from grader.verdict.draw import Draw
from grader.verdict.exercise import PUBLIC_SEED, Case, Check, Exercise, Misconception

REFERENCE, DEVICE = "gpt2-tiny", "cpu"  # what is recorded
TABLES = ("W_E", "W_U", "W_pos", "b_U")  # of the reference: not recorded, where a case takes one


class PublicOnly(Problem):
    """This kit has recorded answers, and something else was asked for."""


def settings(reference: str, device: str) -> tuple[str, str]:
    """The ones that hold in this kit. Raises `PublicOnly`."""
    if reference not in ("auto", REFERENCE) or device not in ("auto", DEVICE):
        raise PublicOnly(
            f"This kit's answers were recorded with {REFERENCE} on the CPU. Leave out --reference "
            "and --device."
        )
    return REFERENCE, DEVICE


class RecordedCase(Case):
    check: str
    number: int


class Recorded:
    """Stands for an implementation: what it did on each case."""

    def __init__(self, name: str, doc: str, seen: dict[str, list[bytes]]) -> None:
        self.__name__, self.__doc__, self._seen = name, doc, seen

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.__name__} is recorded; it can be looked at, but not run")

    def observation(self, case: Case) -> Any:
        assert isinstance(case, RecordedCase), "a case of no recorded check"
        return wire.decode(self._seen[case.check][case.number], _nothing)


def _nothing(name: str) -> Any:
    raise KeyError(name)  # an observation holds nothing live


def exercises(lesson: str) -> list[Exercise]:
    return [exercise for exercise, _ in _lesson(lesson)]


def solution(lesson: str) -> Any:
    """As the module of solutions, by attributes."""
    return SimpleNamespace(**{exercise.name: solved for exercise, solved in _lesson(lesson)})


@cache
def _lesson(lesson: str) -> list[tuple[Exercise, Recorded]]:
    read = msgpack.unpackb(zlib.decompress((lessons.RECORDED / f"{lesson}.bin").read_bytes()))
    return [_exercise(given, read["large"]) for given in read["exercises"]]


def _exercise(given: dict[str, Any], large: Sequence[bytes]) -> tuple[Exercise, Recorded]:
    name, forbids = given["name"], Forbidden(*map(tuple, given["forbids"]))
    solved = Recorded(name, "", {check["name"]: check["expected"] for check in given["checks"]})
    solved.__signature__ = _signature(given["parameters"])  # type: ignore[attr-defined]
    exercise = Exercise(name, tuple(given["hints"]), forbids)
    for check in given["checks"]:
        seen_by, agrees = observe.named(check["observe"]), agree.named(check["agree"])
        exercise.checks.append(
            Check(
                name, check["points"], _maker(check, large), seen_by, agrees, check["of_tokens"],
                forbids,
            )
        )  # fmt: skip
    for known in given["misconceptions"]:
        seen = {
            check["name"]: [
                frame or right
                for frame, right in zip(
                    known["seen"][check["name"]], check["expected"], strict=True
                )
            ]
            for check in given["checks"]
        }
        recorded = Recorded(known["name"], known["says"], seen)
        exercise.misconceptions.append(Misconception(name, recorded))
    return exercise, solved


def _signature(parameters: list[tuple[str, int, bool]]) -> inspect.Signature:
    kinds = list(inspect._ParameterKind)
    return inspect.Signature(
        [
            inspect.Parameter(name, kinds[kind], default=None if optional else inspect._empty)
            for name, kind, optional in parameters
        ]
    )


def _maker(check: dict[str, Any], large: Sequence[bytes]) -> Callable[..., list[Case]]:
    """As the function that makes a check's cases."""

    def make_cases(draw: Draw, **fixtures: Any) -> list[Case]:
        if not draw.seed.startswith(f"{PUBLIC_SEED}:"):
            raise PublicOnly("This kit has the public cases only. Leave out --case-seed.")

        def live(name: str) -> Any:
            kind, _, which = name.partition(" ")
            if kind == "large":
                return wire.decode(large[int(which)], _nothing)
            if kind == "table":
                table, rows = which.split()
                return getattr(fixtures["reference"], table)[: int(rows)].detach()
            return attrgetter(name)(SimpleNamespace(**fixtures))

        cases = []
        for number, frame in enumerate(check["cases"]):
            arguments = wire.decode(frame, live)
            case = RecordedCase(*arguments["args"], **arguments["kwargs"])
            case.check, case.number = check["name"], number
            cases.append(case)
        return list(cases)

    make_cases.__name__, make_cases.__doc__ = check["name"], check["says"]
    names = ["draw", *check["needs"]]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    make_cases.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in names]
    )
    return make_cases


def is_table(tensor: torch.Tensor, reference: Any) -> str | None:
    """What `live` above calls it, if it is one of the reference's tables, or the first rows."""
    for name in TABLES:
        table = getattr(reference, name)
        if tensor.shape[1:] == table.shape[1:] and tensor.dtype == table.dtype:
            rows = len(tensor)
            if rows <= len(table) and torch.equal(tensor, table[:rows]):
                return f"table {name} {rows}"
    return None
