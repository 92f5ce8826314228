"""What each student has, lesson by lesson: points made, and what is left of them if it is late."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from heapq import merge
from itertools import groupby
from typing import Any

from grader.gradebook.book import Gradebook
from grader.gradebook.exports.late import Judgement, Policy, final
from grader.gradebook.rows import Row
from grader.gradebook.whom import NoSuchStudent, whom


@dataclass(frozen=True)
class Lesson:
    name: str
    rows: list[Row]
    late: Judgement

    @property
    def points(self) -> int:
        return sum(row.points for row in self.rows)

    @property
    def max_points(self) -> int:
        return sum(row.max_points for row in self.rows)

    @property
    def final(self) -> Decimal:
        return final(self.points, self.late.percent)


@dataclass(frozen=True)
class Student:
    name: str
    lessons: list[Lesson]  # those that have been graded
    refused: list[str] = field(default_factory=list)  # why what they handed in cannot be read

    @property
    def points(self) -> int:
        return sum(lesson.points for lesson in self.lessons)

    @property
    def max_points(self) -> int:
        return sum(lesson.max_points for lesson in self.lessons)

    @property
    def final(self) -> Decimal:
        return sum((lesson.final for lesson in self.lessons), Decimal(0))

    def without_words(self) -> Student:
        """Small enough to keep a class in memory."""
        lessons = [
            replace(one, rows=[row._replace(feedback="") for row in one.rows])
            for one in self.lessons
        ]
        return replace(self, lessons=lessons)

    @property
    def late(self) -> list[str]:
        """A sentence for each lesson that there is something to say of."""
        return [f"{one.name}: {one.late.says}" for one in self.lessons if one.late.says]


def students(
    gradebook: Gradebook,
    policy: Policy | None = None,
    lessons: Collection[str] = (),
    only: str | None = None,
) -> Generator[Student, None, None]:
    """Whoever handed in something, in the gradebook's order, one after the other; of these lessons,
    or of all.

    Raises NoSuchStudent (where there is no `only`), Unusable."""
    if only is not None and not list(gradebook.handed_in(only)):
        raise NoSuchStudent(whom(only, gradebook.students()))
    with ExitStack() as cleanup:  # what is read may not outlive the gradebook
        reads: list[Any] = [
            gradebook.handed_in(only),
            gradebook.submitted(only),
            gradebook.current(only),
        ]
        streams = [
            cleanup.enter_context(closing(_tagged(kind, read))) for kind, read in enumerate(reads)
        ]
        for name, items in groupby(merge(*streams, key=lambda i: i[:2]), key=lambda i: i[0]):
            yield _student(name, list(items), policy, lessons)


def _tagged(kind: int, read: Any) -> Generator[tuple[str, int, Any], None, None]:
    for item in read:
        yield (item.student if hasattr(item, "student") else item[0]), kind, item


def _student(
    name: str, items: list[tuple[str, int, Any]], policy: Policy | None, wanted: Collection[str]
) -> Student:
    refused = [s.refused for _, kind, s in items if kind == 0 and s.counts and s.refused]
    times = {t[1]: t[2:] for _, kind, t in items if kind == 1}
    rows = [row for _, kind, row in items if kind == 2 and (not wanted or row.lesson in wanted)]
    found = []
    for lesson, group in groupby(rows, key=lambda row: row.lesson):
        late = policy.judge(name, lesson, *times[lesson]) if policy else Judgement()
        found.append(Lesson(lesson, list(group), late))
    return Student(name, found, refused)
