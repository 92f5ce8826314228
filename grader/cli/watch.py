"""`grader watch`: an exercise is checked as soon as its file is saved."""

from __future__ import annotations

from pathlib import Path

import typer


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
    from grader.desk.watch import watch

    watch.watch(answers, lesson, reference, device)
