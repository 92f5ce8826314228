"""What Gradescope's autograders answer: a results.json for each submission.

The fields are those of its documentation (gradescope-autograders.readthedocs.io, "Autograder
Specifications"). `score` stands above the sum of the tests' scores; all texts are plain text;
standard output is for instructors only.

Where a grading had hidden cases, students are shown outcomes and points of it and nothing else:
what an answer did, printed or raised may hold a hidden case. All of it is in a test that only
instructors see. `shown` is a grading of the same submission without hidden cases, whose words
students may read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader import whole
from grader.gradebook.book import Gradebook
from grader.gradebook.exports.totals import Student
from grader.gradebook.rows import Row
from grader.problem import Problem

VISIBLE, HIDDEN = "visible", "hidden"
TEXT = "text"
SECRET = "It fails on a case that is kept secret, and so is not shown."
WITHHELD = "What went wrong is not shown: it was graded with cases that are kept secret, too."
OUTPUT = 50_000  # characters of one text
Key = tuple[str, str, str]  # lesson, exercise, check


class CannotWrite(Problem):
    """Where results cannot be put: one line."""


def of_student(
    student: Student,
    gradebook: Gradebook,
    shown: Mapping[Key, Row] | None = None,
    for_instructors: Sequence[str] = (),
) -> dict[str, Any]:
    """Raises Unusable."""
    gradings = [g for g in gradebook.gradings(student.name) if g.is_current]
    has_hidden = gradebook.has_hidden_cases(student.name)
    tests: list[dict[str, Any]] = []
    told = list(for_instructors)
    told += [f"{g.lesson}: graded without isolation." for g in gradings if g.isolation == "none"]
    for i, lesson in enumerate(student.lessons, 1):
        for j, row in enumerate(lesson.rows, 1):
            output, said = row.feedback, row.outcome
            if has_hidden:
                public = (shown or {}).get((row.lesson, row.exercise, row.check))
                output = _output(row, public)
                if public is None or public.outcome == "passed":
                    said = "failed"  # in which way could tell of a hidden case
                if row.feedback and row.feedback != output:
                    told += [f"{row.lesson}, {row.exercise}, {row.check}:", row.feedback, ""]
            tests.append({
                "name": f"{row.lesson}: {row.exercise}: {row.check}",
                "number": f"{i}.{j}",
                "score": row.points,
                "max_score": row.max_points,
                "status": "passed" if row.outcome == "passed" else "failed",
                "output": _text(output if row.outcome == "passed" else f"{said}\n{output}"),
                "visibility": VISIBLE,
            })  # fmt: skip
    told += [f"{g.lesson}: their code printed:\n{g.printed}" for g in gradings if g.printed]
    says = [f"Cannot be read: {why}" for why in student.refused]
    # What of the files was not used is known without any case.
    says += [
        line
        for submission in gradebook.handed_in(student.name)
        if submission.counts
        for line in submission.remarks.splitlines()
    ]
    (told if has_hidden else says).extend(
        f"{g.lesson}: {line}" for g in gradings for line in g.remarks.splitlines()
    )
    if told:
        # Without points, so that what students see adds up.
        tests.append({
            "name": "For instructors", "status": "passed", "output": _text("\n".join(told)),
            "score": 0, "max_score": 0, "visibility": HIDDEN,
        })  # fmt: skip
    if not student.lessons and not says:
        says.append("None of the lessons that are graded here was handed in.")
    return {
        "score": float(student.final),
        "output": _text("\n".join([*says, *student.late])),
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "visibility": VISIBLE,
        "stdout_visibility": HIDDEN,
        "tests": tests,
        "extra_data": {
            "points": student.points,
            "max_points": student.max_points,
            "late_percent": {one.name: float(one.late.percent) for one in student.lessons},
        },
    }


def _output(row: Row, public: Row | None) -> str:
    if public is not None and public.outcome != "passed":
        return public.feedback
    if row.outcome == "passed":
        return public.feedback if public is not None else ""
    return WITHHELD if public is None else SECRET


def failed(why: str, details: str = "") -> dict[str, Any]:
    """Where there is no grade, through no fault of the student's. Gradescope wants a score: it is
    0, and the words say what to do."""
    tests = []
    if details:
        tests.append({
            "name": "For instructors", "status": "failed", "output": _text(details),
            "score": 0, "max_score": 0, "visibility": HIDDEN,
        })  # fmt: skip
    return {
        "score": 0,
        "output": f"This was not graded, and the score of 0 says nothing of your work. {why}",
        "output_format": TEXT,
        "test_output_format": TEXT,
        "visibility": VISIBLE,
        "stdout_visibility": HIDDEN,
        "tests": tests,
    }


def dumped(results: Mapping[str, Any]) -> str:
    return json.dumps(results, indent=2) + "\n"


def write(path: Path, results: Mapping[str, Any]) -> None:
    """All of it or nothing. Raises CannotWrite."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole.writing(path) as file:
            file.write(dumped(results))
    except OSError as problem:
        raise CannotWrite(f"{path} cannot be written ({problem.strerror}).") from None


def _text(text: str) -> str:
    return text if len(text) <= OUTPUT else f"{text[:OUTPUT]}\n... ({len(text):,} characters)"
