"""Every misconception fails its exercise, and is named for what it is, and no other is."""

import pytest
import torch

from grader import lessons
from grader.outcome import Outcome
from grader.verdict import grade as grading
from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED

SEEDS = [PUBLIC_SEED, pytest.param("hidden", marks=pytest.mark.thorough)]
LESSON_OF = {e.name: lesson for lesson in lessons.names() for e in load.exercises(lesson)}
EXERCISES = [e for lesson in lessons.names() for e in load.exercises(lesson)]
MISCONCEPTIONS = [(e, m) for e in EXERCISES for m in e.misconceptions]

each_exercise = pytest.mark.parametrize(
    "exercise", EXERCISES, ids=[f"{LESSON_OF[e.name]}::{e.name}" for e in EXERCISES]
)
each_misconception = pytest.mark.parametrize(
    ("exercise", "misconception"),
    MISCONCEPTIONS,
    ids=[f"{LESSON_OF[e.name]}::{e.name}::{m.implementation.__name__}" for e, m in MISCONCEPTIONS],
)


def test_there_are_enough_of_them():
    assert len(MISCONCEPTIONS) >= 120


@each_exercise
def test_an_exercise_has_three_misconceptions_and_two_or_three_hints(exercise):
    assert len(exercise.misconceptions) >= 3
    assert 2 <= len(exercise.hints) <= 3
    names = [m.name for m in exercise.misconceptions]
    assert len(set(names)) == len(names)


@each_misconception
def test_it_says_what_it_is_and_what_to_think_about(exercise, misconception):
    assert 10 <= len(misconception.name) <= 80
    assert 30 <= len(misconception.says) <= 320
    assert misconception.says[-1] in ".?"


@each_misconception
@pytest.mark.parametrize("seed", SEEDS)
def test_it_fails_and_is_named_and_no_other_is(exercise, misconception, seed, grade, explained):
    function = misconception.implementation
    outcomes = {grade(check, function, seed).outcome for check in exercise.checks}
    assert outcomes & {Outcome.WRONG, Outcome.ERROR}
    found = explained(exercise, function, seed=seed)
    assert found.causes == (misconception,)
    assert found.is_sure


@pytest.fixture
def settings():
    """A machine set up in another way than that which `questions` and `grade` were made on."""
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_num_threads(before[0])
    torch.set_float32_matmul_precision(before[1])


@pytest.mark.parametrize(
    "exercise",
    [
        # Those that run the model again and again take the longest.
        pytest.param(
            e, marks=pytest.mark.thorough if LESSON_OF[e.name] == "lesson4_decoding" else []
        )
        for e in EXERCISES
    ],
    ids=[f"{LESSON_OF[e.name]}::{e.name}" for e in EXERCISES],
)
def test_no_verdict_depends_on_threads_or_matmul_precision(
    exercise, grade, live_fixtures, settings
):
    solution = getattr(load.solution(LESSON_OF[exercise.name]), exercise.name)
    answers = [solution, *(m.implementation for m in exercise.misconceptions[:6])]
    for check in exercise.checks:
        asked = list(grading.questions(check, solution, [PUBLIC_SEED], live_fixtures))
        for answer in answers:
            here = grading.grade(check, answer, asked)
            assert here.outcome is grade(check, answer, PUBLIC_SEED).outcome, (check.name, answer)
