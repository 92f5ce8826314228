"""What came back from an implementation, as plain data."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch._subclasses import FakeTensorMode

from grader.inside import wire
from grader.inside.plain import MAX_ITEMS, Opaque, plain
from grader.verdict import agree
from grader.verdict.show import show

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def nested(**kwargs):
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], **kwargs)


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


called = []


def calls(name):
    """A method that must never be called."""

    def method(self, *args, **kwargs):
        called.append(name)
        return torch.ones(2)

    return method


METHODS = [
    name
    for name in (*dir(torch.Tensor), *dir(dict), *dir(str), "__array__", "__torch_function__")
    if name not in ("__class__", "__new__", "__init__", "__del__", "__getattribute__", "__dict__",
                    "__init_subclass__", "__subclasshook__", "__doc__", "__module__", "__weakref__",
                    "__torch_function__", "__torch_dispatch__")
]  # fmt: skip


class Meta(type):
    __hash__ = calls("hash of the class")
    __eq__ = calls("comparison of the class")
    __instancecheck__ = __subclasscheck__ = calls("check of the class")
    __getattribute__ = calls("attribute of the class")


def hostile(base):
    """A subclass all of whose methods, and those of its class, say that they have been called."""
    body = {name: calls(name) for name in METHODS if name in dir(base)}
    body["__getattr__"] = calls("attribute")
    body["__class__"] = property(calls("class"))
    body["__array__"] = calls("array")
    if issubclass(base, torch.Tensor):
        body["__torch_function__"] = classmethod(calls("torch function"))
        return type(base)("Theirs", (base,), body)
    return type.__new__(Meta, "Theirs", (base,), body)


class Dispatching(torch.Tensor):
    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        called.append("dispatch")
        return torch.ones(2)


class Array(np.ndarray):
    shape = property(calls("shape"))
    tolist = __len__ = __array__ = __repr__ = __iter__ = calls("array")


def made(base, *given):
    value = base.__new__(hostile(base), *given)
    if base in (list, dict):
        base.__init__(value, *given)
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.Tensor.as_subclass(torch.ones(2), hostile(torch.Tensor)),
        lambda: torch.Tensor._make_subclass(Dispatching, torch.ones(2)),
        lambda: torch.Tensor._make_wrapper_subclass(Dispatching, (2,), dtype=torch.float32),
        lambda: made(list, [1, 2]),
        lambda: made(tuple, (1, 2)),
        lambda: made(dict, {"a": 1}),
        lambda: made(str, "word"),
        lambda: made(bytes, b"word"),
        lambda: made(int, 3),
        lambda: made(float, 3.0),
        lambda: made(object),
        lambda: np.ones(2).view(Array),
    ],
)
def test_nothing_that_the_class_of_a_value_defines_is_called(make):
    value = make()
    called.clear()
    got = plain([value, (value,)])
    assert called == []
    assert show(got)
    for kept in (got[0], got[1][0]):
        assert type(kept) in (torch.Tensor, list, tuple, dict, str, bytes, int, float, Opaque)


def test_neither_is_what_an_instance_or_a_name_of_a_class_defines():
    class Name(str):
        __slots__ = ()
        __getitem__ = calls("part of a name")

    odd = type(Name("Odd"), (), {})()
    one = torch.tensor([1.0, 2.0])
    one.detach = one.clone = one.numel = calls("method of the instance")
    called.clear()
    assert plain(odd) == Opaque("Odd")
    assert torch.equal(plain(one), torch.tensor([1.0, 2.0]))
    assert plain(Opaque(Name("device"), odd)) == Opaque("", "")
    assert called == []


def test_a_class_without_a_dispatch_of_its_own_is_what_it_holds():
    class Mine(torch.Tensor):
        pass

    one = torch.tensor([1.0, 2.0])
    for value in (one.as_subclass(Mine), torch.nn.Parameter(one), torch.nn.Buffer(one)):
        assert type(plain(value)) is torch.Tensor
        assert torch.equal(plain(value), one)


def leaked(transform, result=lambda x: x):
    found = []

    def keep(x):
        found.append(x)
        return result(x)

    transform(keep)(torch.ones(2))
    return found[0]


def emptied():
    tensor = torch.ones(300)
    tensor.untyped_storage().resize_(0)
    return tensor


def fake():
    with FakeTensorMode():
        return torch.ones(2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: torch.empty(0, 2**62), f"of shape (0, {2**62})"),
        (lambda: torch.empty(2**31, 0, 2**31), "too large"),
        (lambda: torch.ones(1).expand(2**40), "too large"),
        (lambda: torch.ones(1, 1).expand(2**40, 2**20), "too large"),
        (lambda: torch.ones(*[1] * 40), "too large"),
        (emptied, "without its entries"),
        (lambda: torch.ones(2, device="meta"), "meta"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.quint8), "quint8"),
        (lambda: torch.eye(2).to_sparse_csr(), "sparse_csr"),
        (lambda: torch.ones(2).to_mkldnn(), "mkldnn"),
        (lambda: torch.ones(2, dtype=torch.complex32), "complex32"),
        (lambda: torch.ones(2).to(torch.float8_e4m3fn), "float8"),
        (fake, ""),
        (lambda: leaked(torch.vmap), ""),
        (lambda: leaked(torch.func.grad, torch.sum), ""),
        (lambda: leaked(torch.func.functionalize), ""),
        (lambda: nested(layout=torch.jagged), ""),
    ],
)
def test_tensors_that_hold_nothing_to_compare_are_not_looked_into(make, says):
    got = plain(make())
    assert type(got) is Opaque
    assert says in got.text
    assert show(wire.decode(wire.encode(got)))
    assert agree.values(got, torch.ones(2))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).view(1, 6)[:, -1],
        torch.arange(6.0).view(1, 6)[:, ::6],
        torch.tensor([1 + 2j]).conj().imag,
        torch.zeros(0, 1024, 50257),
        torch.arange(6).view(2, 3).T,
        torch.ones(3).expand(4, 3),
        torch.arange(4.0).as_strided((2, 2), (0, 1)),
        torch.tensor([1, 2], dtype=torch.uint16),
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)} {tensor.stride()}",
)
def test_any_way_to_lie_in_memory_crosses_the_wire(tensor):
    got = wire.decode(wire.encode(plain(tensor)))
    assert got.tolist() == tensor.tolist()
    assert got.shape == tensor.shape


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(2, requires_grad=True) * 2,
        torch.eye(2).to_sparse(),
        torch.ones(2, device="meta"),
        nested(),
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
