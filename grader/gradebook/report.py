"""The class on one page, to be opened in a browser: where it is stuck, and on what.

One file without anything from elsewhere. What can be read without a click is HTML; the heat map's
figures are JSON, and what a click shows (feedback and code) is compressed, an exercise each, with
every text in it once. So a class of two thousand is a page of a few MB.
"""

from __future__ import annotations

import base64
import json
import statistics
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from grader.gradebook import pages, similar
from grader.gradebook.book import Gradebook
from grader.gradebook.results import NO_ISOLATION, conditions, isolated
from grader.gradebook.room import Exercise, Room, Table, read
from grader.gradebook.rows import Grading
from grader.intake.excerpts import LEFT_OUT, Line, joined, stub, tokens

BANDS = 10  # of the distribution, and one for full points
SLOWEST = 20
FAILED = 200  # rows
MISCONCEPTIONS = 12  # with an example
EXAMPLE = 24  # lines
PRINTED = 4_000  # characters of one lesson
REMARKS = 40
FAILURES = ("blocked", "memory", "timeout")


def write(gradebook: Gradebook, to: Path) -> int:
    """The number of students on it. The same gradebook gives the same page.

    Raises CannotWrite, Unusable."""
    room = read(gradebook)
    pages.write(to, _page(room))
    return len(room.students)


def _page(room: Room) -> str:
    from markupsafe import Markup

    style = pages.asset("page.css", "report.css")
    script = pages.asset("report.js")
    total = {i: _total(theirs) for i, theirs in room.gradings.items()}
    shares = [points / most for points, most in total.values() if most]
    return (
        pages.environment()
        .get_template("report.html")
        .render(
            style=Markup(style),
            script=Markup(script),
            policy=pages.policy(style, script),
            room=room,
            data=_data(room, total),
            chunks=_chunks(room),
            shares=shares,
            mean=statistics.fmean(shares) if shares else 0.0,
            median=statistics.median(shares) if shares else 0.0,
            refused=[
                (i, s) for i, all_ in room.handed_in.items() for s in all_ if s.counts and s.refused
            ],
            conditions=conditions(g for gradings in room.gradings.values() for g in gradings),
            bands=_bands(shares),
            difficulty=_difficulty(room),
            misconceptions=_misconceptions(room),
            slowest=_slowest(room),
            failed=_failed(room),
            most={"failed": FAILED, "misconceptions": MISCONCEPTIONS},
            similar=_similar(room),
            similarity=similar,
        )
    )


def _total(gradings: Sequence[Grading]) -> tuple[int, int]:
    return sum(g.points for g in gradings), sum(g.max_points for g in gradings)


def _data(room: Room, total: dict[int, tuple[int, int]]) -> dict[str, Any]:
    everybody = range(len(room.students))
    return {
        "students": room.students,
        "totals": [total.get(i) for i in everybody],
        "remarks": [_remarks(room, i) for i in everybody],
        "misconceptions": room.misconceptions.values,
        "exercises": [
            {
                "lesson": e.lesson,
                "name": e.name,
                "max": e.max_points,
                "kinds": e.kinds.values,
                "cells": [e.cells[i].kind if i in e.cells else -1 for i in everybody],
            }
            for e in room.exercises
        ],
    }


def _remarks(room: Room, student: int) -> list[str]:
    found = []
    submissions = room.handed_in[student]
    for submission in submissions:
        if submission.counts:
            if submission.refused:
                found.append(f"Cannot be read: {submission.refused}")
            found += submission.remarks.splitlines()
    for grading in room.gradings[student]:
        found += [f"{grading.lesson}: {remark}" for remark in grading.remarks.splitlines()]
        if grading.isolation == NO_ISOLATION:
            found.append(f"{grading.lesson}: graded {isolated(NO_ISOLATION)}")
    if replaced := sum(not s.counts for s in submissions):
        found.append(f"Replaced submissions: {replaced}")
    if not any(s.is_of_last_run for s in submissions):
        found.append("Not in the last run")
    more = len(found) - REMARKS
    return [*found[:REMARKS], *([f"And {more} more remarks"] if more > 0 else [])]


def _chunks(room: Room) -> dict[str, str]:
    """What is decoded when a click asks for it: an exercise each, and what a lesson printed."""
    chunks = {}
    for number, e in enumerate(room.exercises):
        lines: Table[str] = Table()
        chunks[f"exercise{number}"] = _packed(
            {
                "cells": {i: cell[1:] for i, cell in e.cells.items()},
                "results": e.results.values,
                "texts": [
                    [*pages.said(*text), sorted(pages.lines_named(e.lesson, text[0]))]
                    for text in e.texts.values
                ],
                "codes": [
                    [[n, lines.number(text)] for n, text in code.lines] for code in e.codes.values
                ],
                "lines": lines.values,
            }
        )
    printed: dict[str, dict[int, str]] = defaultdict(dict)
    for student, gradings in room.gradings.items():
        for grading in gradings:
            if grading.printed:
                printed[grading.lesson][student] = _cut(grading.printed)
    for lesson in sorted({e.lesson for e in room.exercises}):
        chunks[f"printed-{lesson}"] = _packed(printed[lesson])
    return chunks


def _packed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _cut(text: str) -> str:
    if len(text) <= PRINTED:
        return text
    return f"{text[:PRINTED]}\n... ({len(text):,} characters; `grader results` shows them)"


class Band(NamedTuple):
    name: str
    students: int
    width: float  # of its bar, in percent


def _bands(shares: Sequence[float]) -> list[Band]:
    counts = Counter(BANDS if share >= 1 else int(share * BANDS) for share in shares)
    most = max(counts.values(), default=1)
    names = [f"{100 * i // BANDS}–{100 * (i + 1) // BANDS - 1} %" for i in range(BANDS)]
    return [
        Band(name, counts[i], 100 * counts[i] / most) for i, name in enumerate([*names, "100 %"])
    ]


class Difficulty(NamedTuple):
    number: int
    lesson: str
    name: str
    n: int  # who handed in the lesson
    share: float  # of the points, mean
    solved: float
    todo: float
    failed: int  # timeout, memory, blocked
    misconception: str  # the most frequent one
    named: int  # times


def _difficulty(room: Room) -> list[Difficulty]:
    """Hardest first."""
    found = []
    for number, e in enumerate(room.exercises):
        kinds = [e.kinds.values[cell.kind] for cell in e.cells.values()]
        n = len(kinds)
        outcomes = Counter(kind.outcome for kind in kinds)
        named = Counter(m for kind in kinds for m in kind.misconceptions).most_common(1)
        found.append(
            Difficulty(
                number, e.lesson, e.name, n,
                sum(k.points / k.max_points for k in kinds if k.max_points) / n,
                outcomes["passed"] / n, outcomes["todo"] / n,
                sum(outcomes[o] for o in FAILURES),
                room.misconceptions.values[named[0][0]] if named else "",
                named[0][1] if named else 0,
            )
        )  # fmt: skip
    return sorted(found, key=lambda d: (d.share, d.solved))


class Named(NamedTuple):
    """A misconception, in one exercise."""

    number: int
    name: str
    exercise: int
    students: int
    share: float  # of those who handed in the lesson
    think: str
    student: int  # whose is the example: the one with the shortest code
    code: list[Line]


def _misconceptions(room: Room) -> list[Named]:
    """Most frequent first."""
    found = []
    for number, e in enumerate(room.exercises):
        whose: dict[int, list[int]] = defaultdict(list)
        for student, cell in e.cells.items():
            for misconception in e.kinds.values[cell.kind].misconceptions:
                whose[misconception].append(student)
        for misconception, students in whose.items():
            code = {i: e.codes.values[e.cells[i].code].lines for i in students}
            alone = {i for i in students if len(e.kind(i).misconceptions) == 1}
            student = min(students, key=lambda i: (i not in alone, not code[i], len(code[i]), i))
            lines = list(code[student])
            if len(lines) > EXAMPLE:
                lines[EXAMPLE:] = [Line(LEFT_OUT, "...")]
            name = room.misconceptions.values[misconception]
            found.append(
                Named(
                    misconception, name, number, len(students), len(students) / len(e.cells),
                    _think(e, student, name), student, lines,
                )
            )  # fmt: skip
    return sorted(found, key=lambda m: (-m.students, m.exercise, m.name))


def _think(e: Exercise, student: int, misconception: str) -> str:
    """What was said to somebody who made no other mistake."""
    for *_, text in e.results.values[e.cells[student].results]:
        feedback, named = e.texts.values[text]
        said = pages.said(feedback, named)
        if named == misconception and said.think:
            return said.think
    return ""


class Answer(NamedTuple):
    student: int
    exercise: int
    outcome: str
    seconds: float


def _slowest(room: Room) -> list[Answer]:
    found = (
        Answer(i, number, e.kind(i).outcome, seconds)
        for number, e in enumerate(room.exercises)
        for i, seconds in e.seconds.items()
    )
    return sorted(found, key=lambda a: (-a.seconds, a.student, a.exercise))[:SLOWEST]


def _failed(room: Room) -> list[Answer]:
    found = [
        Answer(i, number, e.kind(i).outcome, e.seconds[i])
        for number, e in enumerate(room.exercises)
        for i in e.cells
        if e.kind(i).outcome in FAILURES
    ]
    return sorted(found, key=lambda a: (FAILURES.index(a.outcome), a.student, a.exercise))


def _similar(room: Room) -> list[tuple[similar.Group, list[tuple[int, float]]]]:
    answers: list[dict[str, str]] = [{} for _ in room.students]
    known = []
    for number, e in enumerate(room.exercises):
        for folder in ("exercises", "solutions"):
            known.append(tokens(joined(stub(e.lesson, folder).excerpt(e.name))))
        for student, cell in e.cells.items():
            if e.kind(student).outcome != "todo":
                answers[student][str(number)] = e.codes.values[cell.code].tokens
    return [
        (group, [(int(number), alike) for number, alike in group.exercises])
        for group in similar.groups(answers, known)
    ]
