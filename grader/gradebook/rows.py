"""What goes into a gradebook, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Result:
    """What came of one check of one exercise."""

    exercise: str
    check: str
    outcome: str  # one of OUTCOMES
    points: int
    max_points: int
    misconception: str = ""  # its name
    feedback: str = ""  # many lines; may hold any text that a student's code made up
    seconds: float = 0.0


@dataclass(frozen=True)
class Conditions:
    """Under which a run grades."""

    kit_version: str
    reference: str
    reference_fingerprint: str
    device: str
    case_seeds: tuple[str, ...]
    isolation: str  # "none", or what isolates
    timeout: float
    versions: str = ""  # of what computes: torch 2.13.0, transformers ...; empty: unknown


class Row(NamedTuple):
    """A current result."""

    student: str
    lesson: str
    exercise: str
    check: str
    outcome: str
    points: int
    max_points: int
    misconception: str
    feedback: str
    seconds: float


class Grading(NamedTuple):
    student: str
    lesson: str
    is_current: bool
    graded: str  # when
    points: int
    max_points: int
    printed: str
    remarks: str  # a line each
    reference: str
    device: str
    isolation: str


class HandedIn(NamedTuple):
    id: int
    student: str
    digest: str
    origin: str
    counts: bool
    remarks: str  # a line each
    refused: str
    is_of_last_run: bool  # of those that came to an end
    submitted: str = ""  # ISO 8601 in UTC; empty where it is unknown
    submitted_by: str = ""  # whose word that is
