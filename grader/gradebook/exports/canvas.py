"""The Canvas gradebook as CSV: Canvas exports it, and imports what it finds changed.

What Canvas writes and reads is taken from its code (instructure/canvas-lms,
lib/gradebook_exporter.rb and gradebook_importer.rb): a header that begins with Student, ID and ends
its part about students with Section; then assignments as "Title (number)"; a row "Points Possible";
a row per student, who is found by ID, then SIS User ID, SIS Login ID, and then by name. A column
without a known number becomes a new assignment. Scores have at most two decimals.

Columns of other assignments are left out: Canvas keeps what is not in the file, while what is would
take back whatever was graded since it was exported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from grader.gradebook.exports.records import inert
from grader.gradebook.exports.roster import Person, Sheet, WrongRoster, match, names_of, read
from grader.gradebook.exports.totals import Student
from grader.lessons import mention

WHAT = 'what Canvas exports (Gradebook, Export; the header begins with "Student,ID")'
INFO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POSSIBLE = "    Points Possible"
TOTAL = "GPT-2 exercises"
NUMBERED = re.compile(r"(?P<title>.*?) \(\d+\)")


@dataclass
class Column:
    """What is written: a lesson, or the total (lesson '')."""

    lesson: str
    title: str
    max_points: int
    points: dict[str, Decimal] = field(default_factory=dict)  # student ->


def columns(students: Sequence[Student], by_lesson: bool) -> list[Column]:
    """Out of the same points for everybody: whoever has not handed in a lesson has none in it."""
    most: dict[str, int] = {}
    for student in students:
        for lesson in student.lessons:
            most[lesson.name] = max(most.get(lesson.name, 0), lesson.max_points)
    if not by_lesson:
        points = {s.name: s.final for s in students if s.lessons}
        return [Column("", TOTAL, sum(most.values()), points)]
    found = {name: Column(name, name, points) for name, points in sorted(most.items())}
    for student in students:
        for lesson in student.lessons:
            found[lesson.name].points[student.name] = lesson.final
    return list(found.values())


def without_roster(students: Sequence[Student], wanted: Sequence[Column]) -> str:
    """As well as can be: with the number where a student's name has one."""
    sheet = Sheet([*INFO, *(column.title for column in wanted)], [])
    sheet.rows.append([POSSIBLE, "", "", "", "", *(str(c.max_points) for c in wanted)])
    for student in students:
        named = re.fullmatch(r"(.*) \((\d+)\)", student.name)
        name, number = named.groups() if named else (student.name, "")
        points = [_written(column.points.get(student.name)) for column in wanted]
        sheet.rows.append([inert(name), number, "", "", "", *points])
    return sheet.text()


def filled_in(
    path: Path, students: Sequence[Student], wanted: Sequence[Column], titles: Mapping[str, str]
) -> tuple[str, list[str]]:
    """The roster with grades, and what there is to say to a person. `titles`: lesson -> the title
    of its column in Canvas ('' for the total).

    Raises WrongRoster."""
    sheet = read(path, _is_header, WHAT)
    section = sheet.header.index("Section")
    possible = next((row for row in sheet.rows if "Points Possible" in row[0]), None)
    rows = [row for row in sheet.rows if _is_student(row, section)]
    matched = match([s.name for s in students], [_person(sheet, i, r) for i, r in enumerate(rows)])
    remarks = matched.remarks
    there = {row: student for student, row in matched.rows.items()}
    taken = set(range(section + 1))
    info = sheet.header[: section + 1]
    filled = Sheet(list(info), [], sheet.delimiter, sheet.has_bom)
    outof = [POSSIBLE if possible is None else possible[0], *[""] * section]
    cells: list[list[str]] = [row[: section + 1] for row in rows]
    for column in wanted:
        at = _column(sheet, taken, column, titles)
        if at is None:
            remarks.append(f"{column.title}: not in the roster, so Canvas makes a new assignment.")
        else:
            taken.add(at)
        filled.header.append(column.title if at is None else sheet.header[at])
        canvas = possible[at].strip() if possible and at is not None else ""
        outof.append(canvas or str(column.max_points))
        if canvas and _decimal(canvas) not in (None, column.max_points):
            remarks.append(
                f"{filled.header[-1]}: out of {canvas} in Canvas, and of {column.max_points} here."
                " Points are written as they are; change it in Canvas."
            )
        for i, row in enumerate(rows):
            now = row[at].strip() if at is not None else ""
            new = _written(column.points.get(there.get(i, "")))
            if now in ("EX", "N/A") and new:
                remarks.append(f"{row[0]}: {now} in Canvas, left so, in spite of {new} points.")
            cells[i].append(new if new and now not in ("EX", "N/A") else now)
    missing = [rows[i][0] for i in range(len(rows)) if i not in there]
    remarks += [f"{name}: in the roster, and not in the gradebook. Left as is." for name in missing]
    filled.rows = [outof, *cells]
    return filled.text(), remarks


def _is_header(row: list[str]) -> bool:
    names = row[:3] if row[:1] == ["LastName"] else row[:2]
    ours = names in (["Student", "ID"], ["LastName", "FirstName", "ID"])
    return ours and row.count("Section") == 1


def _is_student(row: list[str], section: int) -> bool:
    return "Points Possible" not in row[0] and bool("".join(row[: section + 1]).strip())


def _person(sheet: Sheet, i: int, row: list[str]) -> Person:
    def cell(name: str) -> str:
        at = sheet.column(name)
        return "" if at is None else row[at].strip()

    name = cell("Student") or f"{cell('LastName')}, {cell('FirstName')}"
    ids = {cell(one).casefold() for one in ("SIS User ID", "SIS Login ID", "Integration ID")}
    return Person(i, name, names_of(name), cell("ID"), frozenset(ids - {""}))


def _column(sheet: Sheet, taken: set[int], column: Column, titles: Mapping[str, str]) -> int | None:
    """Raises WrongRoster: several will do, or the one that was named is not there."""
    said = titles.get(column.lesson)
    free = [i for i in range(len(sheet.header)) if i not in taken]
    if said is not None:
        found = [i for i in free if said in (sheet.header[i], _title(sheet.header[i]))]
        if not found:
            raise WrongRoster(f"there is no column {said!r} in the roster.")
    else:
        about = mention(column.lesson) if column.lesson else re.compile(re.escape(TOTAL) + "$")
        found = [
            i for i in free if NUMBERED.fullmatch(sheet.header[i])
            and about.match(_title(sheet.header[i]))
        ]  # fmt: skip
    if len(found) > 1:
        several = " and ".join(repr(sheet.header[i]) for i in found)
        which = f"{column.lesson}=" if column.lesson else ""
        raise WrongRoster(
            f"{several} may each be {column.title}. Say which with --column '{which}TITLE'."
        )
    return found[0] if found else None


def _title(header: str) -> str:
    found = NUMBERED.fullmatch(header)
    return found["title"] if found else header


def _decimal(text: str) -> Decimal | None:
    """As Canvas writes it in any of its languages."""
    found = re.fullmatch(r"(\d+)(?:[.,](\d{1,2}))?", text)
    return Decimal(f"{found[1]}.{found[2] or 0}") if found else None


def _written(points: Decimal | None) -> str:
    return "" if points is None else f"{points:.2f}"
