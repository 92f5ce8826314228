"""The lessons themselves: stubs that teach, solutions that pass, checks of each exercise."""

import ast
import doctest
import importlib
import inspect
import re

import pytest

from grader import lessons
from grader.lessons import KIT as ROOT
from grader.outcome import Outcome
from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED

EXERCISES = [(lesson, e) for lesson in lessons.names() for e in load.exercises(lesson)]
CHECKS = [(lesson, check) for lesson, exercise in EXERCISES for check in exercise.checks]

each_exercise = pytest.mark.parametrize(
    ("lesson", "exercise"),
    EXERCISES,
    ids=[f"{lesson}::{exercise.name}" for lesson, exercise in EXERCISES],
)
each_check = pytest.mark.parametrize(
    ("lesson", "check"),
    CHECKS,
    ids=[f"{lesson}::{check.exercise}::{check.name}" for lesson, check in CHECKS],
)


def stub(lesson, name):
    return getattr(importlib.import_module(f"exercises.{lesson}"), name)


def solution(lesson, name):
    return getattr(load.solution(lesson), name)


def functions(path):
    return [node.name for node in ast.parse(path.read_text()).body if hasattr(node, "args")]


@pytest.mark.parametrize("lesson", lessons.names())
def test_a_lesson_has_the_same_exercises_in_all_three_files(lesson):
    checked = [exercise.name for exercise in load.exercises(lesson)]
    assert functions(ROOT / "exercises" / f"{lesson}.py") == checked
    assert functions(ROOT / "solutions" / f"{lesson}.py") == checked
    files = (ROOT / "grader" / "checks" / lesson).glob("*.py")
    assert {p.stem for p in files if "= Exercise(" in p.read_text()} == set(checked)


def test_there_is_no_lesson_without_checks():
    for folder in ("exercises", "solutions"):
        assert sorted(p.stem for p in (ROOT / folder).glob("lesson*.py")) == lessons.names()


@pytest.mark.parametrize("lesson", lessons.names())
def test_points_come_in_tens(lesson):
    for exercise in load.exercises(lesson):
        assert exercise.points % 10 == 0, exercise.name


@pytest.mark.parametrize("lesson", lessons.names())
def test_the_prose_has_objectives_and_takeaways(lesson):
    prose = importlib.import_module(f"exercises.{lesson}").__doc__
    assert "What you will be able to do\n---" in prose
    assert "Key takeaways\n---" in prose


@each_exercise
def test_check_names_are_unique_and_say_something(lesson, exercise):
    names = [check.name for check in exercise.checks]
    assert len(set(names)) == len(names)
    for check in exercise.checks:
        assert check.says.endswith("."), check.name


@each_exercise
def test_stub_and_solution_have_the_same_signature(lesson, exercise):
    assert inspect.signature(stub(lesson, exercise.name)) == inspect.signature(
        solution(lesson, exercise.name)
    )


@each_exercise
def test_every_tensor_in_a_signature_has_a_shape(lesson, exercise):
    for annotation in stub(lesson, exercise.name).__annotations__.values():
        assert len(re.findall("Tensor", annotation)) == len(
            re.findall(r"\[Tensor, [\"']", annotation)
        )


@each_exercise
def test_the_docstring_begins_with_difficulty_and_minutes(lesson, exercise):
    first = stub(lesson, exercise.name).__doc__.split("\n")[0]
    assert re.match(r"(Very easy|Easy|Medium|Hard), \d+ minutes\. \S", first)


@each_exercise
def test_the_example_in_the_docstring_is_true_of_the_solution(lesson, exercise, fixtures):
    needs = {need for check in exercise.checks for need in check.needs}
    names = {"tokenizer": fixtures.tokenizer}
    if "reference" in needs:
        names["model"] = fixtures.reference
    text = stub(lesson, exercise.name).__doc__
    scope = vars(load.solution(lesson)) | names
    test = doctest.DocTestParser().get_doctest(text, scope, exercise.name, lesson, 0)
    assert test.examples
    said = []
    doctest.DocTestRunner().run(test, out=said.append)
    assert not said, "".join(said)


@each_check
@pytest.mark.parametrize("seed", [PUBLIC_SEED, "another", "a third"])
def test_every_solution_passes(lesson, check, seed, grade):
    verdict = grade(check, solution(lesson, check.exercise), seed)
    assert verdict.outcome is Outcome.PASSED


@each_check
def test_every_stub_is_todo(lesson, check, grade):
    verdict = grade(check, stub(lesson, check.exercise), PUBLIC_SEED)
    assert verdict.outcome is Outcome.TODO


@each_check
def test_no_check_passes_for_an_answer_that_returns_nothing(lesson, check, grade):
    def nothing(*args, **kwargs):
        return None

    verdict = grade(check, nothing, PUBLIC_SEED)
    leaves_alone = check.observe.__name__ == "arguments_after"  # true of doing nothing, too
    assert verdict.outcome is (Outcome.PASSED if leaves_alone else Outcome.WRONG)


@each_check
def test_cases_are_a_function_of_the_seed(lesson, check, fixtures):
    def shown(seed):
        return [repr(case.arguments()) for case in check.cases(seed, fixtures)]

    assert shown("a seed") == shown("a seed")
