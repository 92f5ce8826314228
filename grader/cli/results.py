"""`grader results`: a gradebook in the terminal."""

from __future__ import annotations

from pathlib import Path

import typer

from grader.cli.options import terminal


def results(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    student: str = typer.Option("", help="One student's full feedback, as the class names them."),
    late_policy: Path = typer.Option(
        None, metavar="FILE", help="What handing in late costs (YAML); shows what is left, too."
    ),
) -> None:
    """Show a gradebook: the class in one table, or one student in full."""
    from grader.gradebook import results
    from grader.gradebook.book import Gradebook
    from grader.gradebook.exports.command import policy_of

    with Gradebook.open(gradebook, writing=False) as book:
        policy = policy_of(book, late_policy)
        if student:
            results.student(book, student, terminal(), policy)
        else:
            results.table(book, terminal(), policy)
