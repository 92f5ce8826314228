"""Classes of submissions, and the real commands on them."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import warm
from grader import lessons
from grader.classroom import isolation
from grader.classroom.isolation import CannotIsolate
from grader.lessons import KIT as ROOT
from grader.verdict import load

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


def notebook(*cells, **more):
    """The text of one with these code cells, and `more` beside them."""
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells], **more})


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


LESSONS = lessons.names()
EXERCISES = {e.name: e for lesson in LESSONS for e in load.exercises(lesson)}
LESSON_OF = {e.name: lesson for lesson in LESSONS for e in load.exercises(lesson)}


def replaced(lesson, **functions):
    """A solved lesson with some functions as given."""
    return "\n".join([solved(lesson), *functions.values()])


NOT_HANDED_IN = ("__future__", "grader", "TYPE_CHECKING", "Exercise(", "texts.")


def as_handed_in(exercise):
    """(Misconception, what a lesson's file holds in which only that function is there); of those
    that are written out in the exercise's checks."""
    known = {m.implementation.__name__: m for m in EXERCISES[exercise].misconceptions}
    lesson = LESSON_OF[exercise]
    shared, misconceptions = [], []
    for name in ("shared", exercise):
        path = ROOT / "grader" / "checks" / lesson / f"{name}.py"
        for node in ast.parse(path.read_text()).body if path.exists() else ():
            text = ast.unparse(node)
            decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", [])]
            if any(d.endswith(".misconception") for d in decorators):
                misconceptions.append(node)
            elif any(".check(" in d for d in decorators):
                continue
            elif not isinstance(node, ast.Expr) and not any(w in text for w in NOT_HANDED_IN):
                text = text.replace(f"from solutions import {lesson} as", "import earlier as")
                shared.append(text.replace(f"from solutions.{lesson}", "from earlier"))
    for i, node in enumerate(misconceptions):
        node.decorator_list.pop()
        misconception = known[node.name]
        called = f"{exercise}_{i}"  # unlike all others of the lesson
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and name.id == node.name:
                name.id = called
        node.name = called
        source = [*shared, "import torch", ast.unparse(node), f"{exercise} = {called}"]
        yield misconception, "\n".join(source)


FIRST = "from __future__ import annotations\n"
