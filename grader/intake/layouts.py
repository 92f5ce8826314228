"""What a class's folder looks like, as people make it or as a platform exports it.

What the exports look like is taken from the code that writes them: Canvas (instructure/canvas-lms,
lib/content_zipper.rb), Moodle (moodle/moodle, mod/assign/classes/downloader.php) and GitHub
Classroom (github/gh-classroom, clone student-repos). Gradescope's `submission_metadata.yml` is
known from programs that read it.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from grader import lessons as kit
from grader.intake.archives import ARCHIVE
from grader.intake.files import contents
from grader.intake.names import CANVAS, MOODLE, SUBMITTED, bare, given_name, proper, suffix_of
from grader.intake.words import Refused, clean
from grader.lessons import mention, mentioned

PLAIN = "one entry per student"
METADATA = "submission_metadata.yml"
# Whose word it is when something was handed in.
GRADESCOPE = "Gradescope"
FILE_TIME = "file time"  # of its last change, which archives and copies often do not keep
CANVAS_LATE = "Canvas: late"  # its names say that much, and no time
CANVAS_ON_TIME = "Canvas: on time"
UNKNOWN = "unknown"  # a clone's files are as old as the clone; a commit's date is its author's word
SOURCES = (GRADESCOPE, FILE_TIME, CANVAS_LATE, CANVAS_ON_TIME, UNKNOWN)


@dataclass(frozen=True)
class Item:
    path: Path
    student: str
    part: str = ""  # what of a submission it is; of two that are the same, the later one counts
    order: int = 0  # by which the platform tells the later one; else it is the time of change
    time: str = ""  # when it was handed in, in UTC
    time_by: str = FILE_TIME


Items = tuple[list[Item], list[str]]


def is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # it has gone meanwhile
        return False


def layout_of(listed: list[Path]) -> str:
    """By what most of the names look like."""
    if any(path.name == METADATA for path in listed):
        return "Gradescope"
    for layout, pattern in (("Moodle", MOODLE), ("Canvas", CANVAS)):
        if 2 * sum(bool(pattern.fullmatch(path.name)) for path in listed) > len(listed):
            return layout
    clones = _clones(listed)
    if 2 * len(clones) > sum(map(is_folder, listed)) and _prefix(clones):
        return "GitHub Classroom"
    return PLAIN


def plain(listed: list[Path], lessons: Sequence[str]) -> Items:
    items, remarks, names = [], [], dict[str, str]()
    known = sorted({*lessons, *kit.names()})
    for path in listed:
        is_file = not is_folder(path)
        name = proper(path.name) if is_file else path.name
        ending = suffix_of(name, SUBMITTED, known) if is_file else ""
        # The instructor's own notes and lists.
        if is_file and not ending and not path.is_symlink():
            if name != METADATA:
                remarks.append(f"{clean(name)}: left out, no submission.")
            continue
        stem = name[: len(name) - len(ending)]
        lesson = mentioned(stem, known) or ""
        # Both sides of the lesson's name, since to take two students for one costs one the grade.
        # So a number is part of a name, too, unless it follows the lesson's.
        sides = mention(lesson).split(stem, maxsplit=1) if lesson else [stem]
        if lesson:
            before, after = sides
            after = "" if bare(f"x{after}") == "x" else after
            sides = [re.sub(rf"{_BETWEEN}$", "", before), re.sub(rf"^{_BETWEEN}", "", after)]
        student = "_".join(side for side in sides if side)
        if not student:
            remarks.append(f"{clean(name)}: left out, a lesson without a student's name.")
            continue
        shown = clean(student)
        if names.setdefault(shown, student) != student:
            shown = f"{shown} [{hashlib.sha256(os.fsencode(student)).hexdigest()[:6]}]"
            remarks.append(f"{shown}: another student's name looks the same.")
        items.append(Item(path, shown, lesson))
    students = {item.student for item in items}
    for student in sorted(students):
        if bare(student) != student and bare(student) in students:
            remarks.append(
                f"{student}: taken for a student of its own, and not for a copy of {bare(student)}."
            )
    return items, remarks


# One sign that sets a lesson's name off: of two, one is the student's.
_BETWEEN = r"(?: *[-_.] *| +)"


def _canvas(listed: list[Path]) -> Items:
    items = []
    for path in listed:
        if found := CANVAS.fullmatch(path.name):
            student = found["anonymous"] or f"{found['name']} ({found['id']})"
            # Files handed in together have numbers of their own, so that only one handed in again
            # under the same name replaces another.
            # The names of late ones say so. The files' times are those of the export.
            before = path.name[: found.start("file")] if found["file"] else path.name
            says = CANVAS_LATE if "_LATE_" in f"_{before}" else CANVAS_ON_TIME
            number = int((found["file"] or "0")[:18])
            items.append(Item(path, clean(student), _part(path), number, time_by=says))
    return items, []


def _moodle(listed: list[Path]) -> Items:
    items = []
    for path in listed:
        if found := MOODLE.fullmatch(path.name):
            student = f"{found['name']} ({found['id']})" if found["id"] else found["name"]
            # A folder is a whole submission; in an export without folders every file is here.
            part = "" if is_folder(path) else _part(path)
            items.append(Item(path, clean(student), f"{found['kind']} {part}"))
    return items, []


def _part(path: Path) -> str:
    stem, _, suffix = proper(given_name(path.name)).rpartition(".")
    return f"{bare(stem)}.{suffix}".lower()


def _gradescope(listed: list[Path]) -> Items:
    items, remarks = [], []
    known = {path.name: path for path in listed}
    for name, submission in _metadata(known[METADATA]).items():
        if (path := known.get(name)) is None:
            remarks.append(f"{clean(name)}: in {METADATA}, but not here. Export it again.")
            continue
        number = re.findall(r"\d{1,18}", name)
        # All who handed in as a group get what it gets.
        people, time = submission
        for person in people or [{"name": name}]:
            student, address = person.get("name"), person.get("email") or person.get("sid")
            if student and address:
                student = f"{student} ({address})"
            items.append(
                Item(
                    path,
                    clean(student or address or name),
                    "",
                    int(number[-1]) if number else 0,
                    time,
                    GRADESCOPE if time else FILE_TIME,
                )
            )
    return items, remarks


def _metadata(path: Path) -> dict[str, tuple[list[dict[str, str]], str]]:
    """Folder -> the people who handed it in, and when (ISO 8601 in UTC, or '').

    Only these lines are parsed: the rest is long, holds what students' programs printed, and may
    be tagged with types of Ruby's. Raises `Refused`.
    """
    import yaml  # type: ignore[import-untyped]

    lines, wanted = [], False
    try:
        data = contents(path, ARCHIVE)
    except Refused as problem:
        raise Refused(f"{METADATA}: {problem}") from None
    for line in data.decode("utf-8", "replace").splitlines():
        if re.match(r"\S", line):
            lines.append(line)
        elif key := re.match(r"  ['\"]?:?(\w+)['\"]?:", line):
            wanted = key[1] in ("submitters", "created_at")
        if wanted and not re.match(r"\S", line):
            lines.append(line)
    try:
        found = yaml.load("\n".join(lines), Loader=yaml.BaseLoader)  # everything stays text
        kept = {
            str(name): {str(key).lstrip(":"): value for key, value in (submission or {}).items()}
            for name, submission in found.items()
        }
        return {
            name: (
                [
                    {str(key).lstrip(":"): str(value) for key, value in person.items()}
                    for person in submission.get("submitters") or []
                ],
                _utc(submission.get("created_at")),
            )
            for name, submission in kept.items()
        }
    except (yaml.YAMLError, AttributeError, TypeError, RecursionError):
        raise Refused(
            f"{METADATA}: not as Gradescope writes it. Export the submissions again."
        ) from None


def _utc(written: object) -> str:
    """A time as Ruby writes it in YAML (2026-03-01 22:58:09.123456000 Z), as ISO 8601 in UTC."""
    found = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[-+]\d\d:\d\d)", str(written)
    )
    try:
        offset = found[3].replace("Z", "+00:00") if found else ""
        time = datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}") if found else None
        return time.astimezone(timezone.utc).isoformat() if time else ""
    except (ValueError, OverflowError):
        return ""


def _github(listed: list[Path]) -> Items:
    clones = _clones(listed)
    prefix = _prefix(clones)
    items = [
        Item(path, clean(path.name[len(prefix) :] or path.name), time_by=UNKNOWN) for path in clones
    ]
    return items, [f"What follows {clean(prefix)} was taken for the user's name."]


def _clones(listed: list[Path]) -> list[Path]:
    return [path for path in listed if is_folder(path) and os.path.lexists(path / ".git")]


def _prefix(clones: list[Path]) -> str:
    """What a class's repositories begin with: the assignment, and a hyphen. Empty if nothing."""
    names = [path.name for path in clones]
    if names and (above := clones[0].parent.name).endswith("-submissions"):
        assignment = above.removesuffix("submissions")
        if all(name.startswith(assignment) for name in names):
            return assignment
    if len(names) < 2:
        return ""
    starts = [names[0][: i + 1] for i, character in enumerate(names[0]) if character == "-"]
    return max((s for s in starts if all(name.startswith(s) for name in names)), default="")


LAYOUTS = {
    "Canvas": _canvas,
    "Moodle": _moodle,
    "Gradescope": _gradescope,
    "GitHub Classroom": _github,
}
