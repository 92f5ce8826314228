"""`grader export`: which of the formats, of whom, to where."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from grader import whole
from grader.gradebook.book import Gradebook
from grader.gradebook.exports import canvas, gradescope, junit, late, moodle, totals
from grader.gradebook.exports import records as export
from grader.gradebook.exports.late import Policy
from grader.problem import Problem

RESULTS = "results.json"


class CannotExport(Problem):
    """Options that do not go together: one line, with what to give instead."""


@dataclass(frozen=True)
class Order:
    format: str  # csv, json, canvas, moodle, gradescope or junit
    to: Path | None = None  # a file, for gradescope a folder; None: standard output
    lessons: Sequence[str] = ()  # all, where there are none
    student: str | None = None
    late_policy: Path | None = None
    roster: Path | None = None
    by_lesson: bool | None = None  # None: as the format has it
    titles: Sequence[str] = ()  # LESSON=TITLE, or TITLE for a total


def policy_of(gradebook: Gradebook, path: Path | None) -> Policy | None:
    """Raises WrongPolicy, Unusable."""
    if path is None:
        return None
    from grader import lessons

    known = sorted({*lessons.names(), *(row.lesson for row in gradebook.gradings())})
    return late.read(path, gradebook.students(), known)


def write(gradebook: Gradebook, order: Order) -> list[str]:
    """What there is to say to a person.

    Raises CannotExport, WrongPolicy, WrongRoster, NoSuchStudent, Unusable."""
    is_list = order.format in ("canvas", "moodle")
    if not is_list and (order.roster or order.titles or order.by_lesson is not None):
        raise CannotExport("--roster, --by and --column are for canvas and moodle only.")
    policy = policy_of(gradebook, order.late_policy)
    to_come = [
        f"{name}: has an extension, and has handed in nothing yet."
        for name in (policy.not_here if policy is not None else ())
    ]
    return to_come + _written(gradebook, order, policy)


def _written(gradebook: Gradebook, order: Order, policy: Policy | None) -> list[str]:
    if order.format in export.FORMATS:
        with _stream(order.to) as stream:
            export.write(gradebook, order.format, stream, policy, order.lessons, order.student)
        return _doubts(gradebook, order, policy)
    found = totals.students(gradebook, policy, order.lessons, order.student)
    with closing(found):
        if order.format == "junit":
            with _stream(order.to) as stream:
                remarks: list[str] = []
                junit.write(_noting(found, remarks), stream)
            return remarks
        if order.format == "gradescope":
            return _gradescope(gradebook, found, order)
        return _list([student.without_words() for student in found], order)


def _doubts(gradebook: Gradebook, order: Order, policy: Policy | None) -> list[str]:
    if policy is None:
        return []
    with closing(totals.students(gradebook, policy, order.lessons, order.student)) as found:
        return [line for student in found for line in _doubts_of(student)]


def _noting(found: Iterator[totals.Student], remarks: list[str]) -> Iterator[totals.Student]:
    for student in found:
        remarks += _doubts_of(student)
        yield student


def _doubts_of(student: totals.Student) -> list[str]:
    by_file = [lesson.name for lesson in student.lessons if lesson.late.is_in_time_by_file]
    in_time = f"{student.name}: {', '.join(by_file)}: in time by the file's own time alone."
    return [in_time] * bool(by_file) + [
        f"{student.name}: {lesson.name}: {lesson.late.says}"
        for lesson in student.lessons
        if lesson.late.is_doubtful
    ]


def _gradescope(gradebook: Gradebook, found: Iterator[totals.Student], order: Order) -> list[str]:
    from grader.gradebook.feedback_pages import file_names

    if order.to is None and order.student is None:
        raise CannotExport("Gradescope takes a file for each student: give --to DIR, or --student.")
    folders = file_names(gradebook.students())
    remarks = []
    for student in found:
        results = gradescope.of_student(student, gradebook)
        remarks += _doubts_of(student)
        if order.to is None:
            sys.stdout.write(gradescope.dumped(results))
        else:
            folder = Path(folders[student.name]).stem
            gradescope.write(order.to / folder / RESULTS, results)
    return remarks


def _list(students: list[totals.Student], order: Order) -> list[str]:
    by_lesson = order.format == "canvas" if order.by_lesson is None else order.by_lesson
    columns = canvas.columns(students, by_lesson)
    remarks = [f"{s.name}: cannot be read ({why})" for s in students for why in s.refused]
    remarks += [line for student in students for line in _doubts_of(student)]
    titles = dict(_title(said, by_lesson) for said in order.titles)
    if unknown := sorted(titles.keys() - {column.lesson for column in columns}):
        raise CannotExport(f"--column: nobody has a grade in {', '.join(unknown)}.")
    if order.format == "canvas":
        if order.roster is None:
            for column in columns:
                column.title = titles.get(column.lesson, column.title)
            text = canvas.without_roster(students, columns)
        else:
            text, more = canvas.filled_in(order.roster, students, columns, titles)
            remarks += more
    else:
        if len(columns) != 1:
            raise CannotExport(
                f"A worksheet of Moodle's is of one assignment, and {len(columns)} lessons have"
                " grades. Name one with --lesson, or give --by total."
            )
        if titles:
            raise CannotExport("--column is for canvas: a worksheet of Moodle's has one grade.")
        if order.roster is None:
            text = moodle.without_roster(students, columns[0])
        else:
            text, more = moodle.filled_in(order.roster, students, columns[0])
            remarks += more
    with _stream(order.to) as stream:
        stream.write(text)
    return remarks


def _title(said: str, by_lesson: bool) -> tuple[str, str]:
    if not by_lesson:
        return "", said
    from grader.lessons import named

    lesson, equals, title = said.partition("=")
    if not equals:
        raise CannotExport(f"--column {said!r}: write LESSON=TITLE.")
    return named([lesson])[0], title


@contextmanager
def _stream(to: Path | None) -> Iterator[TextIO]:
    """In UTF-8; a file is there as a whole or not at all."""
    if to is None:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
            yield out
        return
    try:
        with whole.writing(to) as out:
            yield out
    except OSError as problem:
        raise Problem(f"{to} cannot be written ({problem.strerror}).") from None
