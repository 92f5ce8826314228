"""Names as they are shown, and what is said of what cannot be read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from grader.problem import Problem

MB = 1_000_000
MEMBERS = 10_000  # files and folders
NAME = 4_096  # characters of a path in an archive
REMARKS = 40

LINK = "a symbolic link, and none is followed. Hand in the file itself."


class Refused(Problem):
    """Why a submission cannot be read: one clear line, with what to do."""


class Spent(Refused):
    """A limit of the whole submission, not of one file."""


def clean(text: str) -> str:
    """A name that can be printed and stored: no control characters, no broken Unicode. Names that
    look different stay different."""
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode()
        for c in unicodedata.normalize("NFC", text)
    )


def few(remarks: Sequence[str]) -> tuple[str, ...]:
    more = len(remarks) - REMARKS
    return (*remarks[:REMARKS], *([f"And {more} more remarks."] if more > 0 else []))


def shown(place: tuple[str, ...]) -> str:
    text = clean("/".join(place))
    return text if len(text) <= 120 else f"{text[:60]}...{text[-57:]}"


def listing(names: Iterable[object]) -> str:
    shown = [str(name) for name in names]
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def unopened(problem: OSError) -> str:
    return f"cannot be opened ({problem.strerror or type(problem).__name__}). Hand it in again."


def broken(problem: Exception) -> str:
    return f"broken, or not what its name says ({type(problem).__name__}). Make it anew."


def too_many() -> str:
    return f"more than {MEMBERS:,} files. Hand in your lessons alone."
