"""The `grader` command.

Exit codes: 0, all is well; 1, something was not graded; 2, a wrong option; 4, it cannot be done,
and why is the one line on standard error; 130, stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from grader.problem import Problem

if TYPE_CHECKING:
    from grader.classroom import Classroom

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


class Isolation(str, Enum):
    bubblewrap = "bubblewrap"
    none = "none"


class Format(str, Enum):
    csv = "csv"
    json = "json"


@app.command()
def grade(
    class_folder: Path = typer.Argument(
        metavar="CLASS",
        show_default=False,
        help="A folder with one file or folder for each student, or the unpacked export of Canvas, "
        "Moodle, Gradescope or GitHub Classroom.",
    ),
    gradebook: Path = typer.Option(
        "gradebook.sqlite", help="Where grades are kept. What is in it already is not graded again."
    ),
    jobs: int = typer.Option(
        0, min=0, show_default="one per processor", help="How many submissions to run at a time."
    ),
    lesson: list[str] = typer.Option(
        [], help="Only this lesson (lesson3_logits, or 3). May be given more than once."
    ),
    hidden_seed_file: Path = typer.Option(
        None, help="A file with a secret line, from which further cases are made."
    ),
    reference: str = typer.Option(
        "auto", help="auto, gpt2-tiny, gpt2-small or a checkpoint folder."
    ),
    device: str = typer.Option("cpu", help="Where answers and the reference run: cpu or cuda."),
    timeout: float = typer.Option(
        10.0,
        min=0.5,
        help="Seconds of processor time for one exercise, and for importing one lesson; three "
        "times as many on the clock.",
    ),
    regrade: bool = typer.Option(False, "--regrade", help="Grade what has not changed, too."),
    isolation: Isolation = typer.Option(
        Isolation.bubblewrap,
        help="none is for submissions that you trust: it holds them to limits only.",
    ),
) -> None:
    """Grade a folder of submissions that need not be trusted.

    Results are kept as they come. Stop it at any time; the same command goes on where it stopped,
    and grades only what has changed since.

    Exit code 0: all that could be read was graded; 1: something could not be, and the same command
    tries it again; 2: a wrong option; 4: it cannot begin; 130: stopped.
    """
    from grader import classroom, results
    from grader import isolation as walls
    from grader.confine import Limits
    from grader.gradebook import Gradebook
    from grader.lessons import named

    if device not in ("auto", "cpu", "cuda"):
        raise Problem(f"A class is graded on cpu or cuda, and not on {device!r}.")
    device = "cuda" if device == "cuda" else "cpu"
    chosen = named(lesson)
    order = classroom.Order(
        folder=class_folder,
        lessons=chosen,
        gradebook=gradebook,
        jobs=jobs or _processors(),
        hidden_seeds=[_secret(hidden_seed_file)] if hidden_seed_file is not None else [],
        reference=reference,
        device=device,
        limits=Limits(seconds=timeout),
        regrade=regrade,
        walls=walls.chosen("none" if isolation is Isolation.none else "bubblewrap"),
        secrets=[class_folder, gradebook, *filter(None, [hidden_seed_file])],
    )
    with Gradebook.open(gradebook, writing=True) as book:
        room = classroom.Classroom(order, book)
        _grade_with_bar(room)
    tally = room.tally
    with Gradebook.open(gradebook, writing=False) as book:
        results.table(book, _console())
    for remark in room.found.remarks:
        typer.echo(remark)
    for fault in tally.faults:
        typer.echo(f"Not graded: {fault}", err=True)
    typer.echo(
        f"{tally.submissions} submissions ({room.found.layout}): "
        f"{tally.finished - tally.unchanged - tally.refused - len(tally.faults)} graded, "
        f"{tally.unchanged} unchanged, {tally.refused} that could not be read. "
        f"`grader results {gradebook} --student NAME` shows one in full."
    )
    if tally.faults:
        raise typer.Exit(1)


def _grade_with_bar(room: Classroom) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    tally = room.tally
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(compact=True), TextColumn("{task.fields[outcomes]}"),
    )  # fmt: skip
    console = _console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=tally.submissions, outcomes="")

        def report(doing: str) -> None:
            outcomes = "  ".join(f"{count} {outcome}" for outcome, count in tally.outcomes.items())
            bar.update(task, description=doing, completed=tally.finished, outcomes=outcomes)

        try:
            room.grade(report)
            report("done")
        except KeyboardInterrupt:
            bar.stop()
            typer.echo(
                f"Stopped. {tally.finished} of {tally.submissions} submissions are graded and "
                "kept; the same command goes on from there.",
                err=True,
            )
            raise typer.Exit(130) from None


@app.command()
def results(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    student: str = typer.Option("", help="One student's full feedback, as the class names them."),
) -> None:
    """Show a gradebook: the class in one table, or one student in full."""
    from grader import results
    from grader.gradebook import Gradebook

    with Gradebook.open(gradebook, writing=False) as book:
        if student:
            results.student(book, student, _console())
        else:
            results.table(book, _console())


@app.command()
def export(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    format: Format = typer.Option(Format.csv, help="One record per check."),
    to: Path = typer.Option(None, show_default="standard output", help="Where to write it."),
) -> None:
    """Write all grades for another program: csv, or a json list of objects."""
    from grader import export
    from grader.gradebook import Gradebook

    with Gradebook.open(gradebook, writing=False) as book:
        if to is None:
            with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
                export.write(book, format.value, out)
            return
        try:
            with open(to, "w", encoding="utf-8", newline="") as out:
                export.write(book, format.value, out)
        except OSError as problem:
            raise Problem(f"{to} cannot be written ({problem.strerror}).") from None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _secret(path: Path) -> str:
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise Problem(f"--hidden-seed-file: {path} cannot be read ({problem}).") from None
    if not secret:
        raise Problem(f"--hidden-seed-file: {path} is empty. Write a secret line into it.")
    return secret


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr)


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
