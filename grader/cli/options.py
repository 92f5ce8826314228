"""What several of an instructor's commands take."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from grader.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console


class Isolation(str, Enum):
    bubblewrap = "bubblewrap"
    none = "none"


def must_not_be(to: Path | None, *read: Path | None) -> None:
    """What is written may not take the place of what it is made of."""
    if to is not None and to.resolve() in [path.resolve() for path in read if path is not None]:
        raise Problem(f"--to {to} would replace what it is made of. Name another file.")


def secret_of(path: Path) -> str:
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise Problem(f"--hidden-seed-file: {path} cannot be read ({problem}).") from None
    if not secret:
        raise Problem(f"--hidden-seed-file: {path} is empty. Write a secret line into it.")
    return secret


def terminal(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)
