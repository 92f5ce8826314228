"""The grades of a class for other programs.

One record per check, of every student's current gradings. A student whose submission cannot be read
has one record with the outcome `refused`, no lesson, exercise or check, no points out of none, and
why as the feedback, besides what is left of earlier submissions. The same grades are the same text:
the order is by student, lesson and as checked, and seconds are whole, rounded down.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from heapq import merge
from typing import TextIO

from grader.gradebook import Gradebook, Row

FORMATS = ("csv", "json")
# A cell that begins so may be run by the spreadsheet that opens it; some read the wide forms alike.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(gradebook: Gradebook, format: str, stream: TextIO) -> None:
    """To a stream that was opened with newline="" and, for csv, as UTF-8; json is ASCII.

    Raises ValueError for a format that is none of FORMATS, Unusable, and what the stream raises."""
    writers = {"csv": _csv, "json": _json}
    if format not in writers:
        raise ValueError(f"no format {format!r}; there are {' and '.join(FORMATS)}")
    with closing(_rows(gradebook)) as rows:  # else it may outlive the gradebook
        writers[format](rows, stream)


def _rows(gradebook: Gradebook) -> Generator[Row, None, None]:
    refused = (
        Row(s.student, "", "", "", "refused", 0, 0, "", s.refused, 0.0)
        for s in gradebook.handed_in()
        if s.refused and s.counts
    )
    for row in merge(refused, gradebook.current(), key=lambda row: row.student):
        yield row._replace(seconds=int(row.seconds))


def _csv(rows: Iterator[Row], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in rows:
        writer.writerow([_inert(cell) if isinstance(cell, str) else cell for cell in row])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _json(rows: Iterator[Row], stream: TextIO) -> None:
    encode = json.JSONEncoder().encode
    separator = "[\n"
    for row in rows:
        stream.write(separator + encode(row._asdict()))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")
