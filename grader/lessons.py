"""Which lessons there are, what people call them, and where their files lie."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from grader.problem import Problem

KIT = Path(__file__).parent.parent
EXERCISES, SOLUTIONS = KIT / "exercises", KIT / "solutions"
CHECKS = KIT / "grader" / "checks"
RECORDED = KIT / "grader" / "recorded"  # instead of these two, in a kit that was handed out


def are_recorded() -> bool:
    return not CHECKS.is_dir()


def names() -> list[str]:
    """All lessons, in order."""
    if are_recorded():
        found = [path.stem for path in RECORDED.glob("*.bin")]
    else:
        found = [path.parent.name for path in CHECKS.glob("lesson[0-9]*_*/__init__.py")]
    return sorted(found, key=lambda lesson: (number(lesson), lesson))


def number(lesson: str) -> int:
    """12 of `lesson12_name`."""
    return int(re.sub(r"lesson(\d+).*", r"\1", lesson))


def named(said: Iterable[str]) -> list[str]:
    """The lessons that these are: names, or numbers. All of them where nothing is said.

    Raises:
        Problem: there is no such lesson.
    """
    found = set()
    for one in (name.strip() for several in said for name in several.split(",")):
        by_number = re.fullmatch(r"(?:lesson)?_?0*(\d+)", one)
        fitting = [
            name
            for name in names()
            if name == one or (by_number and name.startswith(f"lesson{by_number[1]}_"))
        ]
        if not fitting:
            raise Problem(f"There is no lesson {one!r}. There are {', '.join(names())}.")
        found.update(fitting)
    return [name for name in names() if name in found] or names()


@cache
def mention(lesson: str) -> re.Pattern[str]:
    """A lesson's name or number, as people write it."""
    found = re.fullmatch(r"lesson0*(\d+)_(\w+)", lesson)
    if not found:
        return re.compile(re.escape(lesson), re.IGNORECASE)
    title = re.escape(found[2]).replace("_", "[-_ ]*")
    return re.compile(rf"lesson[-_ ]*0*{found[1]}(?!\d)(?:[-_ ]*{title})?", re.IGNORECASE)


def mentioned(stem: str, lessons: Iterable[str]) -> str | None:
    """The one lesson that a name speaks of."""
    found = [lesson for lesson in lessons if mention(lesson).search(stem)]
    return found[0] if len(found) == 1 else None


@cache
def exercise_names(lesson: str) -> tuple[str, ...]:
    """Of a lesson with checks, as they are written in its solution (in `exercises/` a student may
    be in the middle of a line). Nothing is imported for it."""
    try:
        body = ast.parse((SOLUTIONS / f"{lesson}.py").read_bytes()).body
    except OSError:
        return ()
    defined = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return tuple(name for name in defined if (CHECKS / lesson / f"{name}.py").is_file())
