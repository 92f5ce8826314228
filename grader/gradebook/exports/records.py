"""The grades of a class for other programs.

One record per check, of every student's current gradings. A student whose submission cannot be read
has one record with the outcome `refused`, no lesson, exercise or check, no points out of none, and
why as the feedback, besides what is left of earlier submissions. The same grades are the same text:
the order is by student, lesson and as checked, and seconds are whole, rounded down.

With a late policy each record has what is left of its points, too, when it was handed in, and what
that costs in a sentence. The other formats are in `grader/exports/`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from grader.gradebook.book import Gradebook
from grader.gradebook.exports import totals
from grader.gradebook.exports.late import shares
from grader.gradebook.rows import Row

if TYPE_CHECKING:
    from grader.gradebook.exports.late import Policy

FORMATS = ("csv", "json")
# A cell that begins so may be run by the spreadsheet that opens it; some read the wide forms alike.
FORMULA = re.compile(r"^(?=[=+\-@＝＋－＠\t\r\n])|(?<=[;\n\r\t])(?=[=+\-@＝＋－＠])")


class Late(NamedTuple):
    """What a record has besides, where there is a late policy."""

    final_points: Decimal = Decimal(0)
    submitted: str = ""  # ISO 8601 in the policy's time zone; empty where it is unknown
    late: str = ""  # one sentence, where there is something to say


def write(
    gradebook: Gradebook,
    format: str,
    stream: TextIO,
    policy: Policy | None = None,
    lessons: Collection[str] = (),
    student: str | None = None,
) -> None:
    """To a stream that was opened with newline="" and, for csv, as UTF-8; json is ASCII. Of these
    lessons and of this student, or of all.

    Raises ValueError for a format that is none of FORMATS, NoSuchStudent, Unusable, and what the
    stream raises."""
    writers = {"csv": _csv, "json": _json}
    if format not in writers:
        raise ValueError(f"no format {format!r}; there are {' and '.join(FORMATS)}")
    found = totals.students(gradebook, policy, lessons, student)
    fields = Row._fields + (Late._fields if policy else ())
    with closing(found), closing(_rows(found)) as rows:  # else they may outlive the gradebook
        writers[format]((row if policy else row[: len(fields)] for row in rows), stream, fields)


def _rows(
    students: Generator[totals.Student, None, None],
) -> Generator[tuple[Any, ...], None, None]:
    for student in students:
        for why in student.refused:
            yield (*Row(student.name, "", "", "", "refused", 0, 0, "", why, 0), *Late())
        for lesson in student.lessons:
            left = shares([row.points for row in lesson.rows], lesson.late.percent)
            for row, final in zip(lesson.rows, left, strict=True):
                late = Late(final, lesson.late.submitted, lesson.late.says)
                yield (*row._replace(seconds=int(row.seconds)), *late)


def _csv(
    rows: Iterator[tuple[Any, ...]], stream: TextIO, fields: tuple[str, ...] = Row._fields
) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in row])


def inert(cell: str) -> str:
    """A cell that no spreadsheet runs, nor one for which cells end at semicolons, as in some
    countries."""
    return FORMULA.sub("'", cell)


def _json(rows: Iterator[tuple[Any, ...]], stream: TextIO, fields: tuple[str, ...]) -> None:
    encode = json.JSONEncoder(default=float).encode  # of a Decimal in hundredths
    separator = "[\n"
    for row in rows:
        stream.write(separator + encode(dict(zip(fields, row, strict=True))))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")
