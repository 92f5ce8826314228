"""Points are for what is right, and not for what nobody had to do."""

import pytest
import torch

from grader import lessons
from grader.desk.checked import Checked, Result
from grader.inside import observe
from grader.outcome import Outcome
from grader.verdict import explain, load
from grader.verdict.counting import Right
from grader.verdict.exercise import Case, Exercise
from grader.verdict.grade import Question

EXERCISES = [(lesson, e) for lesson in lessons.names() for e in load.exercises(lesson)]
BY_NAME = {exercise.name: exercise for _, exercise in EXERCISES}


def points(exercise, judged):
    return sum(judged[check.name].counts(check)["points"] for check in exercise.checks)


def zero_times(x, *rest, **named):
    return x * 0


def run_and_forget(model, *rest, **named):
    with torch.no_grad():
        model(torch.zeros(1, 2, dtype=torch.int64))


def fail(*args, **named):
    raise ValueError("no")


def always(value):
    return lambda *args, **named: value


@pytest.mark.parametrize(
    "nothing",
    [
        always(None), always(0), always(1), always(0.0), always(float("nan")), always(True),
        always(False), always(""), always("a"), always([]), always(()), always({}),
        always(torch.tensor(0)), always(torch.tensor(0.0)), always(torch.tensor(1.0)),
        always(torch.tensor(False)), always(torch.zeros(0)), always(torch.zeros(1, 1)),
        always(torch.zeros(0, dtype=torch.int64)), always((torch.zeros(0), torch.zeros(0))),
        always(torch.device("cpu")), always(torch.device("mps")), always(torch.device("cuda")),
        zero_times, run_and_forget, fail,
        lambda *args, **named: args[0],
        lambda *args, **named: args[-1],
        lambda *args, **named: next(iter([*args[1:], *named.values()])),
        lambda *args, **named: args,
        lambda x, *args, **named: x.clone(),
        lambda x, *args, **named: x[:],
        lambda x, *args, **named: list(x),
        lambda x, *args, **named: x + 0,
        lambda x, *args, **named: x[0],
        lambda x, *args, **named: x.float() * 0,
        lambda x, *args, **named: torch.zeros_like(x),
        lambda x, *args, **named: torch.ones_like(x),
        lambda x, *args, **named: torch.zeros(x.shape),
        lambda x, *args, **named: x.to(torch.float32),
    ],
)  # fmt: skip
def test_an_answer_that_does_nothing_gets_nothing(nothing, judge, monkeypatch):
    monkeypatch.setattr(explain, "explanation", lambda *_: None)  # names take longer than points
    gained = {}
    for _, exercise in EXERCISES:
        if got := points(exercise, judge(exercise, nothing)):
            gained[exercise.name] = got
    assert gained == {}


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[e.name for _, e in EXERCISES])
def test_each_check_of_the_solution_counts_whichever_of_them_is_run_alone(lesson, exercise, judge):
    solution = getattr(load.solution(lesson), exercise.name)
    for check in exercise.checks:
        [one] = judge(exercise, solution, [check.name]).values()
        assert one.outcome is Outcome.PASSED


def test_a_check_counts_once_another_one_shows_a_right_result(judge):
    exercise = BY_NAME["softmax"]

    def no_maximum_subtracted(x, dim):
        return x.exp() / x.exp().sum(dim, keepdim=True)

    came = judge(exercise, no_maximum_subtracted)
    assert came["any_dim"].outcome is came["leaves_x_alone"].outcome is Outcome.PASSED
    assert came["large_logits"].outcome is Outcome.WRONG


def test_what_does_not_count_is_wrong_and_says_when_it_does(judge):
    exercise = BY_NAME["softmax"]
    came = judge(exercise, always(None))
    one = came["leaves_x_alone"]
    assert one.outcome is Outcome.WRONG
    assert one.feedback.startswith("The tensor it was given still holds what it held.\n\nSo it is")
    assert "It counts once another check" in one.feedback
    assert "softmax" in one.feedback
    shown = Checked("lesson3_logits", exercise, [Result(c, came[c.name]) for c in exercise.checks])
    assert shown.points == 0
    assert "It counts once another check" in repr(shown)


def test_the_order_in_which_checks_are_run_does_not_matter(judge):
    def cuda_only(mps, cuda):
        return torch.device("cuda" if cuda else "cpu")

    exercise = BY_NAME["choose_device"]
    names = [check.name for check in exercise.checks]
    one, other = judge(exercise, cuda_only), judge(exercise, cuda_only, names[::-1])
    assert {n: j.outcome for n, j in one.items()} == {n: j.outcome for n, j in other.items()}
    assert points(exercise, one) == points(exercise, other) > 0


@pytest.mark.parametrize(
    ("results", "counts"),
    [
        ([], False),
        ([1, 1], False),
        ([1, 2], True),
        (["", ""], False),
        (["", "a"], True),
        ([[], ()], False),
        ([{}], False),
        ([{"a": 1}], True),
        ([["a"]], True),
        ([torch.zeros(2, 3)], False),
        ([torch.zeros(0, 5), torch.zeros(0, 5)], False),
        ([torch.zeros(2), torch.zeros(3)], True),
        ([torch.tensor([0.1, 0.9])], True),
        ([(torch.zeros(0), torch.zeros(0))], False),
        ([torch.tensor([7, 8])], False),  # what it is given below
        ([torch.tensor([7, 8]), torch.tensor([8, 7])], True),
    ],
)
def test_results_count_that_are_neither_constant_nor_handed_back(results, counts):
    exercise = Exercise("any")

    @exercise.check(points=1)
    def one(draw):
        """One."""

    @exercise.check(points=1, observe=observe.arguments_after)
    def other(draw):
        """Other."""

    asked = [Question(Case("x", given=torch.tensor([7, 8])), result) for result in results]
    right = Right()
    right.add(exercise.checks[1], asked)
    assert not right.counts
    right.add(exercise.checks[0], asked)
    assert right.counts is counts
