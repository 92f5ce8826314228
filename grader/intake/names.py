"""Names of files, as their authors gave them and as platforms change them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.lessons import mentioned

LONGEST = 255  # characters of one name; no file system has more
PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
READ = (".py", ".ipynb", *PACKED)
UNREADABLE = (".rar", ".7z", ".gz", ".docx", ".pdf")  # somebody's submission all the same
SUBMITTED = (*READ, *UNREADABLE)
IGNORED = {"__MACOSX", "__pycache__", "venv", "env", "node_modules", "site-packages"}

# What platforms put before the name that a student gave a file; `grader.intake.layouts` says whose.
CANVAS = re.compile(
    r"(?:(?P<name>.+?)_(?:LATE_)?(?P<id>\d+)|(?:LATE_)?(?P<anonymous>anon_[^\W_]+))"
    r"_(?:(?P<file>\d+)_(?P<rest>.+)|(?:text|link)\.html)"
)
MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)"
)
# And what browsers and Canvas put after one that they know already.
_COPY = re.compile(r"(?:[-_ ]*\(\d+\)|-\d+| - Copy| copy)+$")
# What browsers and mail programs make of a name that ends in .py or .ipynb.
_ALSO = re.compile(r"(.*\.(?:py|ipynb))(?:\.(?:txt|json))?((?: ?\(\d+\)| - Copy| copy)*)", re.I)


def given_name(name: str) -> str:
    """A file's name as its author gave it, where a platform put theirs in front."""
    found = MOODLE.fullmatch(name) or CANVAS.fullmatch(name)
    return (found and found["rest"]) or name


def bare(stem: str) -> str:
    return (_COPY.sub("", stem).strip() or stem) if len(stem) <= LONGEST else stem


def proper(name: str) -> str:
    """With the suffix that says what it is at the end: `x (1).py` for `x.py.txt (1)`."""
    found = _ALSO.fullmatch(name) if len(name) <= LONGEST else None
    if found is None or found[0] == found[1]:
        return name
    stem, _, suffix = found[1].rpartition(".")
    return f"{stem}{found[2]}.{suffix}"


def suffix_of(name: str, known: Sequence[str], lessons: Sequence[str]) -> str:
    """The one of these that says what a file is; else empty. It is .txt, too, where the name is
    that of a lesson: somebody has pasted it there."""
    low = proper(name).lower()
    if found := next((one for one in known if low.endswith(one)), ""):
        return found
    return ".txt" if low.endswith(".txt") and mentioned(low, lessons) else ""


def ignored(name: str) -> bool:
    return name in IGNORED or (name.startswith(".") and name != "..")
