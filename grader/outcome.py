"""What may come of a check, by name."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Outcome(str, Enum):
    PASSED = "passed"
    WRONG = "wrong"  # it ran, and what it did is not what it should do
    TODO = "todo"  # the stub still raises NotImplementedError
    ERROR = "error"  # it raised
    # In the sandbox only:
    TIMEOUT = "timeout"
    MEMORY = "memory"
    BLOCKED = "blocked"  # it asked for something that is not allowed there


# An exercise has the outcome of its worst check.
WORST = ("blocked", "memory", "timeout", "error", "wrong", "todo", "passed")


def worst(outcomes: Iterable[str]) -> str:
    """Of none it is `todo`."""
    return min(outcomes, key=WORST.index, default="todo")
