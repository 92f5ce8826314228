"""`grader export`: grades for another program, or for the platform that the class hands in on."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer

from grader.cli.options import must_not_be


class Format(str, Enum):
    csv = "csv"
    json = "json"
    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    junit = "junit"


class By(str, Enum):
    lesson = "lesson"
    total = "total"


def export(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    format: Format = typer.Option(
        Format.csv, help="csv, json and junit have a record for each check."
    ),
    to: Path = typer.Option(
        None,
        show_default="standard output",
        help="Where to write it; a folder for gradescope, which gets a results.json per student.",
    ),
    roster: Path = typer.Option(
        None,
        metavar="FILE",
        help="What Canvas or Moodle itself exports: its gradebook or grading worksheet, in which "
        "grades are filled in.",
    ),
    by: By = typer.Option(
        None,
        show_default="lesson for canvas, total for moodle",
        help="A column for each lesson, or one for their sum.",
    ),
    column: list[str] = typer.Option(
        [],
        metavar="LESSON=TITLE",
        help="Which column of Canvas's a lesson goes to, where its title does not say so; with "
        "--by total, TITLE alone.",
    ),
    lesson: list[str] = typer.Option([], help="Only this lesson; more than once for several."),
    student: str = typer.Option("", help="Only this one, as the class names them."),
    late_policy: Path = typer.Option(
        None, metavar="FILE", help="What handing in late costs, as a YAML file."
    ),
) -> None:
    """Write grades for another program, or for the platform that the class hands in on."""
    from grader.gradebook.book import Gradebook
    from grader.gradebook.exports import command
    from grader.lessons import named

    must_not_be(to, gradebook, roster, late_policy)
    order = command.Order(
        format=format.value,
        to=to,
        lessons=named(lesson) if lesson else (),
        student=student or None,
        late_policy=late_policy,
        roster=roster,
        by_lesson=None if by is None else by is By.lesson,
        titles=column,
    )
    with Gradebook.open(gradebook, writing=False) as book:
        remarks = command.write(book, order)
    for remark in remarks:
        typer.echo(remark, err=True)
