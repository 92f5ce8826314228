"""What crosses between the grader and the sandbox: plain data in frames of bounded size.

A frame is two lengths, a msgpack structure, and the bytes of its tensors one after the other.
Reading one makes nothing but built-in types, plain CPU tensors and the few records named here,
whatever its bytes say: it is the student's process that writes them. Equal plain data gives equal
bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgpack
import torch

from grader.inside.forbidden import Call
from grader.inside.models import ToyModel, peeks_of
from grader.inside.plain import COMPARED, Opaque, Pairs, Sample
from grader.inside.run import Frame, Raised

HEAD = struct.Struct("!II")
# msgpack's smallest item is a byte, and the Python object made of it 64 times that.
MAX_STRUCTURE = 8_000_000
MAX_TENSORS = 100_000_000
MAX_TENSOR_COUNT = 20_000
MOST_LINES = 2_000  # frames before an answer, each the line of a statement that is about to be run
_TENSOR, _TUPLE, _OPAQUE, _INT, _LIVE, _TOY, _RAISED, _CALL, _SAMPLE = range(9)
_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in COMPARED}


class Malformed(ValueError):
    """Bytes that are no frame, or more of them than are read."""


def encode(value: Any, live: Callable[[Any], str | None] = lambda _: None) -> bytes:
    """A frame that holds `value`: plain data, `Raised`, `Call`, toy models, and what `live` knows
    by a name.

    Raises:
        Malformed: it is too large.
        TypeError: it holds something else.
    """
    tensors: list[bytes] = []

    def special(x: Any) -> msgpack.ExtType:
        if (named := live(x)) is not None:
            return msgpack.ExtType(_LIVE, named.encode())
        if isinstance(x, torch.Tensor):
            data = x.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            dtype = str(x.dtype).removeprefix("torch.")
            tensors.append(data)
            return msgpack.ExtType(_TENSOR, pack([dtype, list(x.shape), x.device.type]))
        if isinstance(x, tuple):
            return msgpack.ExtType(_TUPLE, pack(list(x)))
        if isinstance(x, int):
            return msgpack.ExtType(_INT, b"%x" % x)
        if isinstance(x, Opaque):
            return msgpack.ExtType(_OPAQUE, pack([x.type, x.text]))
        if isinstance(x, Raised):
            fields = [x.kind, x.text, [list(vars(f).values()) for f in x.frames], x.is_todo]
            return msgpack.ExtType(_RAISED, pack([*fields, x.stub, x.errno]))
        if isinstance(x, Call):
            return msgpack.ExtType(_CALL, pack(list(asdict(x).values())))
        if isinstance(x, Sample):
            return msgpack.ExtType(_SAMPLE, pack([list(x.shape), x.index, x.entries]))
        if isinstance(x, ToyModel):
            return msgpack.ExtType(_TOY, pack(peeks_of(x)))
        raise TypeError(f"{type(x).__name__} does not cross into the sandbox")

    def pack(x: Any) -> bytes:
        packed: bytes = msgpack.packb(
            x, default=special, strict_types=True, unicode_errors="surrogatepass"
        )
        return packed

    try:
        structure = pack(value)
    except (ValueError, RecursionError) as problem:  # nested, or larger than the format goes
        raise Malformed(str(problem)) from None
    size = sum(map(len, tensors))
    if max(len(structure) / MAX_STRUCTURE, size / MAX_TENSORS, len(tensors) / MAX_TENSOR_COUNT) > 1:
        raise Malformed("too large")
    return b"".join([HEAD.pack(len(structure), size), structure, *tensors])


def length(head: bytes) -> int:
    """How many bytes follow a frame's first eight. Raises `Malformed` where they are too many."""
    structure, tensors = HEAD.unpack(head)
    if structure > MAX_STRUCTURE or tensors > MAX_TENSORS:
        raise Malformed("too large")
    return int(structure + tensors)


def decode(
    frame: bytes, live: Callable[[str], Any] | None = None, most: int = MAX_STRUCTURE
) -> Any:
    """What a frame holds. Live things are fetched by name; where no one fetches them, as on the
    grader's side, a frame is a stranger's: one that names a live thing is `Malformed`, like
    everything that `encode` does not write or has a structure of more than `most` bytes; dicts are
    `Pairs`, and it takes time linear in its bytes, whatever they are."""
    try:
        structure_size, tensors_size = HEAD.unpack_from(frame)
        if structure_size > most:
            raise Malformed("too large to be looked at")
        structure = memoryview(frame)[HEAD.size : HEAD.size + structure_size]
        tensors = memoryview(frame)[HEAD.size + structure_size :]
        if len(structure) != structure_size or len(tensors) != tensors_size:
            raise Malformed("lengths")
        reader = _Reader(tensors, live)
        value = reader.unpack(structure)
        if len(reader.tensors):
            raise Malformed("lengths")
        return value
    except Malformed:
        raise
    except Exception as problem:  # hostile bytes fail in many ways
        raise Malformed(f"{type(problem).__name__}") from None


class _Reader:
    def __init__(self, tensors: memoryview, live: Callable[[str], Any] | None) -> None:
        self.tensors, self.live = tensors, live  # the tensors that are still to come
        self.depth = self.tensor_count = 0

    def unpack(self, data: memoryview | bytes) -> Any:
        self.depth += 1
        if self.depth > 40:  # tuples in tuples; lists nest within msgpack's own limit
            raise Malformed("nested")
        value = msgpack.unpackb(
            data, ext_hook=self.special, object_pairs_hook=_pairs if self.live is None else dict,
            strict_map_key=False,
            unicode_errors="surrogatepass",
        )  # fmt: skip
        self.depth -= 1
        return value

    def special(self, code: int, data: bytes) -> Any:
        if code == _LIVE and self.live is not None:
            return self.live(data.decode())
        if code == _TOY and self.live is not None:
            return ToyModel(self.unpack(data))
        if code == _INT:
            return int(data, 16)
        value = self.unpack(data)
        if type(value) is not list:
            raise Malformed("no list")
        if code == _TUPLE:
            return tuple(value)
        if code == _TENSOR:
            return self.tensor(*value)
        if code == _OPAQUE:
            return Opaque(*_all(str, value, 2))
        if code == _CALL:
            what, line, text = value
            _all(str, [what, text], 2)
            return Call(what, _optional_int(line), text)
        if code == _SAMPLE and self.live is not None:
            shape, index, entries = value
            return Sample(tuple(shape), index, entries)
        if code == _RAISED:
            kind, text, frames, is_todo, stub, errno = value
            _all(str, [kind, text, stub], 3)
            read = [_frame(*frame) for frame in frames]
            return Raised(kind, text, tuple(read), is_todo is True, stub, _optional_int(errno))
        raise Malformed("unknown")

    def tensor(self, name: str, shape: list[int], device: str) -> torch.Tensor:
        dtype = _DTYPES[name]
        _all(int, shape, len(shape))
        self.tensor_count += 1
        if len(shape) > 24 or not all(map(_is_small, shape)) or min(shape, default=0) < 0:
            raise Malformed("tensor")  # before the product is made of numbers without end
        size = math.prod(shape) * dtype.itemsize
        if size > len(self.tensors) or self.tensor_count > MAX_TENSOR_COUNT:
            raise Malformed("tensor")
        data, self.tensors = bytearray(self.tensors[:size]), self.tensors[size:]
        if not data:
            made = torch.empty(shape, dtype=dtype)
        elif dtype is torch.bool:  # made of any byte but 0 and 1 it would be undefined
            made = torch.frombuffer(data, dtype=torch.uint8).view(shape).ne(0)
        else:
            # As fresh as those of `pytest exercises`: autograd treats a view in another way.
            made = torch.frombuffer(data, dtype=dtype).view(shape).clone()
        return made.to(device) if self.live is not None else made


def _all(kind: type, values: list[Any], n: int) -> list[Any]:
    if len(values) != n or any(type(value) is not kind for value in values):
        raise Malformed(f"no {kind.__name__}")
    return values


def _is_small(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 63


def _optional_int(value: Any) -> int | None:
    if value is not None and not _is_small(_all(int, [value], 1)[0]):
        raise Malformed("large")  # to write it out takes long, or is refused
    return None if value is None else int(value)


def _pairs(items: list[tuple[Any, Any]]) -> Pairs:
    if any(type(key) not in _KEYS for key, _ in items):
        raise Malformed("key")
    return Pairs(tuple(items))


_KEYS = (str, int, bytes, float, bool, type(None), Opaque)


def _frame(file: str, line: int, function: str, text: str) -> Frame:
    _all(str, [file, function, text], 3)
    return Frame(file, _optional_int(line) or 0, function, text)
