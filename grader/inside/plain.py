"""What came back from an implementation, as plain data that is safe to compare and to print.

A student's function may return anything: a tensor subclass, an object whose `__eq__` says yes to
everything, a list that contains itself. `plain` copies what such a value *holds* into exact
built-in types and plain CPU tensors, and calls no method that the value's own class defines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

MAX_DEPTH = 12
MAX_ITEMS = 1_000_000
MAX_ENTRIES = 20_000_000  # of all tensors in one value together
MAX_DIMS = 24
KEPT = 4096  # entries of a misconception's tensor of floats; of a larger one there is a sample
MAX_SPAN = 1 << 48  # entries, were an empty tensor not empty: NumPy asks whether it could be full
COMPARED = {
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
}  # fmt: skip


@dataclass(frozen=True)
class Opaque:
    """A value the grader does not look into: its type's name and, where harmless, some text."""

    type: str
    text: str = ""


@dataclass(frozen=True, eq=False)
class Pairs:
    """A dict as a stranger sent it. It is not made a table of: hashes of numbers are no secret, and
    of keys that somebody has chosen to collide a table takes their number squared to make. They are
    looked up in one of ours."""

    items: tuple[tuple[Any, Any], ...]

    def get(self, name: str) -> Any:
        """Of a name that we gave; None where it is not there."""
        return next((value for key, value in self.items if type(key) is str and key == name), None)

    def of(self, ours: dict[Any, Any]) -> dict[Any, Any]:
        """Those that we have, too."""
        return {key: value for key, value in self.items if key in ours}


@dataclass(frozen=True, eq=False)
class Sample:
    """Some entries of a large tensor of floats, which is not kept: half of them its largest, by
    which tolerances go, the others evenly spread."""

    shape: tuple[int, ...]
    index: torch.Tensor  # into the flattened tensor
    entries: torch.Tensor

    @classmethod
    def of(cls, tensor: torch.Tensor, size: int = 1024) -> Sample:
        flat = tensor.flatten()
        largest = flat.double().abs().nan_to_num(0, posinf=0).topk(size // 2).indices
        index = torch.cat([largest, torch.linspace(0, len(flat) - 1, size // 2).long()])
        return cls(tuple(tensor.shape), index, flat[index])


def sampled(value: Any) -> Any:
    """What a misconception does, as it is kept: of a large tensor of floats a sample."""
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() > KEPT:
        return Sample.of(value)
    if isinstance(value, (list, tuple)):
        return type(value)(sampled(item) for item in value)
    if isinstance(value, dict):
        return {key: sampled(item) for key, item in value.items()}
    return value


# How to copy what a subclass holds: by the base type's own method, which it cannot override.
_SCALARS: dict[type, Callable[[Any], Any]] = {
    bool: bool.__bool__,
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
}


# Keys of tensors that hold no entries of their own: what is asked of them, others answer, be it the
# class (`__torch_dispatch__`, when it likes) or a transform of functions that has ended.
_STANDS_FOR = [
    getattr(torch._C.DispatchKey, name)
    for name in ("Python", "Functionalize", "FuncTorchBatched", "FuncTorchGradWrapper")
]


def plain(value: object) -> Any:
    """`value` as None, bool, int, float, str, bytes, list, tuple, dict, tensor (CPU, detached, no
    subclass) or `Opaque`, all the way down. Beyond a million items, twenty million tensor entries
    or twelve levels, the rest is `Opaque`."""
    items_left, entries_left = MAX_ITEMS, MAX_ENTRIES

    def convert(value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None:
            return None
        if kind is Opaque:
            return Opaque(*(text if type(text) is str else "" for text in vars(value).values()))
        for base, copy in _SCALARS.items():
            if issubclass(kind, base):
                return copy(value)
        if issubclass(kind, torch.Tensor):
            return tensor(value)
        if issubclass(kind, np.generic):
            item = np.generic.item(value)
            if type(item) in (bool, int, float):
                return torch.tensor(item)  # what it is nearest to: a number that is not Python's
            return item if type(item) in (str, bytes) else Opaque(name_of(kind))
        if issubclass(kind, np.ndarray):
            return Opaque("numpy.ndarray", f"of shape {np.ndarray.shape.__get__(value)}")
        if issubclass(kind, torch.device):
            return Opaque("torch.device", value.type)  # cuda and cuda:0 are the same answer
        if issubclass(kind, torch.dtype):
            return Opaque("torch.dtype", str(value))
        if depth and issubclass(kind, (list, tuple)):
            base = list if issubclass(kind, list) else tuple
            return base(convert(item, depth - 1) for item in take(base.__iter__(value)))
        if depth and issubclass(kind, dict):
            pairs = take(iter(dict.items(value)))
            return {_key(k, convert(k, 0)): convert(v, depth - 1) for k, v in pairs}
        return Opaque(name_of(kind))

    def take(items: Iterator[Any]) -> list[Any]:
        nonlocal items_left
        taken = list(islice(items, items_left))
        items_left -= len(taken)
        if not items_left:
            taken.append(Opaque("rest", "too long to look at"))
        return taken

    def tensor(value: torch.Tensor) -> Any:
        nonlocal items_left, entries_left
        keys = torch._C._dispatch_keys(value)
        if any(keys.has(key) for key in _STANDS_FOR):
            return Opaque(name_of(type(value)))
        with torch._C.DisableTorchFunction():
            own = vars(torch._C.TensorBase)
            layout = own["layout"].__get__(value)
            if own["is_nested"].__get__(value) or layout != torch.strided:
                return Opaque("torch.Tensor", f"with layout {layout}")
            if own["is_meta"].__get__(value):
                return Opaque("torch.Tensor", "on the device meta, without entries")
            value = torch.Tensor.as_subclass(value, torch.Tensor)
            shape = tuple(value.shape)
            items_left -= min(items_left, 50)  # as much work as so many numbers
            entries_left -= value.numel()
            is_odd = len(shape) > MAX_DIMS or math.prod(n or 1 for n in shape) > MAX_SPAN
            if entries_left < 0 or is_odd:
                return Opaque("torch.Tensor", f"of shape {shape}, too large to look at")
            if value.dtype in (torch.uint16, torch.uint32, torch.uint64):
                value = value.long()
            if value.dtype not in COMPARED:
                return Opaque("torch.Tensor", f"of dtype {value.dtype}")
            reach = sum((n - 1) * step for n, step in zip(shape, value.stride(), strict=True)) + 1
            held = value.untyped_storage().nbytes() // value.itemsize - value.storage_offset()
            if value.numel() and reach > held:  # somebody has taken its memory away
                return Opaque("torch.Tensor", f"of shape {shape}, without its entries")
            # Not a clone: a dimension of size 1 would keep whatever stride it has.
            copy = torch.empty(shape, dtype=value.dtype)
            return copy.copy_(value.detach())

    return convert(value, MAX_DEPTH)


def name_of(kind: type) -> str:
    name = type.__dict__["__name__"].__get__(kind)  # a metaclass may lie, `type` does not
    return str.__getitem__(name, slice(80))


def _key(key: Any, converted: Any) -> Any:
    if not isinstance(converted, torch.Tensor):
        return converted
    is_tensor = issubclass(type(key), torch.Tensor)  # `isinstance` asks the key for its class
    return Opaque("torch.Tensor", "as a key") if is_tensor else converted.item()
