"""What `grader grade` is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.classroom.isolation import Bubblewrap
    from grader.inside.confine import Limits
    from grader.intake.classes import Class


@dataclass(frozen=True)
class Order:
    folder: Path
    lessons: Sequence[str]
    gradebook: Path
    jobs: int
    hidden_seeds: Sequence[str]
    reference: str
    device: str
    limits: Limits
    regrade: bool
    walls: Bubblewrap | None
    secrets: Sequence[Path] = ()
    found: Class | None = None  # who handed in what, where somebody knows already
