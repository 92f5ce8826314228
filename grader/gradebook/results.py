"""The gradebook for people: a class in one table, one student in full.

A student's text is never read as rich's markup, and the gradebook holds none that a terminal would
obey. Where the console is no terminal, no line is broken or cut.
"""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from grader.gradebook.book import Gradebook
from grader.gradebook.exports import totals
from grader.gradebook.rows import Grading, HandedIn, Row
from grader.gradebook.schema import OUTCOMES
from grader.gradebook.whom import NoSuchStudent, whom

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from grader.gradebook.exports.late import Policy

NO_ISOLATION = "none"
REMARKS = 3  # of a student, in the table


def table(gradebook: Gradebook, console: Console, policy: Policy | None = None) -> None:
    """A row per student: points by lesson and in all, what a late policy leaves of them, how many
    checks had which outcome, and what else an instructor must not miss.

    Raises Unusable."""
    from rich import box
    from rich.measure import Measurement
    from rich.table import Table

    graded: dict[str, dict[str, Grading]] = defaultdict(dict)
    handed_in: dict[str, list[HandedIn]] = defaultdict(list)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for grading in gradebook.gradings():
        if grading.is_current:
            graded[grading.student][grading.lesson] = grading
    for submission in gradebook.handed_in():
        handed_in[submission.student].append(submission)
    for student, outcome, count in gradebook.outcomes():
        outcomes[student][outcome] = count
    current = [grading for lessons in graded.values() for grading in lessons.values()]
    lessons = sorted({grading.lesson for grading in current})
    occurring = [o for o in OUTCOMES if any(counts[o] for counts in outcomes.values())]

    final = _finals(gradebook, policy)
    sums = ("total", "final") if policy else ("total",)
    remarks = {
        student: [
            "; ".join([*_state(submissions, theirs), *final.get(student, ("", ()))[1]]),
            *_remarks(submissions, theirs),
        ]
        for student, submissions in handed_in.items()
        for theirs in [graded[student].values()]
    }

    def drawn(occurring: Sequence[str]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("student", overflow="fold")
        narrow = [lesson.replace("_", "\n", 1) for lesson in lessons]
        for heading in (*(narrow if console.is_terminal else lessons), *sums, *occurring):
            table.add_column(heading, justify="right", no_wrap=True)
        for student in handed_in:
            theirs = graded[student]
            cells = [
                student,
                *(_points([theirs[lesson]]) if lesson in theirs else "-" for lesson in lessons),
                _points(theirs.values()) if theirs else "-",
                *([final[student][0] if theirs else "-"] if policy else []),
                *(str(outcomes[student][outcome]) for outcome in occurring),
            ]
            table.add_row(*(_text(console, cell) for cell in cells))
        return table

    def width(table: Table) -> int:
        unbounded = console.options.update(max_width=1_000_000)
        return Measurement.get(console, unbounded, table).maximum

    table = drawn(occurring)
    if not console.is_terminal:
        console.width = max(console.width, width(table))
    elif width(table) > console.width:  # points before counts
        table = drawn([])
    console.print(table)
    for student, lines in remarks.items():
        for said in filter(None, lines):
            _line(console, f"{student}: {said}")
    _line(console, f"students: {len(handed_in)}")
    for condition, count in conditions(current):
        _line(console, f"lessons graded against {condition}: {count}")


def _finals(
    gradebook: Gradebook, policy: Policy | None, only: str | None = None
) -> dict[str, tuple[str, list[str]]]:
    """Student -> what is left of all their points, and why."""
    if policy is None:
        return {}
    return {s.name: (f"{s.final:f}", s.late) for s in totals.students(gradebook, policy, (), only)}


def student(
    gradebook: Gradebook, name: str, console: Console, policy: Policy | None = None
) -> None:
    """Everything there is about one student, what their code printed included.

    Raises NoSuchStudent, Unusable."""
    submissions = list(gradebook.handed_in(name))
    if not submissions:
        raise NoSuchStudent(whom(name, gradebook.students()))
    gradings = list(gradebook.gradings(name))
    current = {grading.lesson: grading for grading in gradings if grading.is_current}
    _line(console, f"{submissions[0].student}  {_points(current.values())} points", "bold")
    for final, late in _finals(gradebook, policy, name).values():
        _line(console, f"{final} points with what being late costs", "bold")
        _block(console, "\n".join(late), 2)
    by_lesson = groupby(gradebook.current(name), key=lambda row: row.lesson)
    results = {lesson: list(rows) for lesson, rows in by_lesson}
    for lesson, grading in current.items():
        _line(console, "")
        _line(console, f"{lesson}  {_points([grading])}", "bold")
        _line(console, f"  graded {grading.graded}, {isolated(grading.isolation)}")
        _block(console, grading.remarks, 2)
        for line in _feedback(results.get(lesson, [])):
            _line(console, line)
        if grading.printed:
            _line(console, "  Their code printed:")
            _block(console, grading.printed, 6)
    _line(console, "")
    _line(console, "Handed in", "bold")
    for submission in submissions:
        state = "counts" if submission.counts else "replaced by a later one"
        when = f"  {submission.submitted} ({submission.submitted_by})"
        at = when if submission.submitted else ""
        _line(console, f"  {submission.origin}  {submission.digest[:12]}  {state}{at}")
        if submission.refused:
            _line(console, f"    cannot be read: {submission.refused}")
        _block(console, submission.remarks, 4)
    if earlier := [grading for grading in gradings if not grading.is_current]:
        _line(console, "")
        _line(console, "No longer current", "bold")
        for grading in earlier:
            _line(console, f"  {grading.lesson}  {_points([grading])}  graded {grading.graded}")


def _feedback(rows: Iterable[Row]) -> Iterator[str]:
    said: set[str] = set()
    for exercise, group in groupby(rows, key=lambda row: row.exercise):
        checks = list(group)
        yield f"  {exercise}  {_points(checks)}"
        for row in checks:
            if row.outcome == "passed" and not row.feedback:
                continue
            yield f"    {row.check}: {row.outcome}, {_points([row])}"
            if row.misconception and row.misconception not in row.feedback:
                yield f"      {row.misconception}"
            if row.feedback in said:
                yield "      (as above)"
            elif row.feedback:
                said.add(row.feedback)
                yield _indented(row.feedback, 6)


def _state(submissions: Sequence[HandedIn], gradings: Iterable[Grading]) -> Iterator[str]:
    counting = [submission for submission in submissions if submission.counts]
    refused = [f"cannot be read: {s.refused}" for s in counting if s.refused]
    yield from refused
    if not gradings and not refused:
        yield "not graded yet"
    if any(grading.isolation == NO_ISOLATION for grading in gradings):
        yield isolated(NO_ISOLATION)
    if not any(submission.is_of_last_run for submission in submissions):
        yield "not in the last run"
    if replaced := len(submissions) - len(counting):
        yield f"replaced submissions: {replaced}"


def _remarks(submissions: Sequence[HandedIn], gradings: Iterable[Grading]) -> list[str]:
    """What of a submission was not used, as far as a table has room for it."""
    told = [g.remarks for g in gradings] + [s.remarks for s in submissions if s.counts]
    lines = [line for remarks in told for line in remarks.splitlines()]
    more = len(lines) - REMARKS
    return lines[:REMARKS] + ([f"{more} more remarks, see --student"] if more > 0 else [])


def conditions(gradings: Iterable[Grading]) -> list[tuple[str, int]]:
    """Against what they were graded, and how many lessons were."""
    counted = Counter(f"{g.reference} on {g.device}, {isolated(g.isolation)}" for g in gradings)
    return sorted(counted.items())


def isolated(isolation: str) -> str:
    return "WITHOUT ISOLATION" if isolation == NO_ISOLATION else f"isolated by {isolation}"


def _points(scored: Iterable[Grading | Row]) -> str:
    scored = list(scored)
    return f"{sum(s.points for s in scored)}/{sum(s.max_points for s in scored)}"


def _block(console: Console, text: str, indent: int) -> None:
    if text:
        _line(console, _indented(text, indent))


def _indented(text: str, by: int) -> str:
    return textwrap.indent(text.rstrip("\n"), " " * by)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(_text(console, text, style), soft_wrap=True)


def _text(console: Console, text: str, style: str = "") -> Text:
    """What the console's encoding lacks is written out."""
    from rich.text import Text

    return Text(text.encode(console.encoding, "backslashreplace").decode(console.encoding), style)
