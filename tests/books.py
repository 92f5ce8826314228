"""Gradebooks to try things on."""

from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Conditions, Result

BUBBLEWRAP = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("s3cret",), "bubblewrap", 10.0)
NOTHING = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("s3cret",), "none", 10.0)
PASSED = Result("softmax", "sums_to_one", "passed", 5, 5, seconds=0.9)
WRONG = Result("softmax", "is_stable", "wrong", 0, 5, "one maximum", "Look:\n\tnan", 1.9)
TODO = Result("loss", "is_a_mean", "todo", 0, 10)
HOSTILE = '\x1b]0;owned\x07\r\n[red]"quoted", and; more[/red]\0\ud800 :smile: Ġ'


def grade(path, given, conditions=BUBBLEWRAP, **more):
    """given: student -> lesson -> results."""
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(conditions, "class", "folder")
        for student, lessons in given.items():
            submission = gradebook.add_submission(run, student, "d1", {}, f"{student}.py", True, [])
            for lesson, recorded in lessons.items():
                gradebook.record(run, submission, student, lesson, "key", recorded, **more)
        gradebook.end_run(run)


def refuse(path, student, why="broken.zip: no zip. Pack it again.", counts=True):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(BUBBLEWRAP, "class", "folder")
        gradebook.add_submission(run, student, "", {}, "broken.zip", counts, [], why)
