"""`grader grade`: a class through the sandbox into a gradebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grader.cli.options import Isolation, secret_of, terminal
from grader.problem import Problem

if TYPE_CHECKING:
    from grader.classroom.grade_class import Classroom


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
    from grader.classroom import grade_class
    from grader.classroom import isolation as walls
    from grader.classroom.order import Order
    from grader.gradebook import results
    from grader.gradebook.book import Gradebook
    from grader.inside.confine import Limits
    from grader.lessons import named

    if device not in ("auto", "cpu", "cuda"):
        raise Problem(f"A class is graded on cpu or cuda, and not on {device!r}.")
    device = "cuda" if device == "cuda" else "cpu"
    chosen = named(lesson)
    order = Order(
        folder=class_folder,
        lessons=chosen,
        gradebook=gradebook,
        jobs=jobs or _processors(),
        hidden_seeds=[secret_of(hidden_seed_file)] if hidden_seed_file is not None else [],
        reference=reference,
        device=device,
        limits=Limits(seconds=timeout),
        regrade=regrade,
        walls=walls.chosen("none" if isolation is Isolation.none else "bubblewrap"),
        secrets=[class_folder, gradebook, *filter(None, [hidden_seed_file])],
    )
    with Gradebook.open(gradebook, writing=True) as book:
        room = grade_class.Classroom(order, book)
        _grade_with_bar(room)
    tally, versions = room.tally, grade_class.versions()
    with Gradebook.open(gradebook, writing=False) as book:
        results.table(book, terminal())
        kept = book.kept(versions)
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
    if kept:
        typer.echo(_by_other_versions(kept, versions))
    if tally.faults:
        raise typer.Exit(1)


def _by_other_versions(kept: list[tuple[str, int]], now: str) -> str:
    current = dict(one.split(" ", 1) for one in now.split(", "))
    then = {one: None for versions, _ in kept for one in versions.split(", ")}
    others = [
        f"{one}, now {current.get(one.partition(' ')[0], 'not asked for')}"
        for one in then
        if one not in now.split(", ")
    ]
    n = sum(count for _, count in kept)
    return (
        f"{n} {'lesson keeps its grade' if n == 1 else 'lessons keep their grades'} by other "
        f"versions ({'; '.join(others)}). `--regrade` grades all of them again."
    )


def _grade_with_bar(room: Classroom) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    tally = room.tally
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(compact=True), TextColumn("{task.fields[outcomes]}"),
    )  # fmt: skip
    console = terminal(stderr=True)
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


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
