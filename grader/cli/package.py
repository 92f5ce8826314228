"""`grader package`: what grades one submission at a time, elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

import typer

from grader.cli.options import Isolation, secret_of
from grader.problem import Problem

group = typer.Typer(
    help="Write what grades one submission at a time, elsewhere.", no_args_is_help=True
)


@group.command()
def gradescope(
    to: Path = typer.Option(..., metavar="ZIP", help="The archive, to be uploaded."),
    lesson: list[str] = typer.Option([], help="Only this lesson; more than once for several."),
    hidden_seed_file: Path = typer.Option(
        None, help="A file with a secret line, from which further cases are made."
    ),
    timeout: float = typer.Option(10.0, min=0.5, help="Seconds for one exercise, as in grade."),
    isolation: Isolation = typer.Option(
        Isolation.bubblewrap,
        help="none where Gradescope's containers do not allow the sandbox. Submissions then run "
        "beside solutions and hidden seed, and may read them.",
    ),
) -> None:
    """Write an autograder for Gradescope, which grades each submission in the sandbox."""
    from grader.handout import package
    from grader.lessons import named

    if to.exists() and not zipfile.is_zipfile(to):
        raise Problem(f"{to} is there already, and no archive. Name another file.")
    secret = secret_of(hidden_seed_file) if hidden_seed_file is not None else ""
    order = package.Order(to, named(lesson), secret, timeout, isolation.value)
    package.gradescope(order)
    typer.echo(f"{to}: {to.stat().st_size / 1e6:.0f} MB, {len(order.lessons)} lessons.")


@group.command()
def github(
    to: Path = typer.Option(..., metavar="DIR", help="The repository that students get."),
    kit: str = typer.Option(
        "",
        metavar="OWNER/NAME[@REF]",
        help="A repository with the kit as `grader release` writes it, to be graded with; by "
        "default the student's own repository is one, and they can change it.",
    ),
    force: bool = typer.Option(False, "--force", help="Replace a workflow that is there already."),
) -> None:
    """Write a GitHub Actions workflow, which grades a student's repository on each push."""
    from grader.handout import package

    if not kit and not (to / "grader" / "recorded").is_dir():
        raise Problem(f"{to} is no kit as `grader release` writes it. Name one, or give --kit.")
    typer.echo(package.github(to, kit, force))
