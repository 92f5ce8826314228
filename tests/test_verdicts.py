"""Right answers pass in whatever style; wrong ones do not, and are named where they can be."""

import inspect

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from answers import right, strategies, wrong
from grader import agree, lessons, name
from grader.check import PUBLIC_SEED, Case
from grader.grade import Outcome, observation
from grader.plain import plain

SEEDS = [PUBLIC_SEED, "hidden"]
EXERCISES = {e.name: e for lesson in lessons.names() for e in lessons.exercises(lesson)}
LESSON_OF = {e.name: lesson for lesson in lessons.names() for e in lessons.exercises(lesson)}


def verdicts(exercise, implementation, grade):
    return [grade(c, implementation, seed) for c in EXERCISES[exercise].checks for seed in SEEDS]


def each(table):
    return pytest.mark.parametrize(
        ("exercise", "index"),
        [(exercise, i) for exercise in EXERCISES for i in range(len(table[exercise]))],
    )


@each(right)
def test_a_right_answer_passes_whatever_its_style(exercise, index, grade):
    for verdict in verdicts(exercise, right[exercise][index], grade):
        assert verdict.outcome is Outcome.PASSED, verdict


@pytest.mark.parametrize("exercise", EXERCISES)
def test_right_answers_and_the_solution_agree_on_inputs_of_any_shape(exercise, fixtures):
    solution = getattr(lessons.solution(LESSON_OF[exercise]), exercise)
    needs = inspect.signature(strategies[exercise]).parameters
    live = bool(needs)

    # The same examples in every run: what is tested here are the answers, on which verdicts hang.
    @settings(
        max_examples=5 if live else 40, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategies[exercise](**{need: fixtures(need) for need in needs}))
    def agree_on(args):
        expected = plain(solution(*fresh(args)))
        for answer in right[exercise]:
            assert agree.values(plain(answer(*fresh(args))), expected) is None, answer

    agree_on()


def fresh(args):
    return [arg.clone() if hasattr(arg, "clone") else arg for arg in args]


@each(wrong)
def test_a_wrong_answer_does_not_pass_and_is_named_if_it_can_be(exercise, index, grade, questions):
    function, named = wrong[exercise][index]
    got = verdicts(exercise, function, grade)
    assert {verdict.outcome for verdict in got} != {Outcome.PASSED}
    assert Outcome.TODO not in {verdict.outcome for verdict in got}
    cases = [(c, q.case) for c in EXERCISES[exercise].checks for q in questions(c, PUBLIC_SEED)]
    found = name.misconception(
        EXERCISES[exercise], cases, lambda check, case: observation(check, function, case)
    )
    assert (found and found.implementation.__name__) == named


def test_every_exercise_has_three_right_answers_here():
    assert {exercise for exercise in EXERCISES if len(right[exercise]) < 3} == set()


def test_what_an_answer_sets_on_the_tokenizer_is_gone_in_the_next_call(tokenizer):
    case = Case(tokenizer, "a text")
    before = tokenizer.padding_side, tokenizer.pad_token, tokenizer.add_bos_token
    [theirs, _], _ = case.arguments()
    theirs.padding_side, theirs.pad_token, theirs.add_bos_token = "left", "!", True
    [again, _], _ = case.arguments()
    assert (again.padding_side, again.pad_token, again.add_bos_token) == before
