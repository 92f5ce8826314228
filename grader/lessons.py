"""Where a lesson's files are: its checks and its solution."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from grader.problem import Problem

if TYPE_CHECKING:
    from grader.exercise import Exercise


CHECKS = Path(__file__).parent / "checks"


def names() -> list[str]:
    """All lessons, in order."""
    return sorted(path.stem for path in CHECKS.glob("lesson*_*.py"))


def named(said: Iterable[str]) -> list[str]:
    """The lessons that these are: names, or numbers. All of them where nothing is said.

    Raises:
        Problem: there is no such lesson.
    """
    found = set()
    for one in said:
        number = re.fullmatch(r"(?:lesson)?_?0*(\d+)", one)
        fitting = [
            name
            for name in names()
            if name == one or (number and name.startswith(f"lesson{number[1]}_"))
        ]
        if not fitting:
            raise Problem(f"There is no lesson {one!r}. There are {', '.join(names())}.")
        found.update(fitting)
    return sorted(found) or names()


def exercises(lesson: str) -> list[Exercise]:
    """A lesson's exercises, in the order of `grader/checks/LESSON.py`."""
    from grader.exercise import Exercise

    checks = importlib.import_module(f"grader.checks.{lesson}")
    return [value for value in vars(checks).values() if isinstance(value, Exercise)]


def solution(lesson: str) -> ModuleType:
    return importlib.import_module(f"solutions.{lesson}")
