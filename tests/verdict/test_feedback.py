"""What a student reads under a check that fails."""

import pytest
import torch

from grader.inside import observe, run
from grader.outcome import Outcome
from grader.verdict import difference, feedback, grade
from grader.verdict.exercise import Case, Exercise


def said(solution, answer, case, observer=observe.result, of_tokens=False):
    exercise = Exercise("any")

    @exercise.check(points=1, observe=observer, of_tokens=of_tokens)
    def any_case(draw):
        """What must be true."""

    [check] = exercise.checks
    expected = run.observation(observer, solution, *case.arguments())
    asked = grade.Question(case, expected)
    verdict = grade.judge(check, asked, run.observation(observer, answer, *case.arguments()))
    if verdict.outcome is Outcome.ERROR:
        return feedback.error("any", verdict.raised, check, verdict, solution)
    return feedback.wrong(check, verdict, solution)


X = torch.tensor([1.0, 2.0, 3.0])


def test_a_sentence_that_begins_with_a_value_is_left_as_it_is():
    text = said(lambda x: x.sum(), lambda x: x.mean(), Case(X))
    assert "\n2 instead of 6." in text
    text = said(lambda x: x.sum(), lambda x: x.sum() * torch.nan, Case(X))
    assert "\nnan instead of 6.\n1 of its entries is NaN, and none should be." in text
    assert "Tensor(" not in text
    assert "Nan" not in text


def test_one_item_is_one_item():
    assert "1 item instead of 2." in said(lambda x: [1, 2], lambda x: [1], Case(X))
    assert "2 items instead of 1." in said(lambda x: [1], lambda x: [1, 2], Case(X))


def test_a_difference_too_small_for_the_usual_digits_is_shown_in_full():
    x = torch.arange(1, 12, dtype=torch.float64)
    lines = difference.lines(x + 1e-7, x)
    [yours] = [line.split() for line in lines if line.startswith("    yours")]
    [expected] = [line.split() for line in lines if line.startswith("    expected")]
    pairs = [(a, b) for a, b in zip(yours[1:], expected[1:], strict=True) if a != "..."]
    assert pairs
    assert all(a != b for a, b in pairs)


def test_differences_of_a_dict_come_with_their_keys():
    lines = difference.lines({"a": ["x", "y"], "b": ["z", "w"]}, {"a": ["x", "y"], "b": ["z", "v"]})
    assert lines[0] == "At ['b']:"
    assert lines[2].startswith("    yours")


def test_a_mask_is_no_text():
    ids, mask = torch.tensor([[50256, 40]]), torch.tensor([[1, 1]])
    shown = "\n".join(difference.lines((ids, mask * 0), (ids, mask), as_tokens=True))
    assert "'!'" not in shown
    shown = "\n".join(difference.lines((ids * 0, mask), (ids, mask), as_tokens=True))
    assert "<|endoftext|>" in shown


@pytest.mark.parametrize(
    ("observer", "answer", "sentence"),
    [
        (observe.gradients, lambda x: x.detach(), "A result without a gradient."),
        (observe.dtype, lambda x: 1.5, "It returns a float, which has no dtype."),
        (observe.dtype, lambda x: x.double(), "At [0]: torch.float64 instead of torch.float32."),
        (observe.device, lambda x: "cpu", "It returns a string, which has no device."),
    ],
)
def test_what_is_looked_at_is_named(observer, answer, sentence):
    assert f"\n{sentence}" in said(lambda x: 2 * x, answer, Case(X), observer)


def test_an_error_comes_with_what_the_check_asks_for():
    def solution(x):
        raise ValueError("as promised")

    def answer(x):
        return {}[x]

    text = said(solution, answer, Case(X), observe.raises(ValueError))
    assert text.startswith("What must be true.\n\nany raised KeyError")
    assert "\nExpected: ValueError\n" in text
    text = said(lambda x: x, answer, Case(X))
    assert text.startswith("What must be true.\n\nany raised KeyError")
    assert "Expected: " not in text


def test_cases_with_nothing_in_them_are_shown_last():
    exercise = Exercise("any")

    @exercise.check(points=1)
    def check(draw):
        """What must be true."""
        yield Case([])
        yield Case([1, 2, 3])
        yield Case([1])

    shown = [case.arguments()[0][0] for case in exercise.checks[0].cases(0, None)]
    assert shown == [[1], [1, 2, 3], []]
