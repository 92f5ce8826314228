"""What came back is copied, compared and printed safely, whatever it is."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.lesson3_logits.cross_entropy import cross_entropy
from grader.checks.lesson4_decoding.token_accuracy import token_accuracy
from grader.inside.plain import plain
from grader.verdict import agree
from grader.verdict.exercise import PUBLIC_SEED
from grader.verdict.show import clip, show, show_argument

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_agreement_is_reflexive_and_text_is_bounded(value):
    assert agree.values(value, value) is None
    assert len(show(value)) < 20_000


@given(scalars, scalars)
def test_unequal_scalars_disagree(a, b):
    same_number = isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float))
    if not same_number and (type(a) is not type(b) or a != b):
        assert agree.values(a, b)


@given(st.integers(), st.integers())
def test_integers_are_exact(a, b):
    assert (agree.values(a, b) is None) == (a == b)


@pytest.mark.parametrize("same", [7, np.int64(7), np.int32(7), torch.tensor(7), 7.0])
def test_a_number_is_a_number_whoever_holds_it(same):
    assert agree.values(plain(same), 7) is None
    assert agree.values(plain(same), torch.tensor(7)) is None
    assert agree.values(plain(same), 8)


def test_a_tuple_may_stand_for_a_list_but_a_list_not_for_a_tensor():
    assert agree.values((1, (2, 3)), [1, [2, 3]]) is None
    assert "instead of a tensor" in agree.values([1, 2], torch.tensor([1, 2]))
    assert "numpy.ndarray" in agree.values(plain(np.array([1, 2])), torch.tensor([1, 2]))


def test_integers_of_another_width_agree_but_floats_do_not_stand_for_integers():
    ids = torch.tensor([1, 2])
    assert agree.values(ids.int(), ids) is None
    assert agree.values(ids.bool() | True, torch.ones(2, dtype=torch.int64)) is None
    assert "dtype" in agree.values(ids.float(), ids)
    assert "dtype" in agree.values(ids, ids.float())


@pytest.mark.parametrize("dtype", list(agree.TOLERANCE))
def test_rounding_of_the_dtype_is_forgiven_and_no_more(dtype):
    expected = torch.linspace(0.1, 3, 20, dtype=torch.float64)
    assert agree.values(expected.to(dtype), expected) is None
    assert agree.values((expected * 1.1).to(dtype), expected)


def test_small_probabilities_are_not_swallowed_by_the_tolerance():
    expected = torch.full((50257,), 1 / 50257)
    assert agree.values(expected * 1.001, expected)
    expected[0] = 0.5
    wrong = expected.clone()
    wrong[1] = 0
    assert agree.values(wrong, expected)


@pytest.mark.parametrize("dtype", list(agree.TOLERANCE))
def test_where_all_that_is_expected_is_0_rounding_is_forgiven(dtype):
    """As of a log-softmax over a dimension of size 1, whose terms are of a few."""
    x = torch.tensor([2.9161, -3.5678, 0.1], dtype=dtype)
    shift = x + 1
    rounded = x - (shift + (x - shift).exp().log())
    assert agree.values(rounded, torch.zeros_like(x)) is None
    assert agree.values(rounded + 1, torch.zeros_like(x))
    assert agree.values(torch.full_like(x, 0.05), torch.zeros_like(x))


def test_of_numbers_that_are_picked_out_none_is_forgiven():
    assert agree.values(0.0, 9e-7)
    assert agree.values(1e-6, 9e-7)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_must_be_in_the_same_places(odd):
    expected = torch.tensor([1.0, odd, 2.0])
    assert agree.values(expected.clone(), expected) is None
    assert agree.values(torch.tensor([1.0, 0.0, 2.0]), expected)
    assert agree.values(expected, torch.tensor([1.0, 0.0, 2.0]))
    assert agree.values(odd, odd) is None
    assert agree.values(odd, 1.0)


@pytest.mark.parametrize(
    ("observed", "expected", "says"),
    [
        (torch.zeros(2, 3), torch.zeros(3, 2), "Shape (2, 3) instead of (3, 2)."),
        (
            torch.tensor([1, 5, 3]),
            torch.tensor([1, 2, 3]),
            "1 of 3 entries differs, at [1]",
        ),
        ([1, 2], [1, 2, 3], "2 items instead of 3."),
        (["a", "b"], ["a", "c"], "At [1]: 'b' instead of 'c'."),
        ({"a": 1}, {"a": 1, "b": 2}, "the key 'b' is missing"),
        ({"a": 1, "b": 2}, {"a": 1}, "the key 'b' should not be there"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "At ['a'][1]: 2 instead of 3."),
        (None, torch.zeros(2), "None instead of a tensor"),
        (torch.ones(2).double() - 1e-8, torch.ones(2).double(), "0.99999999"),
        (5, "5", "an int instead of a string"),
    ],
)
def test_a_difference_says_where(observed, expected, says):
    assert says.lower() in agree.values(observed, expected).lower()


@pytest.mark.parametrize("exercise", [cross_entropy, token_accuracy])
def test_the_smallest_cases_of_a_masked_mean_can_be_checked_by_hand(exercise, fixtures):
    for check in exercise.checks:
        if "padding" in check.name or "over" in check.name:
            smallest = check.cases(PUBLIC_SEED, fixtures)[0]
            for argument in smallest.arguments()[0]:
                assert "..." not in clip(show_argument(argument), lines=7)
