"""Students by the names that people type."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from grader.gradebook.opening import Unusable


class NoSuchStudent(Unusable):
    """One clear line, with whom may be meant."""


def is_like_one(name: str, students: Sequence[str]) -> bool:
    """Is it one of theirs, mistyped or cut short?"""
    within = any(name.casefold() in student.casefold() for student in students)
    return within or bool(get_close_matches(name, students, n=1, cutoff=0.8))


def whom(name: str, students: Sequence[str]) -> str:
    """That there is no such student, and who may be meant."""
    within = [student for student in students if name.casefold() in student.casefold()]
    close = (within or get_close_matches(name, students, n=3, cutoff=0.4))[:3]
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"there is no student {name!r}.{meant}"
