"""The `grader` command: a file for each of its own commands.

Exit codes: 0, all is well; 1, something was not graded; 2, a wrong option; 4, it cannot be done,
and why is the one line on standard error; 130, stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from grader.problem import Problem

STUDENTS = ("doctor", "hint", "notebook", "watch")
INSTRUCTORS = ("grade", "results", "export", "report", "feedback", "release", "new", "package")

app = typer.Typer(
    help="Tools around the GPT-2 exercises. The exercises themselves run with `pytest exercises`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for name in (*STUDENTS, *INSTRUCTORS):
    if find_spec(f"{__name__}.{name}") is None:  # in a kit that was handed out
        continue
    command = import_module(f"{__name__}.{name}")
    if hasattr(command, "group"):
        app.add_typer(command.group, name=name)
    else:
        app.command()(getattr(command, name))


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
