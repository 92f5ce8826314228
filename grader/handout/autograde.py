"""What runs in Gradescope's container: one submission in, results.json out.

The folders are those of Gradescope's documentation: BASE/source is the archive that
`grader package gradescope` wrote, BASE/submission what a student handed in,
BASE/submission_metadata.json who and when, BASE/results/results.json what comes of it. BASE is
/autograder, or what AUTOGRADER_BASE says.

Where the sandbox does not work, nothing is graded unless the archive was packed with
`--isolation none`. Where something fails that is not the student's fault, results.json says so.

With a hidden seed each submission is graded twice, first without it: what students are shown of
their answers' doings is from there, where no hidden case has been.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.gradebook.exports import gradescope
from grader.problem import Problem

if TYPE_CHECKING:
    from grader.gradebook.book import Gradebook

BASE = "/autograder"
SETTINGS = "settings.json"
SEED = "hidden_seed.txt"
ASK = "Ask your instructor to run the autograder again."
UNPACKED = "The archive is not as `grader package gradescope` writes it. Make it anew."


class NotGraded(Problem):
    """Why there is no grade, in one line for the instructor."""


def main() -> None:
    base = Path(os.environ.get("AUTOGRADER_BASE", BASE))
    try:
        results = grade(base)
    except Problem as problem:
        print(problem, file=sys.stderr)
        results = no_grade(str(problem))
    except BaseException as problem:  # rather than nothing
        traceback.print_exc()
        results = no_grade("".join(traceback.format_exception(problem)))
    gradescope.write(base / "results" / "results.json", results)


def no_grade(details: str = "") -> dict[str, Any]:
    """`details` are for instructors only."""
    return gradescope.failed(ASK, details)


def grade(base: Path) -> dict[str, Any]:
    """Raises NotGraded and other `Problem`s, and whatever a defect of the kit's raises."""
    from grader import lessons
    from grader.classroom import isolation
    from grader.gradebook.exports.totals import students

    settings = _settings(base)
    chosen = lessons.named(settings["lessons"])
    walls = isolation.chosen(settings["isolation"])  # refuses where there can be none
    seed = _read(base / "source" / SEED).strip() if (base / "source" / SEED).exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        shown = {}
        if seed:
            with _graded(base, Path(folder, "shown"), chosen, [], walls, settings) as book:
                shown = {(r.lesson, r.exercise, r.check): r for r in book.current()}
        seeds = [seed] if seed else []
        with _graded(base, Path(folder, "all"), chosen, seeds, walls, settings) as book:
            [student] = list(students(book))
            found = gradescope.of_student(student, book, shown, _told(walls is None))
    handed_in = {lesson.name for lesson in student.lessons}
    missing = [f"{name}: not handed in." for name in chosen if name not in handed_in]
    if student.lessons and missing:
        found["output"] = "\n".join([found["output"], *missing]).strip()
    return found


def _graded(
    base: Path, to: Path, chosen: Sequence[str], seeds: list[str], walls: Any, settings: Any
) -> Gradebook:
    """A gradebook with what came of it, open to read."""
    from grader.classroom import grade_class
    from grader.classroom.order import Order
    from grader.gradebook.book import Gradebook
    from grader.inside.confine import Limits
    from grader.intake import classes, layouts

    submission = base / "submission"
    if not submission.is_dir():
        raise NotGraded(f"There is no {submission}.")
    name, time = _metadata(base / "submission_metadata.json")
    by = layouts.GRADESCOPE if time else layouts.UNKNOWN
    entry = classes.Entry(name, (submission,), times={submission: (time, by)})
    order = Order(
        folder=submission,
        lessons=chosen,
        gradebook=to,
        jobs=1,
        hidden_seeds=seeds,
        reference="gpt2-tiny",
        device="cpu",
        limits=Limits(seconds=float(settings["timeout"])),
        regrade=False,
        walls=walls,
        secrets=[base / "source", base / "results", submission, to.parent],
        found=classes.Class("Gradescope", [entry]),
    )
    with Gradebook.open(to, writing=True) as book:
        room = grade_class.Classroom(order, book)
        room.grade(print)
        if room.tally.faults:
            raise NotGraded(room.tally.faults[0])
    return Gradebook.open(to, writing=False)


def _told(without_isolation: bool) -> list[str]:
    if not without_isolation:
        return []
    return [
        "Graded without the sandbox, as this archive was packed (--isolation none): the submission"
        " ran in Gradescope's container beside solutions and hidden seed, and could have read them."
    ]


def _settings(base: Path) -> dict[str, Any]:
    try:
        settings = json.loads(_read(base / "source" / SETTINGS))
    except ValueError:
        raise NotGraded(UNPACKED) from None
    if not isinstance(settings, dict) or {"lessons", "timeout", "isolation"} - settings.keys():
        raise NotGraded(UNPACKED)
    return settings


def _metadata(path: Path) -> tuple[str, str]:
    """Who handed it in, and when (ISO 8601 in UTC); what it does not say is left open."""
    from datetime import datetime, timezone

    from grader.intake.words import clean

    name, time = "", ""
    try:
        found = json.loads(path.read_text("utf-8"))
        name = ", ".join(str(user["name"]) for user in found["users"])
        created = datetime.fromisoformat(found["created_at"].replace("Z", "+00:00"))
        time = created.astimezone(timezone.utc).isoformat(timespec="seconds")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return clean(name) or "submission", time


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NotGraded(f"{path} cannot be read ({problem}). {UNPACKED}") from None


if __name__ == "__main__":
    main()
