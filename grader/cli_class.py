"""What an instructor does with the `grader` command."""

from __future__ import annotations

import os
import zipfile
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
    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    junit = "junit"


class By(str, Enum):
    lesson = "lesson"
    total = "total"


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
    late_policy: Path = typer.Option(
        None, metavar="FILE", help="What handing in late costs (YAML); shows what is left, too."
    ),
) -> None:
    """Show a gradebook: the class in one table, or one student in full."""
    from grader import results
    from grader.exports.command import policy_of
    from grader.gradebook import Gradebook

    with Gradebook.open(gradebook, writing=False) as book:
        policy = policy_of(book, late_policy)
        if student:
            results.student(book, student, _console(), policy)
        else:
            results.table(book, _console(), policy)


@commands.command()
def export(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    format: Format = typer.Option(
        Format.csv, help="csv, json and junit have a record for each check."
    ),
    to: Path = typer.Option(
        None,
        show_default="standard output",
        help="Where to write it; a folder for gradescope, which gets a results.json per student.",
    ),
    roster: Path = typer.Option(
        None,
        metavar="FILE",
        help="What Canvas or Moodle itself exports: its gradebook or grading worksheet, in which "
        "grades are filled in.",
    ),
    by: By = typer.Option(
        None,
        show_default="lesson for canvas, total for moodle",
        help="A column for each lesson, or one for their sum.",
    ),
    column: list[str] = typer.Option(
        [],
        metavar="LESSON=TITLE",
        help="Which column of Canvas's a lesson goes to, where its title does not say so; with "
        "--by total, TITLE alone.",
    ),
    lesson: list[str] = typer.Option([], help="Only this lesson; more than once for several."),
    student: str = typer.Option("", help="Only this one, as the class names them."),
    late_policy: Path = typer.Option(
        None, metavar="FILE", help="What handing in late costs, as a YAML file."
    ),
) -> None:
    """Write grades for another program, or for the platform that the class hands in on."""
    from grader.exports import command
    from grader.gradebook import Gradebook
    from grader.lessons import named

    _must_not_be(to, gradebook, roster, late_policy)
    order = command.Order(
        format=format.value,
        to=to,
        lessons=named(lesson) if lesson else (),
        student=student or None,
        late_policy=late_policy,
        roster=roster,
        by_lesson=None if by is None else by is By.lesson,
        titles=column,
    )
    with Gradebook.open(gradebook, writing=False) as book:
        remarks = command.write(book, order)
    for remark in remarks:
        typer.echo(remark, err=True)


@commands.command()
def report(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    to: Path = typer.Option("report.html", help="Where to write it."),
) -> None:
    """Write the class as one page: results, points, misconceptions, what failed, who wrote alike.

    To be opened in a browser, which it asks for nothing from elsewhere.
    """
    from grader import report
    from grader.gradebook import Gradebook

    _must_not_be(to, gradebook)
    with Gradebook.open(gradebook, writing=False) as book:
        students = report.write(book, to)
    typer.echo(f"{to}: {students} students, {to.stat().st_size / 1e6:.1f} MB.")


@commands.command()
def feedback(
    gradebook: Path = typer.Argument(metavar="FILE", help="A gradebook."),
    to: Path = typer.Option(..., metavar="DIR", help="A folder; it is made where there is none."),
    student: str = typer.Option("", help="Only this one, as the class names them."),
) -> None:
    """Write a page for each student, to be given to them: their code beside what failed.

    index.csv beside the pages says whose each is. That is for you and not for students.
    """
    from grader import feedback_pages
    from grader.gradebook import Gradebook

    with Gradebook.open(gradebook, writing=False) as book:
        written = feedback_pages.write(book, to, student or None)
    typer.echo(f"{to}: {written} pages.")


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
    kit: str = typer.Option(
        "..", help="What a notebook installs on Colab or Kaggle: the URL that you hand this out at."
    ),
) -> None:
    """Write the kit that students get: stubs, notebooks, and recorded answers to be held against.

    Without solutions, checks and misconceptions, but with the same outcomes and words.
    """
    from grader import release
    from grader.lessons import named

    chosen = named(lessons)
    console = _console(stderr=True)
    with console.status("", spinner="line") as status:
        release.write(release.Order(to, chosen, title, due, solutions, kit), status.update)
    names = ", ".join(chosen)
    typer.echo(f"{to}: {names}, {'with' if solutions else 'without'} solutions.")


package = typer.Typer(
    help="Write what grades one submission at a time, elsewhere.", no_args_is_help=True
)
commands.add_typer(package, name="package")


@package.command()
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
    from grader import package
    from grader.lessons import named

    if to.exists() and not zipfile.is_zipfile(to):
        raise Problem(f"{to} is there already, and no archive. Name another file.")
    secret = _secret(hidden_seed_file) if hidden_seed_file is not None else ""
    order = package.Order(to, named(lesson), secret, timeout, isolation.value)
    package.gradescope(order)
    typer.echo(f"{to}: {to.stat().st_size / 1e6:.0f} MB, {len(order.lessons)} lessons.")


@package.command()
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
    from grader import package

    if not kit and not (to / "grader" / "recorded").is_dir():
        raise Problem(f"{to} is no kit as `grader release` writes it. Name one, or give --kit.")
    typer.echo(package.github(to, kit, force))


def _must_not_be(to: Path | None, *read: Path | None) -> None:
    """What is written may not take the place of what it is made of."""
    if to is not None and to.resolve() in [path.resolve() for path in read if path is not None]:
        raise Problem(f"--to {to} would replace what it is made of. Name another file.")


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
