"""`grader grade`: a class through the sandbox, into the gradebook, and what the instructor sees."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from grader.classroom import grade_class, isolation
from grader.classroom.order import Order
from grader.gradebook.book import Gradebook
from grader.inside.confine import Limits
from handin import (
    FIRST,
    GRADER,
    LESSONS,
    as_handed_in,
    export,
    grade,
    grader,
    hand_in,
    needs_isolation,
    solved,
    stub,
)
from warm import as_it_was

pytestmark = needs_isolation


def test_the_export_does_not_depend_on_the_terminal(tmp_path):
    source = FIRST + list(as_handed_in("softmax"))[1][1]
    hand_in(tmp_path / "class", "Ann", lesson3_logits=source)
    grade(tmp_path / "class", tmp_path / "narrow", COLUMNS="70")
    grade(tmp_path / "class", tmp_path / "wide", COLUMNS="140")
    narrow, wide = (grader("export", tmp_path / name).stdout for name in ("narrow", "wide"))
    assert "looks like" in wide
    assert narrow == wide


def a_small_class(folder):
    for i in range(12):
        answers = solved("lesson1_tokens") + f"\n# {i}\n"
        hand_in(folder / "class", f"student{i:02}", lesson1_tokens=answers)


@pytest.fixture
def small(tmp_path):
    """A class of one pure lesson, in which nothing but the tokenizer is needed."""
    a_small_class(tmp_path)
    return tmp_path / "class", tmp_path / "gradebook"


def gradings(gradebook):
    with Gradebook.open(gradebook, writing=False) as book:
        return [(g.student, g.lesson, g.is_current, g.points) for g in book.gradings()]


def test_only_what_has_changed_is_graded_again(small):
    folder, gradebook = small
    assert "12 graded, 0 unchanged" in grade(folder, gradebook).stdout
    assert "0 graded, 12 unchanged" in grade(folder, gradebook).stdout
    hand_in(folder, "student03", lesson1_tokens=stub("lesson1_tokens"))
    assert "1 graded, 11 unchanged" in grade(folder, gradebook).stdout
    theirs = [g[2:] for g in gradings(gradebook) if g[0] == "student03"]
    assert theirs == [(False, 140), (True, 0)]
    hand_in(folder, "student03", lesson1_tokens=solved("lesson1_tokens") + "\n# 3\n")
    ran = grade(folder, gradebook, "--regrade", "--lesson", "1")
    assert "12 graded, 0 unchanged" in ran.stdout
    assert len(gradings(gradebook)) == 12 + 1 + 12


def test_grading_one_lesson_leaves_the_others_as_they_are(tmp_path):
    folder, gradebook = tmp_path / "class", tmp_path / "gradebook"
    both = {lesson: solved(lesson) for lesson in ("lesson1_tokens", "lesson2_embedding")}
    hand_in(folder, "Ann", **both)
    hand_in(folder, "Bob", lesson2_embedding=solved("lesson2_embedding"))
    said = grade(folder, gradebook, "--lesson", "1").stdout
    assert "1 graded, 1 unchanged, 0 that could not be read" in said
    said = grade(folder, gradebook, "--lesson", "lesson2_embedding", "--lesson", "1").stdout
    assert "2 graded, 0 unchanged" in said
    before = grader("export", gradebook).stdout
    assert "2 graded, 0 unchanged" in grade(folder, gradebook, "--lesson", "2", "--regrade").stdout
    assert grader("export", gradebook).stdout == before
    assert {(row["student"], row["lesson"]) for row in export(gradebook)} == {
        ("Ann", "lesson1_tokens"),
        ("Ann", "lesson2_embedding"),
        ("Bob", "lesson2_embedding"),
    }


def test_grades_kept_from_other_versions_of_what_computes_are_said_in_one_line(tmp_path):
    folder, gradebook = tmp_path / "class", tmp_path / "gradebook"
    hand_in(folder, "Ann", lesson2_embedding=solved("lesson2_embedding"))
    assert "versions" not in grade(folder, gradebook).stdout
    now = grade_class.versions()
    assert re.fullmatch(r"torch [\d.]+\S*, transformers [\d.]+, transformer-lens [\d.]+", now)
    with sqlite3.connect(gradebook) as db:
        assert db.execute("SELECT versions FROM runs").fetchall() == [(now,)]
        db.execute("UPDATE runs SET versions = ?", (re.sub(r"torch \S+,", "torch 1.0,", now),))
    db.close()
    hand_in(folder, "Bob", lesson2_embedding=solved("lesson2_embedding"))
    said = grade(folder, gradebook).stdout
    torch = now.split(", ")[0].removeprefix("torch ")
    assert said.count("1 lesson keeps its grade by other versions (torch 1.0, now ") == 1
    assert f"(torch 1.0, now {torch}). `--regrade`" in said
    assert "versions" not in grade(folder, gradebook, "--regrade").stdout


@pytest.fixture
def endless(small):
    """The same class and one more student, at whom a run stops until somebody ends it."""
    hand_in(small[0], "zoe", lesson1_tokens="while True: pass\n")
    return small


PATIENCE = ("--timeout", "3600")


def start(folder, gradebook, *options):
    def as_in_a_terminal():  # whoever starts us in the background may ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [GRADER, "grade", folder, "--gradebook", gradebook, "--reference", "gpt2-tiny", *PATIENCE,
         *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=as_in_a_terminal,
    )  # fmt: skip


def go_on(folder, gradebook):
    """The run after one that was ended."""
    hand_in(folder, "zoe", lesson1_tokens=solved("lesson1_tokens"))
    return grade(folder, gradebook, *PATIENCE).stdout


def wait_for(gradebook, n):
    until = time.monotonic() + 300
    while time.monotonic() < until:
        if gradebook.exists() and gradebook.stat().st_size:
            try:
                if len(gradings(gradebook)) >= n:
                    return
            except Exception:  # it is just being made
                pass
        time.sleep(0.02)
    raise AssertionError("nothing was graded")


def started_by(pid):
    """The processes that a process has started, and those that they have."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:  # it has just ended
            continue
        parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    found, left = set(), {pid}
    while left:
        left = {child for child, parent in parents.items() if parent in left}
        found |= left
    return found


def gone(pids):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What comes of the class of `endless` where nobody ends the run."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    a_small_class(folder)
    go_on(folder / "class", folder / "gradebook")
    return grader("export", folder / "gradebook").stdout


thorough = pytest.mark.thorough


@pytest.mark.parametrize("at", [4, *(pytest.param(n, marks=thorough) for n in (1, 9))])
def test_a_run_that_is_killed_is_finished_by_the_next_one(endless, at, uninterrupted):
    folder, gradebook = endless
    process = start(folder, gradebook, "--jobs", "2")
    wait_for(gradebook, at)
    children = started_by(process.pid)
    process.kill()
    process.communicate()
    assert len(children) >= 2
    assert gone(children), "the sandbox outlives the grader"
    done = len(gradings(gradebook))
    assert done < 13
    assert f"{13 - done} graded, {done} unchanged" in go_on(folder, gradebook)
    assert grader("export", gradebook).stdout == uninterrupted


def test_ctrl_c_stops_it_and_says_how_to_go_on(endless):
    folder, gradebook = endless
    process = start(folder, gradebook, "--jobs", "1")
    wait_for(gradebook, 2)
    children = started_by(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    assert gone(children)
    assert "13 submissions" in go_on(folder, gradebook)


def test_a_second_run_on_one_gradebook_is_refused(endless):
    folder, gradebook = endless
    process = start(folder, gradebook, "--jobs", "1")
    wait_for(gradebook, 1)
    ran = grade(folder, gradebook, code=4)
    assert "in use by another run" in ran.stderr
    assert ran.stderr.count("\n") == 1
    wait_for(gradebook, 12)  # which the second one has not disturbed
    process.kill()
    process.communicate()


def test_without_isolation_it_works_and_is_marked(small):
    folder, gradebook = small
    ran = grade(folder, gradebook, "--isolation", "none", "--lesson", "lesson1_tokens")
    assert "WITHOUT ISOLATION" in ran.stdout
    assert {row["outcome"] for row in export(gradebook)} == {"passed"}
    assert "12 graded" in grade(folder, gradebook).stdout  # what was graded so does not count


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lesson", "9"], "There is no lesson '9'"),
        (["--reference", "nowhere"], "no folder 'nowhere'"),
        (["--device", "mps"], "cpu or cuda"),
        (["--hidden-seed-file", "nowhere"], "--hidden-seed-file: nowhere cannot be read"),
        (["--gradebook", "nowhere/gradebook"], "There is no folder"),
    ],
)
def test_what_cannot_begin_is_one_line_and_exit_code_4(
    small, options, words, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    ran = grader("grade", small[0], *options, code=4)
    assert words in ran.stderr
    assert ran.stderr.startswith("ERROR: ")
    assert ran.stderr.count("\n") == 1


def test_no_class_is_one_line(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        assert grade(folder, tmp_path / "g", code=4).stderr.count("\n") == 1


def test_results_and_export_of_no_gradebook_are_one_line(tmp_path):
    for command in ("results", "export"):
        ran = grader(command, tmp_path / "nothing", code=4)
        assert ran.stderr.startswith("ERROR: There is no gradebook")
        assert ran.stderr.count("\n") == 1


def test_a_lesson_that_turns_up_late_is_graded_like_the_others(tmp_path, monkeypatch):
    """Only what is needed for the lessons of those looked at ahead is loaded."""
    monkeypatch.setattr(grade_class, "AHEAD", 1)
    one, two = (solved(lesson) for lesson in ("lesson1_tokens", "lesson2_embedding"))
    hand_in(tmp_path / "class", "Ann", lesson1_tokens=one)
    hand_in(tmp_path / "class", "Bob", lesson1_tokens=one, lesson2_embedding=two)
    hand_in(tmp_path / "class", "Cy", lesson1_tokens=one)
    made = []
    order = Order(
        tmp_path / "class", LESSONS, tmp_path / "gradebook", 1, [], "gpt2-tiny", "cpu", Limits(),
        False, isolation.bubblewrap(), [],
    )  # fmt: skip
    with as_it_was(), Gradebook.open(order.gradebook, writing=True) as book:
        room = grade_class.Classroom(order, book)
        room.grade(lambda doing: made.append(doing))
    assert made.count("warming up") == 2
    assert room.tally.finished == 3
    assert [(student, points) for student, _, _, points in gradings(order.gradebook)] == [
        ("Ann", 140), ("Bob", 140), ("Bob", 50), ("Cy", 140),
    ]  # fmt: skip
