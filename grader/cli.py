"""The `grader` command.

Exit codes: 0, all is well; 1, something was not graded; 2, a wrong option; 4, it cannot be done,
and why is the one line on standard error; 130, stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from grader.problem import Problem

app = typer.Typer(
    help="Tools around the GPT-2 exercises. The exercises themselves run with `pytest exercises`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def doctor(
    reference: str = typer.Option(
        "auto", help="auto, gpt2-tiny, gpt2-small or a checkpoint folder."
    ),
    device: str = typer.Option("auto", help="auto, cpu, cuda or mps."),
) -> None:
    """Print what this machine has, and which reference would be used and why."""
    from grader import doctor

    for name, value in list(doctor.findings(reference, device)):  # all of it or an error, not both
        typer.echo(f"{name:<20}{value}")


@app.command()
def hint(
    exercise: str = typer.Argument(help="The exercise, for example softmax."),
    again: bool = typer.Option(False, help="Begin with the first hint again."),
) -> None:
    """Print the next hint to an exercise: what to think about, then what to use."""
    from difflib import get_close_matches

    from grader import hint

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


@app.command()
def notebook(
    lesson: list[str] = typer.Option(
        [], help="Only this lesson (lesson3_logits, or 3); more than once for several."
    ),
    to: Path = typer.Option(
        None, help="A folder, default notebooks/; with --extract, a file instead of the terminal."
    ),
    solutions: bool = typer.Option(False, "--solutions", help="Solved ones, in notebooks/solved/."),
    extract: Path = typer.Option(None, metavar="FILE", help="A notebook, to make a module of."),
    kit: str = typer.Option(
        "..", help="What a notebook has pip install where the kit is not: a folder or a URL."
    ),
    force: bool = typer.Option(False, "--force", help="Replace what somebody has edited."),
) -> None:
    """Make a notebook of each lesson, or a lesson of a notebook."""
    from grader import lessons, make_notebook

    if extract:
        module = make_notebook.extract(extract, to, force)
        if to is None:
            sys.stdout.buffer.write(module)
        return
    names = lessons.named(lesson)
    folder = make_notebook.lessons_folder("solutions" if solutions else "exercises")
    to = to or Path("notebooks", "solved" if solutions else "")
    for path in make_notebook.write(names, folder, to, kit, force):
        typer.echo(path)


@app.command()
def watch(
    answers: Path = typer.Option(Path("exercises"), metavar="DIR", help="Where the lessons are."),
    lesson: list[str] = typer.Option(
        [], help="Only this lesson (lesson3_logits, or 3); more than once for several."
    ),
    reference: str = typer.Option(
        "auto", help="auto, gpt2-tiny, gpt2-small or a checkpoint folder."
    ),
    device: str = typer.Option("auto", help="auto, cpu, cuda or mps."),
) -> None:
    """Check an exercise as soon as its file is saved, until you press q."""
    from grader import watch

    watch.watch(answers, lesson, reference, device)


def _add_what_instructors_do() -> None:
    """Not there in a kit that was handed out."""
    from importlib import import_module

    try:
        instructors = import_module("grader.cli_class")
    except ModuleNotFoundError as problem:
        if problem.name != "grader.cli_class":
            raise
    else:
        instructors.add_to(app)


_add_what_instructors_do()


def main() -> None:
    try:
        app()
    except Problem as problem:
        typer.echo(f"ERROR: {problem}", err=True)
        sys.exit(4)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
