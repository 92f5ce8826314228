"""What an exercise does not let an answer call: read in its source, and watched as it runs.

The source decides where it says so plainly: a name that stands for a PyTorch function, however it
was imported, assigned or fetched by `getattr`, or a method of one of the exercise's own parameters.
Everything else shows as it runs. Neither takes a student's own function for PyTorch's because it
has the same name.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch.autograd import profiler_legacy
from torch.overrides import TorchFunctionMode

Function = Callable[..., Any]


@dataclass(frozen=True)
class Forbidden:
    torch: tuple[str, ...] = ()  # every function of PyTorch with one of these words in its name
    methods: tuple[str, ...] = ()  # methods of the model or tokenizer that an answer is handed

    def __bool__(self) -> bool:
        return bool(self.torch or self.methods)


@dataclass(frozen=True)
class Call:
    what: str
    line: int | None = None  # None where it happened inside a library or compiled code
    text: str = ""  # that line

    def __str__(self) -> str:
        return self.said(f"line {self.line}" if self.line else "it")

    def said(self, where: str) -> str:
        """`where`: how that line is spoken of."""
        place = f"{where[:1].upper()}{where[1:]} calls"
        return f"{place} {self.what}, which this exercise rules out" + (
            f":\n    {self.text}" if self.text else "."
        )


# --- In the source -------------------------------------------------------------------------------


def in_source(
    source: str, function: str, forbidden: Forbidden, nodes: list[ast.stmt] | None = None
) -> Call | None:
    """The first forbidden call in the function, or in what it calls of the same file. `nodes`: what
    of its top level is run, if that is not all."""
    try:
        module = ast.parse(source) if nodes is None else ast.Module(nodes, [])
        found = list(_Reader(module, forbidden).found(function))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # it does not import either, and is told so; or is nested too deep to read
    if not found:
        return None
    what, node = min(found, key=lambda call: call[1].lineno)
    return Call(what, node.lineno, source.split("\n")[node.lineno - 1].strip())


class _Reader:
    def __init__(self, module: ast.Module, forbidden: Forbidden) -> None:
        self.forbidden = forbidden
        self.aliases = _bindings(module.body)
        self.own: dict[str, ast.AST] = {}  # what the file defines at its top level, last one wins
        for node in module.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.own[node.name] = node
            elif isinstance(node, ast.Assign):
                self.own |= {t.id: node.value for t in node.targets if isinstance(t, ast.Name)}

    def found(self, function: str) -> Iterator[tuple[str, ast.expr]]:
        """(what is called, where), in the function and in everything of the file that it names."""
        waiting, seen = [function], set()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.own:
                continue
            seen.add(name)
            node = self.own[name]
            yield from self._in(node, is_exercise=name == function)
            below = _without_mentions(node, self.aliases)
            named = {n.id for n in below if isinstance(n, ast.Name)}
            waiting += named - _bound(node)  # a local variable is not what the file calls so

    def _in(self, top: ast.AST, is_exercise: bool) -> Iterator[tuple[str, ast.expr]]:
        body = top.body if isinstance(top, ast.FunctionDef) else []
        local = _bindings([n for b in body for n in ast.walk(b)])
        names = self.aliases | dict.fromkeys(_bound(top)) | local
        parameters = _never_rebound(top) if is_exercise else set()
        for node in _without_mentions(top, names):
            if not isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
                continue
            path = _path(node, names)
            if path and path.startswith("torch.") and self._is_torchs(path):
                yield path, node
            elif (attribute := _attribute(node)) and _root(attribute[0]) in parameters:
                name = attribute[1]
                if name in self.forbidden.methods or self._is_torchs(name):
                    yield f"{_text(attribute[0])}.{name}", node

    def _is_torchs(self, path: str) -> bool:
        return any(
            word in part.lower() for word in self.forbidden.torch for part in path.split(".")
        )


def _bindings(nodes: list[Any]) -> dict[str, str | None]:
    """Name -> dotted path, of imports and of plain assignments to these (`s = torch.softmax`)."""
    names: dict[str, str | None] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for a in node.names:
                names[a.asname or a.name.partition(".")[0]] = (
                    a.name if a.asname else a.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Assign) and (path := _path(node.value, names)):
            names |= {t.id: path for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = None  # their own, whatever it is called
    return names


def _path(node: ast.AST, names: dict[str, str | None]) -> str | None:
    """`torch.nn.functional.softmax` for whatever expression stands for that."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if attribute := _attribute(node):
        base = _path(attribute[0], names)
        return base and f"{base}.{attribute[1]}"
    return None


def _attribute(node: ast.AST) -> tuple[ast.AST, str] | None:
    """(x, "name") for `x.name` and for `getattr(x, "name")`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Call) and _text(node.func) == "getattr" and len(node.args) > 1:
        try:
            name = ast.literal_eval(node.args[1])
        except ValueError:
            return None
        return (node.args[0], name) if isinstance(name, str) else None
    return None


def _root(node: ast.AST) -> str | None:
    """`x` for `x[0].double() - 1` and whatever else is made from it step by step."""
    while not isinstance(node, ast.Name):
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.BinOp):
            node = node.left
        else:
            return None
    return node.id


def _bound(top: ast.AST) -> set[str]:
    """Names that the function gives a meaning of its own."""
    found = set()
    for node in ast.walk(top):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node is not top:
            found.add(node.name)
    return found


def _never_rebound(top: ast.AST) -> set[str]:
    if not isinstance(top, (ast.FunctionDef, ast.Lambda)):
        return set()
    stored = {
        n.id for n in ast.walk(top) if isinstance(n, ast.Name) and n.ctx.__class__ is ast.Store
    }
    return {a.arg for a in (*top.args.posonlyargs, *top.args.args)} - stored


def _without_mentions(node: ast.AST, names: dict[str, str | None]) -> Iterator[ast.AST]:
    """All that is below a node but what is only mentioned: annotations, and what a function is
    dressed up as by `functools.wraps`."""
    yield node
    if isinstance(node, ast.Call) and _path(node.func, names) == "functools.wraps":
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _without_mentions(child, names)


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) < 40 else "..."


# --- As it runs ----------------------------------------------------------------------------------


class Watch:
    """Wraps an implementation; `call` is the first forbidden call that it then makes."""

    def __init__(self, implementation: Function, forbidden: Forbidden) -> None:
        self.implementation, self.forbidden = implementation, forbidden
        self.call: Call | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            if self.forbidden.torch:
                stack.enter_context(self._ops())
                stack.enter_context(self._functions())
            for argument in (*args, *kwargs.values()):
                for name in self.forbidden.methods:
                    for owner in (argument, getattr(argument, "original_model", None)):
                        if callable(getattr(type(owner), name, None)):
                            stack.enter_context(self._method(type(owner), name))
            return self.implementation(*args, **kwargs)

    def saw(self, what: str) -> None:
        if self.call is None:
            self.call = Call(what, *self._place())

    def _functions(self) -> TorchFunctionMode:
        """Python's calls into PyTorch. (A TorchDispatchMode would see deeper, but takes a second
        to import, and lines are known only up here.)"""
        watch = self

        class Functions(TorchFunctionMode):
            def __torch_function__(
                self, called: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                name = getattr(called, "__name__", str(called))
                if any(word in name for word in watch.forbidden.torch):
                    watch.saw(f"PyTorch's {name.strip('_')}")
                return called(*args, **(kwargs or {}))

        return Functions()

    @contextmanager
    def _ops(self) -> Iterator[None]:
        """What compiled code (`torch.jit.script`) calls."""
        with profiler_legacy.profile() as profile:
            yield
        for event in profile.function_events:
            if event.name.startswith("aten::") and any(
                word in event.name for word in self.forbidden.torch
            ):
                self.saw(f"PyTorch's {event.name.removeprefix('aten::').strip('_')}")

    @contextmanager
    def _method(self, owner: type, name: str) -> Iterator[None]:
        original = getattr(owner, name)
        inherited = name not in vars(owner)

        def spy(*args: Any, **kwargs: Any) -> Any:
            self.saw(f"{owner.__name__}.{name}")
            return original(*args, **kwargs)

        setattr(owner, name, spy)
        try:
            yield
        finally:
            delattr(owner, name) if inherited else setattr(owner, name, original)

    def _place(self) -> tuple[int | None, str]:
        """The innermost line of the implementation's own file that runs at this moment."""
        code = getattr(self.implementation, "__code__", None)
        frame = sys._getframe()
        while code is not None and frame is not None:
            if frame.f_code.co_filename == code.co_filename:
                text = linecache.getline(code.co_filename, frame.f_lineno).strip()
                return frame.f_lineno, text
            frame = frame.f_back  # type: ignore[assignment]
        return None, ""
