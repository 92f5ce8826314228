"""Who handed in what: a folder of submissions, as people make it or as a platform exports it.

What the exports look like is taken from the code that writes them: Canvas (instructure/canvas-lms,
lib/content_zipper.rb), Moodle (moodle/moodle, mod/assign/classes/downloader.php) and GitHub
Classroom (github/gh-classroom, clone student-repos). Gradescope's `submission_metadata.yml` is
known from programs that read it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from grader.intake.files import walk
from grader.intake.layouts import (
    CANVAS_LATE,
    FILE_TIME,
    LAYOUTS,
    PLAIN,
    UNKNOWN,
    Item,
    is_folder,
    layout_of,
    plain,
)
from grader.intake.names import SUBMITTED, bare, ignored, suffix_of
from grader.intake.words import Refused, clean, few
from grader.lessons import names

OLDEST = datetime(2019, 2, 14, tzinfo=timezone.utc)  # of a file's time: when GPT-2 was announced


@dataclass(frozen=True)
class Entry:
    student: str  # as the platform names them, with its number or address where it has one
    paths: tuple[Path, ...]  # what counts: one file or folder, or several files handed in together
    earlier: tuple[Path, ...] = ()  # what a later submission replaced, oldest first
    # path -> when it was handed in (ISO 8601 in UTC, or ''), and which of SOURCES says so
    times: Mapping[Path, tuple[str, str]] = field(default_factory=dict)

    def submitted(self, paths: Iterable[Path]) -> tuple[str, str]:
        """When the last of these was handed in, and who says so."""
        known = [self.times[path] for path in paths if path in self.times]
        return max(known, key=lambda said: (said[0], said[1] == CANVAS_LATE), default=("", UNKNOWN))


@dataclass(frozen=True)
class Class:
    layout: str
    entries: list[Entry]  # sorted by student
    remarks: tuple[str, ...] = ()


def find(folder: Path, lessons: Sequence[str]) -> Class:
    """Who handed in what.

    Raises `Refused` if there is no such folder, it is empty or it holds no students.
    """
    shown = clean(folder.name or str(folder))
    try:
        listed = _listed(folder)
        layout = layout_of(listed)
        if layout == PLAIN and len(listed) == 1 and is_folder(listed[0]):
            # Some programs unpack an export into a folder of its own.
            inner = _listed(listed[0])
            if layout_of(inner) != PLAIN:
                listed, layout = inner, layout_of(inner)
    except OSError as problem:
        raise Refused(
            f"{shown}: no folder that can be opened ({problem.strerror}). Give one that holds a "
            "file or folder for each student, or what a platform's export unpacks to."
        ) from None
    items, remarks = LAYOUTS[layout](listed) if layout != PLAIN else ([], [])
    seen = {item.path for item in items}
    rest, more = plain([path for path in listed if path not in seen], lessons)
    if layout != PLAIN:
        more += [f"{clean(i.path.name)}: not as {layout} names it, taken as it is." for i in rest]
    if any(path.name == "exercises" and is_folder(path) for path in listed):
        raise Refused(f"{shown}: one submission, not a class. Give the folder that it lies in.")
    if not items + rest:
        raise Refused(
            f"{shown}: no students in it. Give the folder that holds a file or folder for each."
        )
    return Class(layout, _entries(items + rest, lessons), few(remarks + more))


def _listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not ignored(path.name))


def _entries(items: list[Item], lessons: Sequence[str]) -> list[Entry]:
    students: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        students[item.student].append(item)
    entries = []
    for student, handed in sorted(students.items()):
        # Texts and pictures beside someone's code do not count; they do if they are all there is.
        handed = [item for item in handed if _is_code(item.path)] or handed
        parts: dict[str, list[Item]] = defaultdict(list)
        for item in handed:
            parts[item.part].append(item)
        counts: list[Item] = []
        earlier: list[Item] = []
        for part in parts.values():
            in_order = sorted(part, key=_when) if len(part) > 1 else part
            last = [item for item in in_order if _same_time(item, in_order[-1])]
            counts += last  # of several, the one that scores more
            earlier += in_order[: len(in_order) - len(last)]
        earlier.sort(key=_when)
        entries.append(
            Entry(
                student,
                tuple(sorted(i.path for i in counts)),
                tuple(i.path for i in earlier),
                {item.path: _submitted(item) for item in (*counts, *earlier)},
            )
        )
    return entries


def _is_code(path: Path) -> bool:
    if is_folder(path):
        return not path.name.rstrip("_").endswith("assignsubmission_onlinetext")
    return bool(suffix_of(path.name, SUBMITTED, names()))


def _changed(path: Path) -> float:
    changed = []
    places = [path]
    if is_folder(path):
        # A folder's own time only says when something was put there.
        with suppress(Refused):
            places = [path.joinpath(*place) for place in walk(path, [])]
    for place in places:
        with suppress(OSError):  # it has gone meanwhile
            changed.append(place.lstat().st_mtime)
    return max(changed, default=0.0)


def _submitted(item: Item) -> tuple[str, str]:
    if item.time_by != FILE_TIME:
        return item.time, item.time_by
    try:
        changed = datetime.fromtimestamp(_changed(item.path), timezone.utc)
    except (OSError, OverflowError, ValueError):
        return "", UNKNOWN
    if not OLDEST < changed < datetime.now(timezone.utc) + timedelta(days=1):
        return "", UNKNOWN  # nobody handed in then
    return changed.isoformat(timespec="seconds"), FILE_TIME


def _same_time(one: Item, other: Item) -> bool:
    return one is other or _when(one)[:-1] == _when(other)[:-1]


def _when(item: Item) -> tuple[Any, ...]:
    path = item.path
    copy = (
        re.search(r"(\d{1,9})\)?(?:\.\w+)*$", path.name) if bare(path.stem) != path.stem else None
    )
    return item.order, _changed(path), int(copy[1]) if copy else 0, path.name
