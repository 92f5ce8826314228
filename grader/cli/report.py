"""`grader report`: the class as one page."""

from __future__ import annotations

from pathlib import Path

import typer

from grader.cli.options import must_not_be


def report(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    to: Path = typer.Option("report.html", help="Where to write it."),
) -> None:
    """Write the class as one page: results, points, misconceptions, what failed, who wrote alike.

    To be opened in a browser, which it asks for nothing from elsewhere.
    """
    from grader.gradebook import report
    from grader.gradebook.book import Gradebook

    must_not_be(to, gradebook)
    with Gradebook.open(gradebook, writing=False) as book:
        students = report.write(book, to)
    typer.echo(f"{to}: {students} students, {to.stat().st_size / 1e6:.1f} MB.")
