"""What the sandbox answers is judged as what runs in this process."""

import subprocess
from collections import defaultdict
from itertools import islice

import pytest

from handin import (
    EXERCISES,
    FIRST,
    GRADER,
    LESSON_OF,
    LESSONS,
    ROOT,
    as_handed_in,
    export,
    grade,
    hand_in,
    needs_isolation,
    solved,
    stub,
)

pytestmark = needs_isolation


MOST = 12  # misconceptions of an exercise


@pytest.fixture(scope="module", params=[MOST, pytest.param(10**6, marks=pytest.mark.thorough)])
def judged(request, tmp_path_factory):
    """(student, exercise) -> rows, of a class of solutions, stubs and misconceptions, up to so many
    of an exercise: the first student has the first one of each exercise, and so on."""
    folder = tmp_path_factory.mktemp("judged")
    hand_in(folder / "class", "solved", **{lesson: solved(lesson) for lesson in LESSONS})
    hand_in(folder / "class", "stubs", **{lesson: stub(lesson) for lesson in LESSONS})
    wrong = defaultdict(lambda: defaultdict(lambda: FIRST))
    for exercise, lesson in LESSON_OF.items():
        for i, (_, source) in enumerate(islice(as_handed_in(exercise), request.param)):
            wrong[i][lesson] += f"{source}\n"
    for i, files in wrong.items():
        earlier = {"earlier": solved("lesson1_tokens")} if "lesson1_tokens" in files else {}
        hand_in(folder / "class", f"wrong {i}", **files, **earlier)
    grade(folder / "class", folder / "gradebook")
    rows = defaultdict(list)
    for row in export(folder / "gradebook"):
        rows[row["student"], row["exercise"]].append(row)
    return rows


@pytest.mark.parametrize("exercise", EXERCISES)
def test_solutions_pass_and_stubs_are_to_do(judged, exercise):
    checks = EXERCISES[exercise].checks
    for student, outcome in (("solved", "passed"), ("stubs", "todo")):
        rows = judged[student, exercise]
        assert [row["check"] for row in rows] == [check.name for check in checks]
        assert {row["outcome"] for row in rows} == {outcome}
        points = [check.points if outcome == "passed" else 0 for check in checks]
        assert [row["points"] for row in rows] == points


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_misconception_is_judged_and_named_as_in_pytest(judged, exercise, judge):
    in_the_sandbox = {"memory": "error", "blocked": "error"}
    for i, (misconception, _) in enumerate(as_handed_in(exercise)):
        rows = judged.get((f"wrong {i}", exercise))
        if rows is None:
            assert i == MOST
            break
        here = judge(EXERCISES[exercise], misconception.implementation).values()
        said = [in_the_sandbox.get(row["outcome"], row["outcome"]) for row in rows]
        assert said == [judged.outcome.value for judged in here], misconception.name
        failed = [row for row in rows if row["outcome"] != "passed"]
        assert failed
        if any(judged.verdict.call for judged in here):
            assert "which this exercise rules out" in failed[0]["feedback"]
            continue
        assert {row["misconception"] for row in failed} == {misconception.name}
        assert failed[0]["feedback"].startswith(f"This looks like: {misconception.name}.")


def test_the_feedback_is_what_pytest_says(tmp_path, judged):
    """Word for word, but for what is only on a terminal."""
    source = FIRST + next(source for _, source in as_handed_in("softmax"))
    hand_in(tmp_path, "answers", lesson3_logits=source)
    ran = subprocess.run(
        [GRADER.parent / "python", "-m", "pytest", "exercises/lesson3_logits.py::softmax", "--answers",
         tmp_path / "answers", "--reference", "gpt2-tiny", "-p", "no:cacheprovider"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    for row in judged["wrong 0", "softmax"]:
        assert row["feedback"].strip() in ran.stdout or row["feedback"] == "The same as above."
