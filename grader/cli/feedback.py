"""`grader feedback`: a page for each student."""

from __future__ import annotations

from pathlib import Path

import typer


def feedback(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    to: Path = typer.Option(..., metavar="DIR", help="A folder; it is made where there is none."),
    student: str = typer.Option("", help="Only this one, as the class names them."),
) -> None:
    """Write a page for each student, to be given to them: their code beside what failed.

    index.csv beside the pages says whose each is. That is for you and not for students.
    """
    from grader.gradebook import feedback_pages
    from grader.gradebook.book import Gradebook

    with Gradebook.open(gradebook, writing=False) as book:
        written = feedback_pages.write(book, to, student or None)
    typer.echo(f"{to}: {written} pages.")
