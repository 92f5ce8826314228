"""What the class page is made of: what each cell of it shows, and every text once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Grading, HandedIn, Row
from grader.intake.reader import Excerpt, Reader
from grader.outcome import worst
from grader.words import SEVERAL

T = TypeVar("T", bound=Hashable)


class Table(Generic[T]):
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
class Exercise:
    lesson: str
    name: str
    max_points: int = 0
    kinds: Table[Kind] = field(default_factory=Table)
    # Of each: check, outcome, points, max_points, number of its text.
    results: Table[tuple[tuple[str, str, int, int, int], ...]] = field(default_factory=Table)
    texts: Table[tuple[str, str]] = field(default_factory=Table)  # feedback, misconception
    codes: Table[Excerpt] = field(default_factory=Table)
    cells: dict[int, Cell] = field(default_factory=dict)  # student -> cell
    seconds: dict[int, float] = field(default_factory=dict)

    def kind(self, student: int) -> Kind:
        return self.kinds.values[self.cells[student].kind]


@dataclass
class Room:
    students: list[str]
    handed_in: dict[int, list[HandedIn]]
    gradings: dict[int, list[Grading]]
    exercises: list[Exercise]  # by lesson, in the order of its checks
    misconceptions: Table[str]


def read(gradebook: Gradebook) -> Room:
    students = gradebook.students()
    numbers = {name: i for i, name in enumerate(students)}
    handed_in: dict[int, list[HandedIn]] = defaultdict(list)
    for submission in gradebook.handed_in():
        handed_in[numbers[submission.student]].append(submission)
    gradings: dict[int, list[Grading]] = defaultdict(list)
    for grading in gradebook.gradings():
        if grading.is_current:
            gradings[numbers[grading.student]].append(grading)
    found: dict[str, dict[str, Exercise]] = defaultdict(dict)
    misconceptions: Table[str] = Table()
    sources = gradebook.sources()
    source = next(sources, None)
    with Reader() as reader:
        for (name, lesson), rows in _grouped(gradebook.current()):
            while source is not None and source[:2] < (name, lesson):
                source = next(sources, None)
            text = source[2] if source is not None and source[:2] == (name, lesson) else ""
            for exercise in rows:
                found[lesson].setdefault(exercise, Exercise(lesson, exercise))
            code = reader.excerpts(text, lesson, list(found[lesson]))
            for exercise, checks in rows.items():
                _add(found[lesson][exercise], numbers[name], checks, code[exercise], misconceptions)
    for _ in sources:  # none is left open when the gradebook is closed
        pass
    exercises = [e for lesson in sorted(found) for e in found[lesson].values()]
    return Room(students, handed_in, gradings, exercises, misconceptions)


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
    exercise: Exercise,
    student: int,
    checks: Sequence[Row],
    code: Excerpt,
    misconceptions: Table[str],
) -> None:
    several = (r.misconception.split(SEVERAL) for r in checks if r.misconception)
    named = sorted({misconceptions.number(name) for names in several for name in names})
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
