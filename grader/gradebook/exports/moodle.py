"""Moodle's offline grading worksheet of one assignment: Moodle exports it, and imports it again.

What Moodle writes and reads is taken from its code (moodle/moodle, mod/assign/gradingtable.php and
mod/assign/feedback/offline/importgradeslib.php and locallib.php): it looks for the columns
Identifier, Grade and "Last modified (grade)", and takes feedback from "Feedback comments". A grade
is not taken that is out of range, locked, or older by "Last modified (grade)" than the one there.
The column names are those of English; Moodle translates them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from grader.gradebook.exports.canvas import Column
from grader.gradebook.exports.records import inert
from grader.gradebook.exports.roster import Person, Sheet, WrongRoster, match, names_of, read
from grader.gradebook.exports.totals import Student

WHAT = (
    "a grading worksheet as Moodle exports it in English (assignment, View all submissions,"
    " Download grading worksheet; set your language to English before)"
)
IDENTIFIER, GRADE, CHANGEABLE = "Identifier", "Grade", "Grade can be changed"
FEEDBACK = "Feedback comments"
MODIFIED = "Last modified (grade)"
HEADER = (
    IDENTIFIER, "Full name", "Email address", "Status", GRADE, "Maximum Grade", CHANGEABLE,
    MODIFIED, FEEDBACK,
)  # fmt: skip
BEGINS = "Points: "  # by which a comment of ours is known


def without_roster(students: Sequence[Student], column: Column) -> str:
    """As well as can be: with the participant's number where a student's name has one."""
    sheet = Sheet(list(HEADER), [])
    for student in students:
        named = re.fullmatch(r"(.*) \(([^()]*)\)", student.name)
        name, key = named.groups() if named else (student.name, "")
        points = column.points.get(student.name)
        sheet.rows.append([
            f"Participant {key}" if key.isdigit() else "", inert(name),
            inert(key) if "@" in key else "", "", "" if points is None else f"{points:.2f}",
            f"{column.max_points}.00", "Yes", "-",
            "" if points is None else _comment(student, column),
        ])  # fmt: skip
    return sheet.text()


def filled_in(path: Path, students: Sequence[Student], column: Column) -> tuple[str, list[str]]:
    """The worksheet with grades and comments, and what there is to say to a person.

    Raises WrongRoster, also where Moodle would not take a grade because it is out of range."""
    sheet = read(path, _is_header, WHAT)
    people = [_person(sheet, i, row) for i, row in enumerate(sheet.rows)]
    matched = match([s.name for s in students], people)
    remarks = matched.remarks
    there = {row: student for student, row in matched.rows.items()}
    known = {student.name: student for student in students}
    grade = sheet.column(GRADE)
    assert grade is not None
    for i, row in enumerate(sheet.rows):
        shown = people[i].name
        if i not in there:
            remarks.append(f"{shown}: in the roster, and not in the gradebook. Left as is.")
            continue
        points = column.points.get(there[i])
        if points is None:
            continue
        if _cell(sheet, row, CHANGEABLE).casefold() == "no":
            remarks.append(f"{shown}: Moodle does not let this grade be changed. Left as is.")
            continue
        most = _decimal(_cell(sheet, row, "Maximum Grade"))
        if most is not None and points > most:
            raise WrongRoster(
                f"{shown}: {points} points are more than Moodle's maximum of {most}, and would not"
                f" be taken. Set the assignment's maximum grade to {column.max_points}, and export"
                " the worksheet again."
            )
        if (
            most is not None
            and most != column.max_points
            and not any("out of" in r for r in remarks)
        ):
            remarks.append(
                f"{column.title}: out of {most} in Moodle, and of {column.max_points} here. Points"
                " are written as they are; change it in Moodle."
            )
        row[grade] = f"{points:.2f}"
        at = sheet.column(FEEDBACK)
        if at is not None:
            if not row[at].strip() or row[at].startswith(BEGINS):
                row[at] = _comment(known[there[i]], column)
            else:
                remarks.append(f"{shown}: has a comment in Moodle already, which is left as it is.")
    return sheet.text(), remarks


def _is_header(row: list[str]) -> bool:
    needed = {IDENTIFIER, GRADE, MODIFIED}
    return row[:1] == [IDENTIFIER] and all(row.count(name) == 1 for name in needed)


def _person(sheet: Sheet, i: int, row: list[str]) -> Person:
    name = _cell(sheet, row, "Full name")
    number = re.search(r"(\d+)$", _cell(sheet, row, IDENTIFIER))
    ids = {_cell(sheet, row, one).casefold() for one in ("Email address", "ID number", "Username")}
    return Person(
        i,
        name or _cell(sheet, row, IDENTIFIER),
        names_of(name),
        number[1] if number else "",
        frozenset(ids - {""}),
    )


def _cell(sheet: Sheet, row: list[str], name: str) -> str:
    at = sheet.column(name)
    return "" if at is None else row[at].strip()


def _comment(student: Student, column: Column) -> str:
    """In HTML, which these comments are."""
    lessons = [one for one in student.lessons if column.lesson in ("", one.name)]
    made = ", ".join(f"{one.name} {one.points}/{one.max_points}" for one in lessons)
    late = [f"{one.name}: {one.late.says}" for one in lessons if one.late.says]
    return html.escape(" ".join([f"{BEGINS}{made}.", *late]), quote=False)


def _decimal(text: str) -> Decimal | None:
    found = re.fullmatch(r"(\d+)(?:[.,](\d+))?", text)
    return Decimal(f"{found[1]}.{found[2] or 0}") if found else None
