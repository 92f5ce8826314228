"""Where a lesson's files are: its checks and its solution."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.problem import Problem

if TYPE_CHECKING:
    from grader.exercise import Exercise
    from grader.fixtures import Fixtures


CHECKS = Path(__file__).parent / "checks"
RECORDED = Path(__file__).parent / "recorded"  # instead, in a kit that was handed out


def are_recorded() -> bool:
    return not CHECKS.is_dir()


def names() -> list[str]:
    """All lessons, in order."""
    files = RECORDED.glob("*.bin") if are_recorded() else CHECKS.glob("lesson*_*.py")
    return sorted(path.stem for path in files)


def named(said: Iterable[str]) -> list[str]:
    """The lessons that these are: names, or numbers. All of them where nothing is said.

    Raises:
        Problem: there is no such lesson.
    """
    found = set()
    for one in (name.strip() for several in said for name in several.split(",")):
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
    if are_recorded():
        from grader import recorded

        return recorded.exercises(lesson)
    from grader.exercise import Exercise

    checks = importlib.import_module(f"grader.checks.{lesson}")
    return [value for value in vars(checks).values() if isinstance(value, Exercise)]


def fixtures(reference: str = "auto", device: str = "auto") -> Fixtures:
    """What the checks are asked with. Raises `PublicOnly` where the answers that this kit has
    recorded are of another reference."""
    from grader.fixtures import Fixtures

    if are_recorded():
        from grader import recorded
        from grader.reference import use_only

        reference, device = recorded.settings(reference, device)
        use_only(device)
    return Fixtures(reference, device)


def solution(lesson: str) -> Any:
    """Its solved functions, by attributes."""
    if are_recorded():
        from grader import recorded

        return recorded.solution(lesson)
    return importlib.import_module(f"solutions.{lesson}")
