"""Text as a gradebook keeps it: bounded and, sources aside, free of control characters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

NAME = 200  # characters of a name or remark
REMARKS = 100
FEEDBACK = 20_000  # of one check
PRINTED = 100_000  # of one grading
SOURCE = 1_000_000  # of one file


class _Visible(dict[int, str]):
    """For str.translate: whatever cannot be printed, as Python writes it."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        printable = character.isprintable() or character in "\n\t"
        self[code] = character if printable else repr(character)[1:-1]
        return self[code]


_VISIBLE = _Visible()


def bounded(text: str, limit: int = FEEDBACK) -> str:
    """Bounded, of lines, and harmless."""
    if len(text) <= limit and text.isprintable():
        return text
    kept = text[:limit].replace("\r\n", "\n").translate(_VISIBLE)
    if len(text) <= limit and len(kept) <= limit:
        return kept
    return f"{kept[:limit]}\n... ({len(text):,} characters in all)"


def line(text: str, limit: int = NAME) -> str:
    return bounded(text, limit).replace("\n", "\\n").replace("\t", "\\t")


def lines(remarks: Iterable[str]) -> str:
    return "\n".join([line(remark, 5 * NAME) for remark in remarks][:REMARKS])


def name_of(student: str) -> str:
    """Long names that begin alike remain different."""
    if len(student) <= NAME and student.isprintable():
        return student
    shown = student[:NAME].translate(_VISIBLE).replace("\n", "\\n").replace("\t", "\\t")
    if len(student) > NAME or len(shown) > NAME:
        mark = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        shown = f"{shown[: NAME - 20]}...{mark}"
    return shown


def source_of(text: str) -> str:
    return text[:SOURCE].encode("utf-8", "backslashreplace").decode()
