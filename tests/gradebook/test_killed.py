"""A gradebook whose writer is killed."""

import random
import signal
import time

import pytest

from bookkeeping import CONDITIONS, python, rows, sql


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


CHECKS = 40
WORKER = f"""
import sys
from pathlib import Path
from grader.gradebook.schema import OUTCOMES
from grader.gradebook.rows import Conditions, Result
from grader.gradebook.book import Gradebook
path, students = Path(sys.argv[1]), int(sys.argv[2])
print("opening", flush=True)
with Gradebook.open(path, writing=True) as gradebook:
    run = gradebook.begin_run({CONDITIONS}, "class", "folder")
    said = False
    for n in range(students):
        who, files = f"student{{n}}", {{"lesson1": f"x = {{n}}"}}
        submission = gradebook.add_submission(run, who, f"digest{{n}}", files, who, True, [])
        for lesson in ("lesson1", "lesson2"):
            if not gradebook.is_graded(who, lesson, "key"):
                if not said:
                    said = print("recording", flush=True) is None
                results = [
                    Result(f"exercise{{k}}", "check", OUTCOMES[(n + k) % 7], 0, 5, "", f"{{n + k}}")
                    for k in range({CHECKS})
                ]
                gradebook.record(run, submission, who, lesson, "key", results)
    gradebook.end_run(run)
"""


def kill(after, delay, *arguments):
    """Start a worker, wait for what it says and a little longer, kill it. Was it still running?"""
    with python(WORKER, *arguments) as worker:
        for line in worker.stdout:
            if line.strip() == after:
                break
        time.sleep(delay)
        worker.kill()
        return worker.wait() == -signal.SIGKILL


def everything(path):
    """What is in it, but for runs and times."""
    return [
        sql(path, "SELECT student, digest, origin, counts, remarks, refused FROM submissions"),
        sql(path, "SELECT submission, name, source FROM files ORDER BY 1, 2"),
        sql(
            path, "SELECT submission, student, lesson, key, latest, printed, remarks FROM gradings"
        ),
        sql(path, "SELECT * FROM results ORDER BY grading, position"),
    ]


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.thorough)])
def test_killed_and_run_again_it_is_as_if_it_had_never_been(path, tmp_path, times):
    draw = random.Random(0)
    for moment in range(times):
        assert kill("recording", draw.uniform(0, 0.025), path, 10**9)  # never done by itself
        if moment % 2:  # else it is the next run that finds what the killed one left
            assert sql(path, "PRAGMA integrity_check") == [("ok",)]
            whole = sql(path, "SELECT count(*) FROM results GROUP BY grading")
            assert set(whole) <= {(CHECKS,)}
    [[gradings]] = sql(path, "SELECT count(*) FROM gradings")
    assert gradings > times
    students = gradings // 2 + 10
    for finished in (path, tmp_path / "uninterrupted"):
        with python(WORKER, finished, students) as worker:
            worker.communicate()
        assert worker.returncode == 0
    assert everything(path) == everything(finished)
    assert rows(path) == rows(finished)


@pytest.mark.parametrize("times", [3, pytest.param(12, marks=pytest.mark.thorough)])
def test_killed_while_it_is_made_it_is_made_by_the_next_run(tmp_path, times):
    draw = random.Random(0)
    for moment in range(times):
        path = tmp_path / f"gradebook{moment}"
        kill("opening", draw.uniform(0, 0.04), path, 10)
        with python(WORKER, path, 10) as worker:
            worker.communicate()
        assert worker.returncode == 0
        assert len(rows(path)) == 20 * CHECKS


def test_readers_see_whole_gradings_while_a_run_writes(path):
    with python(WORKER, path, 300) as worker:
        while worker.stdout.readline().strip() != "recording":
            pass
        seen = []
        while worker.poll() is None:
            seen.append(len(rows(path)))
        assert worker.returncode == 0
    assert len(set(seen)) > 3
    assert seen == sorted(seen)
    assert all(n % CHECKS == 0 for n in seen)
