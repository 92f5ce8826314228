"""`grader hint`: the next hint to an exercise."""

from __future__ import annotations

import typer


def hint(
    exercise: str = typer.Argument(help="The exercise, for example softmax."),
    again: bool = typer.Option(False, help="Begin with the first hint again."),
) -> None:
    """Print the next hint to an exercise: what to think about, then what to use."""
    from difflib import get_close_matches

    from grader.desk import hint

    found = hint.find(exercise)
    if found is None:
        close = get_close_matches(exercise, hint.names(), n=3, cutoff=0.4)
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        typer.echo(f"ERROR: there is no exercise {exercise!r}.{meant}", err=True)
        raise typer.Exit(4)
    number = hint.next_one(found, again)
    left = len(found.hints) - number
    typer.echo(f"Hint {number} of {len(found.hints)}: {found.hints[number - 1]}")
    typer.echo(f"{left} more to go." if left else "That was the last one.")
    try:
        hint.remember(found, number)
    except OSError as error:
        typer.echo(f"I cannot remember that you have seen it: {error}", err=True)
