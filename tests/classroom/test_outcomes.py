"""A class of all sorts: what becomes of one exercise, or one file, costs nothing else."""

import io
import json
import subprocess
import zipfile
from collections import defaultdict

import pytest

from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED
from handin import (
    EXERCISES,
    GRADER,
    export,
    grade,
    grader,
    hand_in,
    needs_isolation,
    outcomes,
    replaced,
    solved,
    stub,
)

HANGS = "def next_token(logits):\n    while True: pass"
EXITS = "import os\ndef append_token(tokens, token):\n    os._exit(0)"
EATS = "def argmax_decode(logits):\n    return bytearray(50_000_000_000)"
PHONES = (
    "import socket\ndef token_accuracy(*args):\n    socket.create_connection(('192.0.2.1', 80))"
)
RUNS = "import torch\n@torch.no_grad()\ndef generate_until(model, tokens, max_new_tokens, eos_token_id=50256):\n    for _ in range(max_new_tokens):\n        tokens = torch.cat([tokens, model(tokens)[:, -1:].argmax(-1)], 1)\n        if tokens[0, -1] == eos_token_id: break\n    return tokens"
RAISES = "def predicted_pairs(model, text):\n    raise ValueError('mine')"
PRINTS = "def log_softmax(x, dim):\n    print('a secret of mine \\x1b[31m')\n    return x - x.logsumexp(dim, keepdim=True)"

pytestmark = needs_isolation


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
        ("Dan", "error", "SyntaxError"),
        ("Eve", "timeout", "line 1 of lesson2_embedding.py did not end in time"),
    ]:
        assert {row["outcome"] for row in rows[student]} == {outcome}
        assert words in rows[student][0]["feedback"]
    assert {row["outcome"] for row in rows["Cleo"]} == {"passed"}


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


@pytest.mark.thorough
def test_the_export_is_the_same_whatever_the_number_of_jobs(a_class, tmp_path):
    where, gradebook, _ = a_class
    options = ["--timeout", "2", "--hidden-seed-file", gradebook.parent / "seed"]
    grade(where, tmp_path / "again", "--jobs", "1", *options)
    for format in ("csv", "json"):
        one, other = (
            grader("export", g, "--format", format).stdout for g in (gradebook, tmp_path / "again")
        )
        assert one == other


def test_an_export_that_nobody_reads_to_the_end_says_nothing(a_class):
    command = f"{GRADER} export {a_class[1]} | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert ran.stdout.startswith("student,lesson,")
    assert ran.stderr == ""


# --- Whose fault it is ---------------------------------------------------------------------------


def test_files_that_cannot_be_put_down_are_their_submissions_outcome(tmp_path, monkeypatch):
    """And not the sandbox's, which does come up for an empty submission."""
    from grader.intake import submissions

    monkeypatch.setattr(submissions, "HELPER_NAME", 4_000)  # as if the reader let it through
    monkeypatch.setattr("grader.intake.reader.HELPER_NAME", 4_000)
    for student in ("Ada", "Bob", "Cleo", "Dan", "Eve"):
        hand_in(tmp_path / "class", student, lesson2_embedding=solved("lesson2_embedding"))
        if student != "Eve":
            helper = tmp_path / "class" / student / f"{'h' * 240}.py"
            helper.write_text("x = 1")
    monkeypatch.setattr(
        "grader.intake.reader.Reader.read", lambda self, paths, lessons: _longer(paths, lessons)
    )
    ran = grade(tmp_path / "class", tmp_path / "gradebook")
    assert "5 graded" in ran.stdout
    found = outcomes(tmp_path / "gradebook")
    assert set(found["Ada", "one_hot"]) == set(found["Dan", "unembed"]) == {"error"}
    assert set(found["Eve", "one_hot"]) == {"passed"}
    rows = [row for row in export(tmp_path / "gradebook") if row["student"] == "Ada"]
    assert "Its files do not fit into the sandbox" in rows[0]["feedback"]


def _longer(paths, lessons):
    """What is read of them, with names of helpers that no file system takes."""
    from dataclasses import replace

    from grader.intake import submissions

    read = submissions.read(paths, lessons)
    return replace(read, helpers={name + "h" * 100: text for name, text in read.helpers.items()})


@pytest.mark.parametrize("stage", ["agree.remark", "feedback.wrong", "explain.explanation"])
def test_what_cannot_be_compared_or_shown_is_the_answers_own_outcome(tmp_path, monkeypatch, stage):
    def fails(*args, **kwargs):
        raise RuntimeError("what nobody has thought of")

    module, _, function = stage.partition(".")
    monkeypatch.setattr(f"grader.verdict.{module}.{function}", fails)
    wrong = "import torch\ndef one_hot(tokens, d_vocab):\n    return torch.eye(d_vocab)[tokens] * 2"
    hand_in(tmp_path / "class", "Ada", lesson2_embedding=replaced("lesson2_embedding", a=wrong))
    hand_in(tmp_path / "class", "Bob", lesson2_embedding=solved("lesson2_embedding"))
    ran = grade(tmp_path / "class", tmp_path / "gradebook")
    assert "2 graded" in ran.stdout
    found = outcomes(tmp_path / "gradebook")
    assert set(found["Bob", "one_hot"]) == {"passed"}
    assert "passed" not in found["Ada", "one_hot"][:1]
