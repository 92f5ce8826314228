"""Gradebooks written and asked, also by other processes."""

import os  # noqa: F401 for those scripts
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from grader.gradebook.book import Gradebook
from grader.gradebook.opening import Unusable
from grader.gradebook.rows import Conditions, Result

CONDITIONS = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("public",), "bubblewrap", 10.0)
PASSED = Result("softmax", "sums_to_one", "passed", 5, 5)
WRONG = Result("softmax", "is_stable", "wrong", 0, 5, "one maximum for all", "Look:\n\tnan", 0.25)


def fill(path, students=("ann", "bob"), lessons=("lesson1", "lesson2"), results=(PASSED, WRONG)):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        for student in students:
            submission = add(gradebook, run, student)
            for lesson in lessons:
                gradebook.record(run, submission, student, lesson, "key", results)
        gradebook.end_run(run)


def add(gradebook, run, student, digest="d1", origin="here", counts=True, refused=""):
    return gradebook.add_submission(run, student, digest, {}, origin, counts, [], refused)


def rows(path, student=None):
    with Gradebook.open(path, writing=False) as gradebook:
        return list(gradebook.current(student))


def sql(path, question):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def refusal(path, writing):
    with pytest.raises(Unusable) as raised:
        Gradebook.open(path, writing).close()
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
    return str(raised.value)


def python(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# What scripts begin with that run elsewhere.
PRELUDE = f"""
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
sys.path[:0] = {sys.path!r}
from bookkeeping import *
from grader.gradebook.book import Gradebook
from grader.gradebook.opening import Unusable
folder = Path(sys.argv[1])
path = folder / "class.gradebook"
"""
