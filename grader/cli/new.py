"""`grader new`: begin something of your own."""

from __future__ import annotations

from pathlib import Path

import typer

from grader.problem import Problem

group = typer.Typer(help="Begin something of your own.", no_args_is_help=True)


@group.command()
def lesson(
    name: str = typer.Argument(help="What it is about, for example attention."),
) -> None:
    """Write a lesson's files, with one exercise worked out, to be replaced by your own."""
    from grader.handout import new

    _say(new.lesson(name))


@group.command()
def exercise(
    lesson: str = typer.Argument(help="Which lesson it is for: lesson3_logits, or 3."),
    name: str = typer.Argument(help="What the function is called, for example top_k_tokens."),
) -> None:
    """Write an exercise's stub, solution and checks, worked out, to be replaced by your own."""
    from grader.handout import new
    from grader.lessons import named

    found = named([lesson])
    if len(found) != 1:
        raise Problem(f"An exercise is of one lesson. Name one of {', '.join(found)}.")
    _say(new.exercise(found[0], name))


def _say(written: list[Path]) -> None:
    for path in written:
        typer.echo(path)
    typer.echo(f"`pytest tests -k {written[0].stem}` says what is missing, as you go.")
