"""What an instructor does with the `grader` command."""

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

commands = typer.Typer()


def add_to(app: typer.Typer) -> None:
    app.add_typer(commands)


class Isolation(str, Enum):
    bubblewrap = "bubblewrap"
    none = "none"


class Format(str, Enum):
    csv = "csv"
    json = "json"


@commands.command()
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


@commands.command()
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


@commands.command()
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


new = typer.Typer(help="Begin something of your own.", no_args_is_help=True)
commands.add_typer(new, name="new")


@new.command()
def lesson(
    name: str = typer.Argument(help="What it is about, for example attention."),
) -> None:
    """Write a lesson's three files, with one exercise worked out, to be replaced by your own."""
    from grader import new_lesson

    written = new_lesson.write(name)
    for path in written:
        typer.echo(path)
    typer.echo(f"`pytest tests -k {written[0].stem}` says what is missing, as you go.")


@commands.command()
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
) -> None:
    """Write the kit that students get: stubs, notebooks, and recorded answers to be held against.

    Without solutions, checks and misconceptions, but with the same outcomes and words.
    """
    from grader import release
    from grader.lessons import named

    chosen = named(name for said in lessons for name in said.split(",") if name)
    console = _console(stderr=True)
    with console.status("", spinner="line") as status:
        release.write(release.Order(to, chosen, title, due, solutions), status.update)
    typer.echo(f"{to}: {len(chosen)} lessons, {'with' if solutions else 'without'} solutions.")


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
