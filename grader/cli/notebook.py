"""`grader notebook`: lessons as notebooks, and a notebook as a lesson."""

from __future__ import annotations

import sys
from pathlib import Path

import typer


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
    from grader import lessons
    from grader.notebooks import files
    from grader.verdict import load

    if extract:
        from grader.intake.reader import Reader

        with Reader() as reader:
            module = reader.module(extract)
        if to is None:
            sys.stdout.buffer.write(module)
        else:
            files.write_module(module, to, force)
        return
    names = lessons.named(lesson)
    folder = files.lessons_folder("solutions" if solutions else "exercises")
    to = to or Path("notebooks", "solved" if solutions else "")
    exercises = {name: [e.name for e in load.exercises(name)] for name in names}
    for path in files.write(exercises, folder, to, kit, force):
        typer.echo(path)
