"""`grader release`: the kit that students get."""

from __future__ import annotations

from pathlib import Path

import typer

from grader.cli.options import terminal


def release(
    to: Path = typer.Option(..., help="A folder that is not there yet, or a .zip file."),
    lessons: list[str] = typer.Option(
        [], "--lessons", "--lesson", help="Only these (lesson3_logits, or 3,4); all by default."
    ),
    title: str = typer.Option("GPT-2 exercises", help="What the README is called."),
    due: str = typer.Option("", help="When it is due, as the README is to say it."),
    solutions: bool = typer.Option(
        False, "--with-solutions/--without-solutions", help="Put the solved lessons in, too."
    ),
    kit: str = typer.Option(
        "..", help="What a notebook installs on Colab or Kaggle: the URL that you hand this out at."
    ),
) -> None:
    """Write the kit that students get: stubs, notebooks, and recorded answers to be held against.

    Without solutions, checks and misconceptions, but with the same outcomes and words.
    """
    from grader.handout import release
    from grader.lessons import named

    chosen = named(lessons)
    console = terminal(stderr=True)
    with console.status("", spinner="line") as status:
        release.write(release.Order(to, chosen, title, due, solutions, kit), status.update)
    names = ", ".join(chosen)
    typer.echo(f"{to}: {names}, {'with' if solutions else 'without'} solutions.")
