"""Classes of submissions, and the real commands on them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import warm
from grader.classroom import isolation
from grader.classroom.isolation import CannotIsolate
from grader.lessons import KIT as ROOT

GRADER = Path(sys.executable).parent / "grader"


def isolated():
    try:
        isolation.bubblewrap()
    except CannotIsolate:
        return False
    return True


needs_isolation = pytest.mark.skipif(not isolated(), reason="this machine has no sandbox")


def solved(lesson):
    return (ROOT / "solutions" / f"{lesson}.py").read_text()


def stub(lesson):
    return (ROOT / "exercises" / f"{lesson}.py").read_text()


def hand_in(folder, student, **lessons):
    """A folder of a student's, with these sources of lessons in it."""
    (folder / student).mkdir(parents=True, exist_ok=True)
    for lesson, source in lessons.items():
        (folder / student / f"{lesson}.py").write_text(source)


def grader(*arguments, code=0, timeout=300, **environment):
    ran = subprocess.run(
        [GRADER, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
    return ran


def grade(folder, gradebook, *options, code=0, **environment):
    ran = warm.grade(folder, gradebook, "--reference", "gpt2-tiny", *options, **environment)
    assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
    return ran


def export(gradebook):
    return json.loads(grader("export", gradebook, "--format", "json").stdout)


def outcomes(gradebook):
    """(student, exercise) -> the outcomes of its checks."""
    found = {}
    for row in export(gradebook):
        found.setdefault((row["student"], row["exercise"]), []).append(row["outcome"])
    return found
