"""`grader grade`: a class through the sandbox, into the gradebook, and what the instructor sees."""

import ast
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest

from grader import lessons
from grader.classroom import fingerprint, grade_class, isolation
from grader.classroom.order import Order
from grader.gradebook.book import Gradebook
from grader.inside.confine import Limits
from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED
from handin import (
    GRADER,
    ROOT,
    export,
    grade,
    grader,
    hand_in,
    needs_isolation,
    outcomes,
    solved,
    stub,
)

pytestmark = needs_isolation
LESSONS = lessons.names()
EXERCISES = {e.name: e for lesson in LESSONS for e in load.exercises(lesson)}
LESSON_OF = {e.name: lesson for lesson in LESSONS for e in load.exercises(lesson)}


def replaced(lesson, **functions):
    """A solved lesson with some functions as given."""
    return "\n".join([solved(lesson), *functions.values()])


# --- Verdicts ------------------------------------------------------------------------------------


def as_handed_in(exercise):
    """What a lesson's file holds in which only that function is there, and is a misconception; in
    the order in which the checks name them."""
    lesson = LESSON_OF[exercise]
    shared, misconceptions = [], []
    for name in ("shared", exercise):
        path = ROOT / "grader" / "checks" / lesson / f"{name}.py"
        for node in ast.parse(path.read_text()).body if path.exists() else ():
            text = ast.unparse(node)
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                if ast.unparse(node.decorator_list[-1]).endswith(".misconception"):
                    misconceptions.append(node)
            elif not any(
                w in text for w in ("__future__", "grader", "TYPE_CHECKING", "Exercise(", "texts.")
            ):
                shared.append(text.replace(f"from solutions import {lesson} as", "import earlier as")
                              .replace(f"from solutions.{lesson}", "from earlier"))  # fmt: skip
    for i, node in enumerate(misconceptions):
        node.decorator_list.pop()
        called = f"{exercise}_{i}"  # unlike all others of the lesson
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and name.id == node.name:
                name.id = called
        node.name = called
        yield "\n".join([*shared, "import torch", ast.unparse(node), f"{exercise} = {called}"])


with_judged = pytest.mark.xdist_group("judged")
FIRST = "from __future__ import annotations\n"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """(student, exercise) -> rows, of a class of solutions, stubs and every misconception: the
    first student has the first one of each exercise, and so on."""
    folder = tmp_path_factory.mktemp("judged")
    hand_in(folder / "class", "solved", **{lesson: solved(lesson) for lesson in LESSONS})
    hand_in(folder / "class", "stubs", **{lesson: stub(lesson) for lesson in LESSONS})
    wrong = defaultdict(lambda: defaultdict(lambda: FIRST))
    for exercise, lesson in LESSON_OF.items():
        for i, source in enumerate(as_handed_in(exercise)):
            wrong[i][lesson] += f"{source}\n"
    for i, files in wrong.items():
        earlier = {"earlier": solved("lesson1_tokens")} if "lesson1_tokens" in files else {}
        hand_in(folder / "class", f"wrong {i}", **files, **earlier)
    grade(folder / "class", folder / "gradebook")
    rows = defaultdict(list)
    for row in export(folder / "gradebook"):
        rows[row["student"], row["exercise"]].append(row)
    return rows


@with_judged
@pytest.mark.parametrize("exercise", EXERCISES)
def test_solutions_pass_and_stubs_are_to_do(judged, exercise):
    checks = EXERCISES[exercise].checks
    for student, outcome in (("solved", "passed"), ("stubs", "todo")):
        rows = judged[student, exercise]
        assert [row["check"] for row in rows] == [check.name for check in checks]
        assert {row["outcome"] for row in rows} == {outcome}
        points = [check.points if outcome == "passed" else 0 for check in checks]
        assert [row["points"] for row in rows] == points


@with_judged
@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_misconception_is_judged_and_named_as_in_pytest(judged, exercise, grade, questions):
    in_the_sandbox = {"memory": "error", "blocked": "error"}
    for i, misconception in enumerate(EXERCISES[exercise].misconceptions):
        rows = judged[f"wrong {i}", exercise]
        verdicts = [
            grade(c, misconception.implementation, PUBLIC_SEED) for c in EXERCISES[exercise].checks
        ]
        said = [in_the_sandbox.get(row["outcome"], row["outcome"]) for row in rows]
        assert said == [verdict.outcome.value for verdict in verdicts], misconception.name
        failed = [row for row in rows if row["outcome"] != "passed"]
        assert failed
        if any(verdict.call for verdict in verdicts):
            assert "which this exercise rules out" in failed[0]["feedback"]
            continue
        assert {row["misconception"] for row in failed} == {misconception.name}
        assert failed[0]["feedback"].startswith(f"This looks like: {misconception.name}.")


@with_judged
def test_the_feedback_is_what_pytest_says(tmp_path, judged):
    """Word for word, but for what is only on a terminal."""
    source = FIRST + next(as_handed_in("softmax"))
    hand_in(tmp_path, "answers", lesson3_logits=source)
    ran = subprocess.run(
        [GRADER.parent / "python", "-m", "pytest", "exercises/lesson3_logits.py::softmax", "--answers",
         tmp_path / "answers", "--reference", "gpt2-tiny", "-p", "no:cacheprovider"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    for row in judged["wrong 0", "softmax"]:
        assert row["feedback"].strip() in ran.stdout or row["feedback"] == "The same as above."


# --- One submission ------------------------------------------------------------------------------

HANGS = "def next_token(logits):\n    while True: pass"
EXITS = "import os\ndef append_token(tokens, token):\n    os._exit(0)"
EATS = "def argmax_decode(logits):\n    return bytearray(50_000_000_000)"
PHONES = (
    "import socket\ndef token_accuracy(*args):\n    socket.create_connection(('192.0.2.1', 80))"
)
RUNS = "import torch\n@torch.no_grad()\ndef generate_until(model, tokens, max_new_tokens, eos_token_id=50256):\n    for _ in range(max_new_tokens):\n        tokens = torch.cat([tokens, model(tokens)[:, -1:].argmax(-1)], 1)\n        if tokens[0, -1] == eos_token_id: break\n    return tokens"
RAISES = "def predicted_pairs(model, text):\n    raise ValueError('mine')"
PRINTS = "def log_softmax(x, dim):\n    print('a secret of mine \\x1b[31m')\n    return x - x.logsumexp(dim, keepdim=True)"


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """A class of all sorts, graded once."""
    folder = tmp_path_factory.mktemp("all-sorts")
    where = folder / "class"
    troubled = replaced("lesson4_decoding", a=HANGS, b=EXITS, c=EATS, d=PHONES, e=RAISES, f=RUNS)
    hand_in(
        where, "Ada", lesson4_decoding=troubled, lesson3_logits=replaced("lesson3_logits", a=PRINTS)
    )
    hand_in(where, "Ben", lesson3_logits="def softmax(x, dim):\n    return x.softmax(dim)\n")
    hand_in(where, "Cleo", lesson2_embedding=solved("lesson2_embedding") + "\nimport nowhere\n")
    hand_in(where, "Dan", lesson2_embedding="def one_hot(:\n")
    hand_in(where, "Eve", lesson2_embedding="while True: pass\n")
    hand_in(where, "Finn", lesson1_tokens=stub("lesson1_tokens") + "\nfrom exercises.lesson3_logits import softmax\n",
            lesson3_logits="from helper import softmax\n", helper="def softmax(x, dim):\n"
            "    e = (x - x.amax(dim, keepdim=True)).exp()\n    return e / e.sum(dim, keepdim=True)\n")  # fmt: skip
    cells = [
        "# a notebook\n%matplotlib inline\nimport torch",
        "this is no Python",
        solved("lesson2_embedding"),
        "1 / 0",
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "code", "id": str(i), "metadata": {}, "outputs": [], "execution_count": None,
         "source": cell} for i, cell in enumerate(cells)]}  # fmt: skip
    (where / "Gus").mkdir()
    (where / "Gus" / "lesson2_embedding.ipynb").write_text(json.dumps(notebook))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mine/lesson2_embedding.py", solved("lesson2_embedding"))
    (where / "Hana.zip").write_bytes(packed.getvalue())
    (where / "Ivo.zip").write_bytes(b"PK\3\4 broken")
    seed = folder / "seed"
    seed.write_text("a secret line\n")
    ran = grade(
        where, folder / "gradebook", "--timeout", "2", "--jobs", "2", "--hidden-seed-file", seed
    )
    return where, folder / "gradebook", ran


def test_what_ends_an_exercise_costs_that_exercise_and_nothing_else(a_class):
    found = outcomes(a_class[1])
    for exercise, outcome in {
        "next_token": "timeout", "append_token": "error", "argmax_decode": "memory",
        "token_accuracy": "blocked", "predicted_pairs": "error", "generate_until": "passed",
    }.items():  # fmt: skip
        assert set(found["Ada", exercise]) == {outcome}, exercise
    rows = [r for r in export(a_class[1]) if (r["student"], r["exercise"]) == ("Ada", "next_token")]
    assert {row["seconds"] for row in rows[:1]} == {2}
    assert "did not end in time: 2 seconds of work" in rows[0]["feedback"]


def test_a_forbidden_call_costs_the_exercise_and_the_line_is_shown(a_class):
    rows = [r for r in export(a_class[1]) if (r["student"], r["exercise"]) == ("Ben", "softmax")]
    assert {(row["outcome"], row["points"]) for row in rows} == {("wrong", 0)}
    assert "Line 2 calls x.softmax" in rows[0]["feedback"]
    assert "return x.softmax(dim)" in rows[0]["feedback"]


def test_one_lesson_cannot_keep_another_ones_source_from_being_read(tmp_path):
    """What is asked about sources is asked before any of them runs."""
    blinds = """
import gc, sys
inside = sys.modules.get("__main__")
for module in (inside, sys.modules["grader.inside.forbidden"]):
    module.in_source = lambda *_: None
sys.modules["grader.inside.run"].observation.__globals__["Watch"] = lambda function, _: type(
    "Blind", (), {"call": None, "__call__": lambda self, *a, **k: function(*a, **k)})()
"""
    calls = "def softmax(x, dim):\n    return x.softmax(dim)\n"
    hand_in(tmp_path / "class", "Bo", lesson1_tokens=blinds, lesson3_logits=calls)
    grade(tmp_path / "class", tmp_path / "gradebook")
    rows = [r for r in export(tmp_path / "gradebook") if r["exercise"] == "softmax"]
    assert {(row["outcome"], row["points"]) for row in rows} == {("wrong", 0)}


def test_a_file_that_does_not_import_is_said_once(a_class):
    rows = defaultdict(list)
    for row in export(a_class[1]):
        rows[row["student"]].append(row)
    for student, outcome, words in [
        ("Cleo", "error", "No module named 'nowhere'"),
        ("Dan", "error", "SyntaxError"),
        ("Eve", "timeout", "importing lesson2_embedding.py did not end in time"),
    ]:
        assert {row["outcome"] for row in rows[student]} == {outcome}
        assert words in rows[student][0]["feedback"]
        assert {row["feedback"] for row in rows[student][1:]} == {"The same as above."}


def test_lessons_import_one_another_and_helpers(a_class):
    found = outcomes(a_class[1])
    assert set(found["Finn", "softmax"]) == {"passed"}
    assert set(found["Finn", "sort_vocab"]) == {"todo"}
    assert set(found["Finn", "perplexity"]) == {"todo"}


def test_notebooks_and_archives_are_graded_like_files(a_class):
    found = outcomes(a_class[1])
    for student in ("Gus", "Hana"):
        assert {o for (who, _), os_ in found.items() if who == student for o in os_} == {"passed"}
    shown = grader("results", a_class[1], "--student", "Gus").stdout
    assert "code cell 2 failed" in shown
    assert "code cell 4 failed" in shown


def test_what_cannot_be_read_is_not_lost_sight_of(a_class):
    _, gradebook, ran = a_class
    assert "1 that could not be read" in ran.stdout
    [row] = [row for row in export(gradebook) if row["student"] == "Ivo"]
    assert row["outcome"] == "refused"
    assert row["feedback"]


def test_what_was_printed_is_shown_to_its_author_only(a_class):
    shown = grader("results", a_class[1], "--student", "Ada").stdout
    assert "a secret of mine \\x1b[31m" in shown
    everything = grader("results", a_class[1]).stdout + grader("export", a_class[1]).stdout
    assert "a secret of mine" not in everything
    assert "\x1b" not in everything


def test_hidden_cases_tell_a_looked_up_answer_from_a_right_one(tmp_path):
    from grader.inside.fixtures import Fixtures

    exercise = EXERCISES["token_to_text"]
    known = {}
    for check in exercise.checks:
        for case in check.cases(PUBLIC_SEED, Fixtures("gpt2-tiny", "cpu")):
            solution = load.solution("lesson1_tokens").token_to_text
            known[case.plain()["args"][0]] = solution(*case.plain()["args"])
    hand_in(
        tmp_path / "class",
        "Eli",
        lesson1_tokens=f"def token_to_text(token):\n    return {known!r}[token]\n",
    )
    grade(tmp_path / "class", tmp_path / "public")
    assert set(outcomes(tmp_path / "public")["Eli", "token_to_text"]) == {"passed"}
    (tmp_path / "seed").write_text("8271")
    grade(tmp_path / "class", tmp_path / "hidden", "--hidden-seed-file", tmp_path / "seed")
    assert set(outcomes(tmp_path / "hidden")["Eli", "token_to_text"]) != {"passed"}


# --- Runs ----------------------------------------------------------------------------------------


def test_the_export_is_the_same_whatever_the_number_of_jobs(a_class, tmp_path):
    where, gradebook, _ = a_class
    options = ["--timeout", "2", "--hidden-seed-file", gradebook.parent / "seed"]
    grade(where, tmp_path / "again", "--jobs", "1", *options)
    for format in ("csv", "json"):
        one, other = (
            grader("export", g, "--format", format).stdout for g in (gradebook, tmp_path / "again")
        )
        assert one == other


def test_the_export_does_not_depend_on_the_terminal(tmp_path):
    source = FIRST + list(as_handed_in("softmax"))[1]
    hand_in(tmp_path / "class", "Ann", lesson3_logits=source)
    grade(tmp_path / "class", tmp_path / "narrow", COLUMNS="70")
    grade(tmp_path / "class", tmp_path / "wide", COLUMNS="140")
    narrow, wide = (grader("export", tmp_path / name).stdout for name in ("narrow", "wide"))
    assert "looks like" in wide
    assert narrow == wide


def test_an_export_that_nobody_reads_to_the_end_says_nothing(a_class):
    command = f"{GRADER} export {a_class[1]} | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert ran.stdout.startswith("student,lesson,")
    assert ran.stderr == ""


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


ALL = set(LESSONS)


@pytest.mark.parametrize(
    ("path", "lessons"),
    [
        ("solutions/lesson1_tokens.py", {"lesson1_tokens"}),
        ("grader/checks/lesson3_logits/softmax.py", {"lesson3_logits"}),
        ("grader/checks/lesson4_decoding/shared.py", {"lesson4_decoding"}),
        ("grader/checks/texts.py", ALL),
        ("grader/inside/run.py", ALL),
        ("grader/verdict/agree.py", ALL),
        ("grader/classroom/examine.py", ALL),
        ("grader/classroom/jobs.py", set()),
        ("grader/gradebook/page/page.css", set()),
        ("grader/gradebook/results.py", set()),
        ("grader/desk/live.py", set()),
        ("grader/cli/grade.py", set()),
        ("exercises/lesson1_tokens.py", set()),
    ],
)
def test_a_grade_hangs_on_what_decides_and_on_nothing_else(path, lessons, copied_kit, monkeypatch):
    monkeypatch.setattr(fingerprint, "KIT", copied_kit)
    monkeypatch.setattr(fingerprint, "GRADER", copied_kit / "grader")
    monkeypatch.setattr(fingerprint, "CHECKS", copied_kit / "grader" / "checks")
    monkeypatch.setattr(fingerprint, "SOLUTIONS", copied_kit / "solutions")
    fingerprint.of_kit.cache_clear()
    before = {lesson: fingerprint.of_kit(lesson) for lesson in LESSONS}
    as_it_was = (copied_kit / path).read_bytes()
    (copied_kit / path).write_bytes(as_it_was + b"\n")
    fingerprint.of_kit.cache_clear()
    changed = {lesson for lesson in LESSONS if fingerprint.of_kit(lesson) != before[lesson]}
    (copied_kit / path).write_bytes(as_it_was)
    fingerprint.of_kit.cache_clear()
    assert changed == lessons


@pytest.fixture(scope="module")
def copied_kit(tmp_path_factory):
    kit = tmp_path_factory.mktemp("kit")
    for folder in ("exercises", "solutions", "grader"):
        leave = shutil.ignore_patterns("__pycache__", "gpt2_tiny")
        shutil.copytree(ROOT / folder, kit / folder, ignore=leave)
    return kit


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
    assert said.count(f"1 lesson keeps its grade by other versions (torch 1.0; now {now}).") == 1
    assert "versions" not in grade(folder, gradebook, "--regrade").stdout


@pytest.fixture
def endless(small):
    """The same class and one more student, at whom a run stops until somebody ends it."""
    hand_in(small[0], "zoe", lesson1_tokens="while True: pass\n")
    return small


PATIENCE = ("--timeout", "3600")


def start(folder, gradebook, *options):
    return subprocess.Popen(
        [GRADER, "grade", folder, "--gradebook", gradebook, "--reference", "gpt2-tiny", *PATIENCE,
         *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
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


@pytest.mark.parametrize("at", [1, 4, 9])
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
    with Gradebook.open(order.gradebook, writing=True) as book:
        room = grade_class.Classroom(order, book)
        room.grade(lambda doing: made.append(doing))
    assert made.count("warming up") == 2
    assert room.tally.finished == 3
    assert [(student, points) for student, _, _, points in gradings(order.gradebook)] == [
        ("Ann", 140), ("Bob", 140), ("Bob", 50), ("Cy", 140),
    ]  # fmt: skip
