"""Hints, one at a time. Which have been shown is kept in `.grader/hints.json` where they were asked
for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from grader import lessons

if TYPE_CHECKING:
    from grader.verdict.exercise import Exercise

SHOWN = Path(".grader", "hints.json")


def find(name: str) -> Exercise | None:
    """The exercise of this name, in whichever lesson it is."""
    from grader.verdict import load

    everything = (e for lesson in lessons.names() for e in load.exercises(lesson))
    return next((exercise for exercise in everything if exercise.name == name), None)


def names() -> list[str]:
    from grader.verdict import load

    return [e.name for lesson in lessons.names() for e in load.exercises(lesson)]


def next_one(exercise: Exercise, again: bool = False) -> int:
    """The number, from 1, of the hint to show: the one after the last shown, until there is none
    left. With `again`, the first."""
    return 1 if again else min(_shown().get(exercise.name, 0) + 1, len(exercise.hints))


def remember(exercise: Exercise, number: int) -> None:
    """Raises OSError where it cannot be written down."""
    SHOWN.parent.mkdir(exist_ok=True)
    written = SHOWN.with_suffix(".tmp")
    written.write_text(json.dumps({**_shown(), exercise.name: number}, indent=1))
    written.replace(SHOWN)


def _shown() -> dict[str, int]:
    try:
        read = json.loads(SHOWN.read_text())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in read.items() if isinstance(v, int)} if isinstance(read, dict) else {}
