"""What crosses the trust boundary: plain data as it was, and nothing else."""

import math
import struct
import tracemalloc

import msgpack
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.inside import wire
from grader.inside.forbidden import Call
from grader.inside.models import ToyModel, peeks_of
from grader.inside.plain import Opaque, Pairs
from grader.inside.run import Frame, Raised
from grader.verdict import agree, difference
from grader.verdict.show import show

DTYPES = sorted(wire._DTYPES)


@st.composite
def tensors(draw):
    shape = draw(st.lists(st.integers(0, 3), max_size=4))
    dtype = wire._DTYPES[draw(st.sampled_from(DTYPES))]
    return (torch.rand(shape) * 100 - 50).to(dtype)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(),
    st.text(st.characters(exclude_categories=())),
)  # fmt: skip
keys = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary())
values = st.recursive(
    scalars | tensors() | st.builds(Opaque, st.text(), st.text()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=20,
)


def same(one, other):
    if isinstance(one, dict) and isinstance(other, Pairs):  # as a stranger's is read
        keys = [key for key, _ in other.items]
        return list(one) == keys and all(same(one[key], value) for key, value in other.items)
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        as_bytes = [x.contiguous().reshape(-1).view(torch.uint8).tolist() for x in (one, other)]
        return one.dtype == other.dtype and one.shape == other.shape and as_bytes[0] == as_bytes[1]
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


@given(values)
@settings(max_examples=300, deadline=None)
def test_plain_data_comes_out_as_it_went_in(value):
    frame = wire.encode(value)
    assert wire.length(frame[:8]) == len(frame) - 8
    assert same(value, wire.decode(frame))
    assert wire.encode(wire.decode(frame, live=lambda name: None)) == frame


@pytest.mark.parametrize(
    "record",
    [
        Raised("ValueError", "ValueError: x", (Frame("a.py", 3, "f", "raise x"),), True, "f", 13),
        Raised("KeyError", "KeyError"),
        Call("torch.softmax", 3, "return torch.softmax(x)"),
        Call("PyTorch's softmax"),
    ],
)
def test_records_come_out_as_they_went_in(record):
    assert wire.decode(wire.encode(record)) == record


@given(st.binary(max_size=200))
@settings(max_examples=1000, deadline=None)
def test_any_bytes_are_a_value_or_malformed(data):
    for frame in (data, wire.HEAD.pack(len(data), 0) + data):
        try:
            wire.decode(frame)
        except wire.Malformed:
            continue


@given(values, st.data())
@settings(max_examples=300, deadline=None)
def test_a_frame_with_changed_bytes_is_a_value_or_malformed(value, data):
    frame = bytearray(wire.encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        wire.decode(bytes(frame))
    except wire.Malformed:
        return


@pytest.mark.parametrize(
    "key",
    [
        lambda i: (2**61 - 1) * i,  # they hash alike
        lambda i: i << 40,  # and these begin to look in one place
        lambda i: float(i),
        lambda i: f"{i}",
        lambda i: 0,
    ],
)
def test_no_table_is_made_of_keys_that_a_stranger_has_chosen(key):
    """Whatever they are, it takes time linear in their number, counted in what is hashed."""
    n = 50_000 if key(1) != 2**61 - 1 else 4
    packer = msgpack.Packer()
    body = b"".join(packer.pack(key(i)) + b"\x00" for i in range(n))
    seen = wire.decode(framed(b"\xdf" + n.to_bytes(4, "big") + body))
    assert type(seen) is Pairs
    assert len(seen.items) == n
    assert agree.values(seen, {"a": 1}) is not None
    assert agree.values(seen, {key(0): 0, key(1): 0}) is not None
    assert len(show(seen)) < 500


def test_an_answer_is_not_looked_at_beyond_what_is_asked_for():
    frame = wire.encode(list(range(10_000)))
    assert wire.decode(frame, most=len(frame)) == list(range(10_000))
    with pytest.raises(wire.Malformed, match="too large"):
        wire.decode(frame, most=10_000)


def test_pairs_agree_as_the_dict_that_they_were():
    expected = {"a": 1, "b": [2.0], 3: "c"}
    for value, differs in [
        (expected, None),
        ({"b": [2.0], 3: "c", "a": 1}, None),
        ({"a": 1, "b": [2.0]}, "the key 3 is missing."),
        ({**expected, "d": 1}, "the key 'd' should not be there."),
        ({**expected, "a": 2}, "At ['a']: 2 instead of 1."),
    ]:
        seen = wire.decode(wire.encode(value))
        assert agree.values(seen, expected) == agree.values(value, expected) == differs
        assert show(seen) == show(value)
        assert difference.lines(seen, expected) == difference.lines(value, expected)
        if differs is None:
            assert agree.remark(seen, expected) is None


def framed(structure, tensors=b""):
    return wire.HEAD.pack(len(structure), len(tensors)) + structure + tensors


def tensor(shape, dtype="float32"):
    return msgpack.ExtType(wire._TENSOR, msgpack.packb([dtype, shape, "cpu"]))


def nested(code, depth):
    data = msgpack.packb([])
    for _ in range(depth):
        data = msgpack.packb([msgpack.ExtType(code, data)])
    return data


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\0" * 7,
        framed(b""),
        framed(b"\x91" * 100_000),
        framed(nested(wire._TUPLE, 500)),
        framed(msgpack.packb(tensor([2, 2])), b"\0" * 15),
        framed(msgpack.packb(tensor([2, 2])), b"\0" * 17),
        framed(msgpack.packb([tensor([1]), tensor([1])]), b"\0" * 4),
        framed(msgpack.packb(tensor([-1, -4])), b"\0" * 16),
        framed(msgpack.packb(tensor([2**62, 2**62, 0]))),
        framed(msgpack.packb(tensor([1] * 100)), b"\0" * 4),
        framed(msgpack.packb(tensor([1], "qint8")), b"\0"),
        framed(msgpack.packb(tensor([1], ["float32"])), b"\0" * 4),
        framed(msgpack.packb(tensor([True])), b"\0" * 4),
        framed(msgpack.packb(msgpack.ExtType(wire._OPAQUE, msgpack.packb([1, 2])))),
        framed(msgpack.packb(msgpack.ExtType(wire._RAISED, msgpack.packb([1] * 6)))),
        framed(msgpack.packb(msgpack.ExtType(wire._CALL, msgpack.packb(["a", "b", "c"])))),
        framed(msgpack.packb(msgpack.ExtType(wire._LIVE, b"reference"))),
        framed(msgpack.packb(msgpack.ExtType(wire._TOY, msgpack.packb("next")))),
        framed(msgpack.packb(msgpack.ExtType(99, b""))),
        framed(msgpack.packb(msgpack.ExtType(wire._INT, b"zz"))),
        framed(b"\x81\x90\x01"),  # a list as a key
        framed(msgpack.packb([1]) + b"more"),
        framed(msgpack.packb(tensor([2**62] * 20))),
        framed(
            msgpack.packb(
                msgpack.ExtType(
                    wire._CALL,
                    msgpack.packb(["a", msgpack.ExtType(wire._INT, b"1" + b"0" * 5000), "c"]),
                )
            )
        ),
    ],
)
def test_what_no_honest_side_writes_is_malformed(frame):
    with pytest.raises(wire.Malformed):
        wire.decode(frame)


def test_a_length_beyond_the_limits_is_malformed_before_anything_is_read():
    for head in (struct.pack("!II", 2**32 - 1, 0), struct.pack("!II", 0, 2**32 - 1)):
        with pytest.raises(wire.Malformed):
            wire.length(head)


def test_what_is_too_large_is_not_sent():
    for value in (["x" * 1000] * 9_000, torch.zeros(30_000_000), [torch.zeros(0)] * 20_001):
        with pytest.raises(wire.Malformed):
            wire.encode(value)
    for value in (object(), {1, 2}, torch.nn.Linear(1, 1)):
        with pytest.raises(TypeError):
            wire.encode(value)


def test_a_small_frame_cannot_become_a_large_value():
    frame = framed(msgpack.packb([[]] * 1_000_000))
    tracemalloc.start()
    wire.decode(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * len(frame)


def test_a_bool_is_true_or_false_whatever_byte_it_was_made_of():
    frame = framed(msgpack.packb(tensor([3], "bool")), b"\x00\x07\xff")
    assert wire.decode(frame).tolist() == [False, True, True]
    assert wire.decode(frame).view(torch.uint8).tolist() == [0, 1, 1]


def test_live_things_cross_by_name_and_only_inwards():
    model, large = object(), torch.ones(3)
    names = {id(model): "reference", id(large): "large 0"}
    frame = wire.encode([model, large, ToyModel("1>3")], lambda x: names.get(id(x)))
    assert len(frame) < 100
    got, tensor_, toy = wire.decode(frame, {"reference": model, "large 0": large}.get)
    assert got is model
    assert tensor_ is large
    assert peeks_of(toy) == "1>3"
    with pytest.raises(wire.Malformed):
        wire.decode(frame)


def test_a_tensor_that_crossed_is_no_view_and_its_own():
    for tensor_ in (torch.ones(2, 3), torch.tensor([True]), torch.tensor(1), torch.zeros(0, 2)):
        assert not wire.decode(wire.encode(tensor_))._is_view()


def test_equal_bytes_mean_equal_values():
    ones = [torch.ones(2), torch.ones(2).double(), [1.0, 1.0], (1.0, 1.0), [1, 1], [True, True]]
    frames = [wire.encode(value) for value in ones]
    assert len(set(frames)) == len(frames)
    assert agree.values(wire.decode(frames[0]), ones[0]) is None
