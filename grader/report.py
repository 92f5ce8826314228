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
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from grader import pages, similar
from grader.gradebook import Gradebook, Grading, HandedIn, Row
from grader.progress import worst
from grader.results import NO_ISOLATION, conditions, isolated

T = TypeVar("T", bound=Hashable)

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
    room = _read(gradebook)
    pages.write(to, _page(room))
    return len(room.students)


# --- What there is -------------------------------------------------------------------------------


class _Table(Generic[T]):
    """Every value once."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self.values)
            self.values.append(value)
        return self._numbers[value]


class Kind(NamedTuple):
    """What a cell shows."""

    points: int
    max_points: int
    outcome: str
    misconceptions: tuple[int, ...]


class Cell(NamedTuple):
    kind: int
    results: int
    code: int


@dataclass
class _Exercise:
    lesson: str
    name: str
    max_points: int = 0
    kinds: _Table[Kind] = field(default_factory=_Table)
    # Of each: check, outcome, points, max_points, number of its text.
    results: _Table[tuple[tuple[str, str, int, int, int], ...]] = field(default_factory=_Table)
    texts: _Table[tuple[str, str]] = field(default_factory=_Table)  # feedback, misconception
    codes: _Table[tuple[pages.Line, ...]] = field(default_factory=_Table)
    cells: dict[int, Cell] = field(default_factory=dict)  # student -> cell
    seconds: dict[int, float] = field(default_factory=dict)

    def kind(self, student: int) -> Kind:
        return self.kinds.values[self.cells[student].kind]


@dataclass
class _Room:
    students: list[str]
    handed_in: dict[int, list[HandedIn]]
    gradings: dict[int, list[Grading]]
    exercises: list[_Exercise]  # by lesson, in the order of its checks
    misconceptions: _Table[str]


def _read(gradebook: Gradebook) -> _Room:
    students = gradebook.students()
    numbers = {name: i for i, name in enumerate(students)}
    handed_in: dict[int, list[HandedIn]] = defaultdict(list)
    for submission in gradebook.handed_in():
        handed_in[numbers[submission.student]].append(submission)
    gradings: dict[int, list[Grading]] = defaultdict(list)
    for grading in gradebook.gradings():
        if grading.is_current:
            gradings[numbers[grading.student]].append(grading)
    found: dict[str, dict[str, _Exercise]] = defaultdict(dict)
    misconceptions: _Table[str] = _Table()
    sources = gradebook.sources()
    source = next(sources, None)
    for (name, lesson), rows in _grouped(gradebook.current()):
        while source is not None and source[:2] < (name, lesson):
            source = next(sources, None)
        text = source[2] if source is not None and source[:2] == (name, lesson) else ""
        code = pages.Source(text)
        for exercise in rows:
            found[lesson].setdefault(exercise, _Exercise(lesson, exercise))
        for exercise, checks in rows.items():
            lines = tuple(code.excerpt(exercise, found[lesson], lesson))
            _add(found[lesson][exercise], numbers[name], checks, lines, misconceptions)
    for _ in sources:  # none is left open when the gradebook is closed
        pass
    exercises = [e for lesson in sorted(found) for e in found[lesson].values()]
    return _Room(students, handed_in, gradings, exercises, misconceptions)


def _grouped(rows: Iterator[Row]) -> Iterator[tuple[tuple[str, str], dict[str, list[Row]]]]:
    group: dict[str, list[Row]] = {}
    whose = ("", "")
    for row in rows:
        if whose != (row.student, row.lesson):
            if group:
                yield whose, group
            whose, group = (row.student, row.lesson), {}
        group.setdefault(row.exercise, []).append(row)
    if group:
        yield whose, group


def _add(
    exercise: _Exercise,
    student: int,
    checks: Sequence[Row],
    code: tuple[pages.Line, ...],
    misconceptions: _Table[str],
) -> None:
    named = sorted({misconceptions.number(r.misconception) for r in checks if r.misconception})
    kind = Kind(
        sum(row.points for row in checks), sum(row.max_points for row in checks),
        worst([row.outcome for row in checks]), tuple(named),
    )  # fmt: skip
    results = tuple(
        (r.check, r.outcome, r.points, r.max_points,
         exercise.texts.number((r.feedback, r.misconception)))
        for r in checks
    )  # fmt: skip
    exercise.max_points = max(exercise.max_points, kind.max_points)
    exercise.cells[student] = Cell(
        exercise.kinds.number(kind), exercise.results.number(results), exercise.codes.number(code)
    )
    exercise.seconds[student] = sum(row.seconds for row in checks)


# --- What is made of it --------------------------------------------------------------------------


def _page(room: _Room) -> str:
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


def _data(room: _Room, total: dict[int, tuple[int, int]]) -> dict[str, Any]:
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


def _remarks(room: _Room, student: int) -> list[str]:
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


def _chunks(room: _Room) -> dict[str, str]:
    """What is decoded when a click asks for it: an exercise each, and what a lesson printed."""
    chunks = {}
    for number, e in enumerate(room.exercises):
        lines: _Table[str] = _Table()
        chunks[f"exercise{number}"] = _packed(
            {
                "cells": {i: cell[1:] for i, cell in e.cells.items()},
                "results": e.results.values,
                "texts": [
                    [*pages.said(*text), sorted(pages.lines_named(e.lesson, text[0]))]
                    for text in e.texts.values
                ],
                "codes": [[[n, lines.number(text)] for n, text in code] for code in e.codes.values],
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


def _difficulty(room: _Room) -> list[Difficulty]:
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
    code: list[pages.Line]


def _misconceptions(room: _Room) -> list[Named]:
    """Most frequent first."""
    found = []
    for number, e in enumerate(room.exercises):
        whose: dict[int, list[int]] = defaultdict(list)
        for student, cell in e.cells.items():
            for misconception in e.kinds.values[cell.kind].misconceptions:
                whose[misconception].append(student)
        for misconception, students in whose.items():
            code = {i: e.codes.values[e.cells[i].code] for i in students}
            student = min(students, key=lambda i: (not code[i], len(code[i]), i))
            lines = list(code[student])
            if len(lines) > EXAMPLE:
                lines[EXAMPLE:] = [pages.Line(pages.LEFT_OUT, "...")]
            name = room.misconceptions.values[misconception]
            found.append(
                Named(
                    misconception, name, number, len(students), len(students) / len(e.cells),
                    _think(e, student, name), student, lines,
                )
            )  # fmt: skip
    return sorted(found, key=lambda m: (-m.students, m.exercise, m.name))


def _think(e: _Exercise, student: int, misconception: str) -> str:
    for *_, text in e.results.values[e.cells[student].results]:
        said = pages.said(*e.texts.values[text])
        if said.looks_like == misconception and said.think:
            return said.think
    return ""


class Answer(NamedTuple):
    student: int
    exercise: int
    outcome: str
    seconds: float


def _slowest(room: _Room) -> list[Answer]:
    found = (
        Answer(i, number, e.kind(i).outcome, seconds)
        for number, e in enumerate(room.exercises)
        for i, seconds in e.seconds.items()
    )
    return sorted(found, key=lambda a: (-a.seconds, a.student, a.exercise))[:SLOWEST]


def _failed(room: _Room) -> list[Answer]:
    found = [
        Answer(i, number, e.kind(i).outcome, e.seconds[i])
        for number, e in enumerate(room.exercises)
        for i in e.cells
        if e.kind(i).outcome in FAILURES
    ]
    return sorted(found, key=lambda a: (FAILURES.index(a.outcome), a.student, a.exercise))


def _similar(room: _Room) -> list[tuple[similar.Group, list[tuple[int, float]]]]:
    answers: list[dict[str, str]] = [{} for _ in room.students]
    known = []
    for number, e in enumerate(room.exercises):
        for folder in ("exercises", "solutions"):
            known.append(_joined(pages.stub(e.lesson, folder).excerpt(e.name)))
        for student, cell in e.cells.items():
            if e.kind(student).outcome != "todo":
                answers[student][str(number)] = _joined(e.codes.values[cell.code])
    return [
        (group, [(int(number), alike) for number, alike in group.exercises])
        for group in similar.groups(answers, known)
    ]


def _joined(code: Sequence[pages.Line]) -> str:
    return "\n".join(line.text for line in code if line.number != pages.LEFT_OUT)
