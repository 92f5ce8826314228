"""What came back from an implementation, as plain data."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.inside.plain import MAX_ITEMS, Opaque, plain
from grader.verdict import agree
from grader.verdict.show import show

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __repr__(self):
        raise RuntimeError("no repr")


class LyingStr(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __str__(self):
        return "lie"


class LyingInt(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __int__(self):
        return 42


class LyingList(list):
    def __iter__(self):
        return iter(["lie"])

    def __eq__(self, other):
        return True

    def __len__(self):
        return 1

    __hash__ = None


class LyingDict(dict):
    def items(self):
        return [("lie", 1)]

    def __getitem__(self, key):
        return "lie"


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.ones(2)

    @property
    def shape(self):
        return (1, 2, 3)


@given(values)
def test_plain_data_stays_as_it_is(value):
    assert show(plain(value)) == show(value)
    assert agree.values(plain(value), value) is None


@pytest.mark.parametrize(
    ("lie", "truth"),
    [
        (LyingStr("x"), "x"),
        (LyingInt(3), 3),
        (LyingList([1, 2]), [1, 2]),
        (LyingDict(a=2), {"a": 2}),
        ([LyingStr("x"), (LyingInt(3),)], ["x", (3,)]),
    ],
)
def test_a_lying_subclass_counts_as_what_it_holds(lie, truth):
    got = plain(lie)
    assert type(got) is type(truth)
    assert agree.values(got, truth) is None
    assert agree.values(got, ["something else"])


def test_a_lying_tensor_counts_as_what_it_holds():
    got = plain(torch.tensor([1.0, 2.0]).as_subclass(LyingTensor))
    assert type(got) is torch.Tensor
    assert torch.equal(got, torch.tensor([1.0, 2.0]))


def test_an_object_that_equals_everything_agrees_with_nothing():
    got = plain(AlwaysEqual())
    assert got == Opaque("AlwaysEqual")
    for expected in (1, "x", [1], {"a": 1}, torch.ones(2), None):
        assert agree.values(got, expected)
        assert agree.values(plain([AlwaysEqual()]), [expected])
    assert "AlwaysEqual" in show(got)


def test_a_list_that_holds_itself_ends():
    loop = []
    loop.append(loop)
    assert len(show(plain(loop))) < 1000
    assert agree.values(plain(loop), [1])


def test_an_endless_value_is_cut():
    assert len(plain([0] * (MAX_ITEMS + 5))) == MAX_ITEMS + 1
    assert agree.values(plain([0] * (MAX_ITEMS + 5)), [0] * (MAX_ITEMS + 5))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(2, requires_grad=True) * 2,
        torch.eye(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        torch.tensor([1 + 2j]).conj(),
        torch.ones(3).expand(4, 3),
        torch.zeros(0, 5),
        torch.ones(2, dtype=torch.bfloat16),
    ],
    ids=str,
)
def test_any_tensor_can_be_copied_compared_and_shown(tensor):
    got = plain(tensor)
    assert show(got)
    assert agree.values(got, torch.full((7,), 0.5))
