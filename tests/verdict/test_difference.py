"""Differences worth reading, and remarks on types."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.inside.plain import Opaque, plain
from grader.verdict import agree, difference


def lines(observed, expected, **options):
    return difference.lines(observed, expected, **options)


@pytest.mark.parametrize(
    ("observed", "expected", "says"),
    [
        ([1, 2, 3, 4], [2, 3, 4, 5], "too late"),  # entry i of the one is entry i - 1 of the other
        ([2, 3, 4, 5], [1, 2, 3, 4], "too early"),
        ([1, 2, 3], [2, 3], "too many in front"),
        ([1, 2, 3], [1, 2], "too many at the end"),
        ([2, 3], [1, 2, 3], "without the first"),
        ([1, 2], [1, 2, 3], "without the last"),
    ],
)
def test_off_by_one_is_recognised_in_lists_and_in_tensors(observed, expected, says):
    assert says in difference.shift(observed, expected)
    assert says in difference.shift(torch.tensor([observed] * 2), torch.tensor([expected] * 2))


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ([1, 0, 0, 0], [1, 1, 0, 0]),
        ([1, 1, 1, 0], [1, 1, 0, 0]),
        ([0, 1, 1], [1, 1, 1]),
        ([2, 2, 3], [2, 3, 3]),
    ],
)
def test_what_one_changed_entry_explains_is_not_called_shifted(observed, expected):
    assert difference.shift(observed, expected) is None
    rows = torch.tensor([observed, expected]), torch.tensor([expected, expected])
    assert difference.shift(*rows) is None


@given(st.lists(st.integers(0, 9), max_size=6), st.lists(st.integers(0, 9), max_size=6))
def test_what_is_called_off_by_one_is_so(observed, expected):
    said = difference.shift(observed, expected)
    if said and "many" in said:
        assert expected in (observed[1:], observed[:-1])
    elif said and "without" in said:
        assert observed in (expected[1:], expected[:-1])
    elif said:
        assert observed[1:] == expected[:-1] or observed[:-1] == expected[1:]


def test_token_ids_are_shown_as_text_with_the_difference_marked():
    got = torch.tensor([[50256, 464, 3797, 3332]])
    want = torch.tensor([[50256, 464, 3290, 3332]])
    *_, yours, expected, marks = lines(got, want, as_tokens=True)
    assert yours == "    yours     '<|endoftext|>'  'The'  ' cat'  ' sat'"
    assert expected == "    expected  '<|endoftext|>'  'The'  ' dog'  ' sat'"
    assert marks.index("^") == yours.index("' cat'")
    assert marks.count("^") == len("' cat'")


def test_the_window_of_floats_is_around_the_largest_difference():
    want = torch.arange(40.0).view(2, 20)
    got = want.clone()
    got[0, 3] += 1
    got[1, 12] += 5
    head, yours, _, marks = lines(got, want)
    assert head == "Entries [1, 8:17]"
    assert yours.split()[1:] == ["...", "28", "29", "30", "31", "37", "33", "34", "35", "36", "..."]
    assert marks.count("^") == 2
    assert marks.index("^") == yours.index("37")
    assert "the most at [1, 12]: 37 instead of 32." in agree.values(got, want)
    assert "2 of 40 entries differ" in agree.values(got, want)


def test_shapes_come_first_then_dtypes_then_counts():
    assert agree.values(torch.zeros(2, 3), torch.zeros(3, 2).long()).startswith("shape (2, 3)")
    assert "dtype torch.int64" in agree.values(torch.ones(2).long(), torch.zeros(2))
    assert agree.values(torch.ones(3), torch.zeros(3)).startswith("every entry differs")


def test_of_a_distribution_sum_and_range_are_said():
    x = torch.tensor([[0.1, 0.7, 0.2], [0.2, 0.2, 0.6]])
    (said,) = [line for line in lines(x * 2, x) if line.startswith("Along")]
    assert said == "Along dim 1 its entries add up to 2, not to 1; entries go from 0.2 to 1.4."
    (said,) = [line for line in lines(x.log() + 1, x.log()) if line.startswith("Along")]
    assert said.startswith("Along dim 1 their exp adds up to 2.718")
    assert not [line for line in lines(x.flip(1), x) if line.startswith("Along")]


def test_nan_and_infinity_are_counted():
    x = torch.tensor([1.0, 2.0, 3.0])
    said = lines(torch.tensor([torch.nan, torch.nan, torch.inf]), x)
    assert said[:2] == [
        "2 of its entries are NaN, and none should be.",
        "1 of its entries is infinite, and none should be.",
    ]


@given(st.data())
def test_no_difference_between_plain_values_is_too_odd_or_too_long_to_show(data):
    numbers = st.integers() | st.floats() | st.text(max_size=5) | st.booleans() | st.none()
    dtypes = st.sampled_from([torch.float32, torch.int64, torch.bool, torch.float16])

    @st.composite
    def tensors(draw):
        shape = draw(st.lists(st.integers(0, 4), max_size=3))
        return torch.randn(shape).mul(3).to(draw(dtypes))

    values = st.recursive(
        numbers | tensors(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
        max_leaves=8,
    )
    observed, expected = plain(data.draw(values)), plain(data.draw(values))
    agree.values(observed, expected)
    for as_tokens in (False, True):
        assert len(lines(observed, expected, as_tokens=as_tokens)) < 20


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_window_is_no_wider_than_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    want = torch.randn(50) * 1e5
    assert max(map(len, lines(want + 1e4, want))) <= max(60, int(columns))


@pytest.mark.parametrize(
    ("observed", "expected", "says"),
    [
        ((1, 2), [1, 2], "a tuple where a list is meant"),
        ([1, 2], (1, 2), "a list where a tuple is meant"),
        ([[1, 2.0]], [[1, 2]], "at [0][1]: a float where an int is meant"),
        (torch.tensor(3), 3, "a tensor without dimensions where an int is meant"),
        (3.0, torch.tensor(3.0), "a float where a tensor without dimensions is meant"),
        (torch.tensor([1]).int(), torch.tensor([1]), "torch.int32 where torch.int64 is meant"),
        ({"a": (1,)}, {"a": [1]}, "at ['a']: a tuple where a list is meant"),
    ],
)
def test_near_misses_of_type_agree_with_a_remark(observed, expected, says):
    assert agree.values(observed, expected) is None
    assert says in agree.remark(observed, expected)


def test_a_numpy_number_is_a_number_with_a_remark():
    import numpy as np

    value = plain([np.int64(3), np.float32(0.5), np.bool_(True)])
    assert agree.values(value, [3, 0.5, True]) is None
    assert agree.remark(value, [3, 0.5, True])
    assert plain({np.int64(3): 1}) == {3: 1}


@pytest.mark.parametrize(
    "value",
    [[1, (2, 3)], torch.tensor([1.0]), 3, "x", {"a": 1.5}, None, Opaque("torch.dtype", "x")],
)
def test_nothing_is_remarked_on_what_is_of_the_same_type(value):
    assert agree.remark(value, value) is None


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ([[1, 2]], torch.tensor([[1, 2]])),
        (torch.tensor([1.0, 2.0]), torch.tensor([1, 2])),
        ("mps", Opaque("torch.device", "mps")),
    ],
)
def test_where_the_values_are_right_and_the_type_is_not_it_says_so(observed, expected):
    assert agree.values(observed, expected).startswith("the values are right, the type is not: ")
