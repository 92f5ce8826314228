"""A page for each student, to be given to them: what each check said, beside their code.

A page is of one student alone: it is made of what the gradebook holds of them. It needs no script
and nothing from elsewhere, and says nothing of when or how fast something was graded: the same
grades are the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from grader.gradebook import pages
from grader.gradebook.book import Gradebook
from grader.gradebook.exports.records import inert
from grader.gradebook.rows import Grading, Row
from grader.gradebook.whom import NoSuchStudent, whom
from grader.intake.excerpts import Line
from grader.intake.reader import Reader
from grader.outcome import worst

INDEX = "index.csv"
NAME = 60  # characters of a file's name, without what makes it unique and .html
MARK = 8  # hexadecimal digits of a name's hash


def write(gradebook: Gradebook, folder: Path, asked: str | None = None) -> int:
    """The number of pages. A student's file has the same name, whoever else is in the class.

    Raises NoSuchStudent, CannotWrite, Unusable."""
    from markupsafe import Markup

    everybody = gradebook.students()
    student = None
    if asked is not None:
        theirs = list(gradebook.handed_in(asked))
        if not theirs:
            raise NoSuchStudent(whom(asked, everybody))
        student = theirs[0].student
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise pages.CannotWrite(f"{folder} cannot be made ({problem.strerror}).") from None
    style = pages.asset("page.css", "feedback.css")
    template = pages.environment().get_template("feedback.html")
    given = {"style": Markup(style), "policy": pages.policy(style)}
    names = file_names(everybody)
    index = []
    with Reader() as reader:
        for name in everybody:
            if student in (None, name):
                page = _page(reader, gradebook, name)
                pages.write(folder / names[name], template.render(page=page, **given))
                index.append((name, names[name], page.points, page.max_points))
    if student is None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("student", "file", "points", "max_points"))
        writer.writerows((inert(name), *rest) for name, *rest in index)
        pages.write(folder / INDEX, text.getvalue())
    return len(index)


# --- Names of files ------------------------------------------------------------------------------


def file_names(students: Iterable[str]) -> dict[str, str]:
    """Names that every file system takes and tells apart, whether or not it minds case."""
    taken: set[str] = set()
    names = {}
    for student in students:
        digest = hashlib.sha256(student.encode("utf-8", "backslashreplace")).hexdigest()
        text = unicodedata.normalize("NFKD", student)
        slug = re.sub(r"[^a-z0-9]+", "-", text.encode("ascii", "ignore").decode().lower())
        stem = f"{slug.strip('-')[:NAME].strip('-') or 'student'}-{digest[:MARK]}"
        if stem in taken:
            stem = f"{stem}{digest[MARK:]}"
        taken.add(stem)
        names[student] = f"{stem}.html"
    return names


# --- What is on it -------------------------------------------------------------------------------


class Check(NamedTuple):
    name: str
    outcome: str
    points: int
    max_points: int
    said: pages.Said
    is_again: bool  # the same text as a check before it


class Exercise(NamedTuple):
    name: str
    outcome: str
    points: int
    max_points: int
    checks: list[Check]
    code: Sequence[Line]
    named: set[int]  # lines that the feedback speaks of


class Lesson(NamedTuple):
    name: str
    points: int
    max_points: int
    exercises: list[Exercise]
    remarks: list[str]
    printed: str


class Page(NamedTuple):
    student: str
    points: int
    max_points: int
    lessons: list[Lesson]
    refused: list[str]
    remarks: list[str]


def _page(reader: Reader, gradebook: Gradebook, student: str) -> Page:
    submissions = [s for s in gradebook.handed_in(student) if s.counts]
    gradings = [g for g in gradebook.gradings(student) if g.is_current]
    sources = {lesson: source for _, lesson, source in gradebook.sources(student)}
    by_lesson = groupby(gradebook.current(student), key=lambda row: row.lesson)
    rows = {lesson: list(group) for lesson, group in by_lesson}
    return Page(
        student,
        sum(g.points for g in gradings),
        sum(g.max_points for g in gradings),
        [_lesson(reader, g, rows.get(g.lesson, []), sources.get(g.lesson, "")) for g in gradings],
        [s.refused for s in submissions if s.refused],
        [line for s in submissions for line in s.remarks.splitlines()],
    )


def _lesson(reader: Reader, grading: Grading, rows: Sequence[Row], text: str) -> Lesson:
    groups = {name: list(group) for name, group in groupby(rows, key=lambda row: row.exercise)}
    code = reader.excerpts(text, grading.lesson, list(groups))
    return Lesson(
        grading.lesson, grading.points, grading.max_points,
        [
            _exercise(name, checks, code[name].lines)
            for name, checks in groups.items()
        ],
        grading.remarks.splitlines(), grading.printed,
    )  # fmt: skip


def _exercise(name: str, rows: Sequence[Row], code: Sequence[Line]) -> Exercise:
    said: set[str] = set()
    checks = []
    for row in rows:
        words = pages.said(row.feedback, row.misconception)
        is_again = words.text in said and "\n" in words.text
        checks.append(Check(row.check, row.outcome, row.points, row.max_points, words, is_again))
        said.add(words.text)
    return Exercise(
        name, worst([row.outcome for row in rows]), sum(row.points for row in rows),
        sum(row.max_points for row in rows), checks, code,
        {line for row in rows for line in pages.lines_named(row.lesson, row.feedback)},
    )  # fmt: skip
