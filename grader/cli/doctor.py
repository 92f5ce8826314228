"""`grader doctor`: what this machine has, and which reference would be used and why."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import typer

from grader import lessons, versions
from grader.problem import Problem

PACKAGES = [
    "gpt2-exercise-kit", "torch", "transformer-lens", "transformers", "pytest", "einops",
    "jaxtyping", "nbformat",
]  # fmt: skip


def doctor(
    reference: str = typer.Option(
        "auto", help="auto, gpt2-tiny, gpt2-small or a checkpoint folder."
    ),
    device: str = typer.Option("auto", help="auto, cpu, cuda or mps."),
    prove: bool = typer.Option(
        False,
        "--prove",
        help="Try an attack of each kind on this machine's sandbox, and say which walls hold.",
    ),
) -> None:
    """Print what this machine has, and which reference would be used and why.

    Exit code with --prove: 0 all walls hold here; 1 one does not; 4 there is no sandbox.
    """
    if prove:
        _prove()
        return
    for name, value in list(findings(reference, device)):  # all of it or an error, not both
        typer.echo(f"{name:<20}{value}")


def _prove() -> None:
    if lessons.are_recorded():
        raise Problem("Nothing is graded with this kit, so there are no walls to prove.")
    from grader.classroom import isolation

    walls = isolation.bubblewrap()
    from grader.classroom.prove import ATTEMPTS, prove

    typer.echo(f"{'isolation':<20}{_isolation()}")
    typer.echo(f"Trying {len(ATTEMPTS)} attacks here, beside honest answers. It takes a minute.")
    found = prove(walls)
    for finding in found:
        typer.echo(str(finding))
    broken = [finding.name for finding in found if finding.fault]
    if broken:
        typer.echo(
            f"{len(broken)} of {len(found)} walls do not hold on this machine "
            f"({', '.join(broken)}). Grade no strangers' work on it.",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"All {len(found)} walls hold on this machine.")


def findings(reference_name: str, device: str) -> Iterator[tuple[str, str]]:
    """(what, finding) in the order to print them.

    Raises:
        Unavailable: the reference or device asked for cannot be had.
    """
    from grader.inside import reference

    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    for package in PACKAGES:
        yield package, versions.installed(package)
    yield "devices", ", ".join(reference.available_devices())
    if lessons.are_recorded():
        from grader.verdict import recorded

        reference_name, device = recorded.settings(reference_name, device)
    found, where = reference.find(reference_name), reference.pick_device(device)
    yield "reference", f"{found.name} on {where.type} ({found.why})"
    yield "checkpoint", str(found.folder)
    if not lessons.are_recorded():  # else nothing is graded here
        yield "isolation", _isolation()


def _isolation() -> str:
    """Of `grader grade`; `pytest exercises` runs answers in its own process."""
    from grader.classroom import isolation
    from grader.inside.confine import Limits

    try:
        walls = isolation.bubblewrap()
    except isolation.CannotIsolate as why:
        return f"none: {why}"
    return (
        f"bubblewrap {walls.version} at {walls.path}; memory, processes and processor time are "
        f"counted by {isolation.counter(Limits())}"
    )
