"""What an exercise does not let an answer call, and where an answer's source says that it does.

The source decides where it says so plainly: a name that stands for a library's function, however
it was imported, assigned or fetched by `getattr`, or a method of one of the exercise's own
parameters. Everything else shows as it runs (`grader.inside.watch`). Neither takes a student's own
function for a library's because it has the same name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from grader import statements

# Whose functions may be ruled out, and what people call them.
LIBRARIES = {
    "torch": "PyTorch", "numpy": "NumPy", "scipy": "SciPy", "sklearn": "scikit-learn",
    "transformers": "transformers", "transformer_lens": "TransformerLens",
}  # fmt: skip
UNREADABLE = "nested too deep to be read"  # in place of what is called


@dataclass(frozen=True)
class Forbidden:
    # Every function of a library with one of these words in its name or its module's. Case and
    # underscores do not count: with `nll_loss` goes `NLLLoss`.
    torch: tuple[str, ...] = ()
    # The same to the letter; also methods of the model or tokenizer that an answer is handed.
    methods: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.torch or self.methods)

    def rules_out(self, path: str) -> bool:
        """A library's function, by its dotted path from the library's name on."""
        root, _, rest = path.partition(".")
        return root in LIBRARIES and (
            self.rules_out_torchs(rest) or any(word in path for word in self.methods)
        )

    def rules_out_torchs(self, name: str) -> bool:
        """A function of PyTorch's or a method of its tensors, by name."""
        return any(_bare(word) in _bare(name) for word in self.torch)

    def rules_out_method(self, name: str) -> bool:
        """A method of something that an answer is handed."""
        return self.rules_out_torchs(name) or any(word in name for word in self.methods)


@cache
def _bare(name: str) -> str:
    return name.replace("_", "").lower()


@dataclass(frozen=True)
class Call:
    what: str  # or `UNREADABLE`
    line: int | None = None  # None where it happened inside a library or compiled code
    text: str = ""  # that line

    def __str__(self) -> str:
        return self.said(f"line {self.line}" if self.line else "it")

    def said(self, where: str) -> str:
        """`where`: how that line is spoken of."""
        if self.what == UNREADABLE:
            says = (
                f"What begins in {where} is {UNREADABLE}, and this exercise rules out some calls. "
                "Write it as several statements"
            )
        else:
            place = f"{where[:1].upper()}{where[1:]}"
            says = f"{place} calls {self.what}, which this exercise rules out"
        return says + (f":\n    {self.text}" if self.text else ".")


def in_source(
    source: str, function: str, forbidden: Forbidden, read: statements.Read | None = None
) -> Call | None:
    """The first forbidden call in the function, or in what it calls of the same file; or that part
    of these which cannot be read. `read`: the source's statements, where they are known."""
    read = read or statements.read(source)
    run = [
        s.node or _TooDeep(s.line, set(s.names))
        for s in read.statements
        if s.code is not None or s.is_too_deep
    ]
    found = list(_Reader(run, forbidden).found(function))
    if not found:
        return None
    what, line = min(found, key=lambda call: call[1])
    return Call(what, line, source.split("\n")[line - 1].strip()[:200])


# --- Statements ----------------------------------------------------------------------------------


class _TooDeep(ast.stmt):
    """A top-level statement that is nested too deep to be taken apart."""

    def __init__(self, lineno: int, names: set[str]) -> None:
        super().__init__()
        self.lineno, self.names = lineno, names  # what it may define


# --- What they say -------------------------------------------------------------------------------

_Names = dict[str, "str | None"]  # a name -> the dotted path that it stands for, if any
_OWN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class _Reader:
    def __init__(self, statements: list[ast.stmt], forbidden: Forbidden) -> None:
        self.forbidden = forbidden
        self.aliases: _Names = {}
        self.own: dict[str, ast.AST | None] = {}  # what the file defines at its top level
        for node, is_sure in _flat(statements):
            # What stands in a branch may not come to run, what stands beside it does.
            for name, path, value in list(_bindings(node, self.aliases)):
                if is_sure or name not in self.aliases:
                    self.aliases[name], self.own[name] = path, value

    def found(self, function: str) -> Iterator[tuple[str, int]]:
        """(what is called, line), in the function and in everything of the file that it names."""
        waiting, seen = [function], set()
        while waiting:
            name = waiting.pop()
            node = self.own.get(name)
            if name in seen or node is None:
                continue
            seen.add(name)
            if isinstance(node, _TooDeep):
                yield UNREADABLE, node.lineno
                continue
            yield from self._in(node, is_exercise=name == function)
            below = _without_mentions(node, self.aliases)
            named = {n.id for n in below if isinstance(n, ast.Name)}
            waiting += named - _bound(node)  # a local variable is not what the file calls so

    def _in(self, top: ast.AST, is_exercise: bool) -> Iterator[tuple[str, int]]:
        names = self.aliases | dict.fromkeys(_bound(top))
        for statement in top.body if isinstance(top, _OWN) else []:
            for node in ast.walk(statement):
                names |= {name: path for name, path, _ in _bindings(node, names)}
        parameters = _never_rebound(top) if is_exercise else set()
        for node in _without_mentions(top, names):
            if not isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
                continue
            path = _path(node, names)
            if path and self.forbidden.rules_out(path):
                yield path, node.lineno
            elif (attribute := _attribute(node)) and self.forbidden.rules_out_method(attribute[1]):
                of, name = attribute
                if _root(of) in parameters:
                    yield f"{_text(of)}.{name}", node.lineno


def _flat(statements: list[ast.stmt]) -> Iterator[tuple[ast.AST, bool]]:
    """Whatever may bind names, at the top level and in its branches, loops and `try`, and whether
    it runs in any case."""
    waiting: list[tuple[ast.AST, bool]] = [(s, True) for s in reversed(statements)]
    while waiting:
        node, is_sure = waiting.pop()
        yield node, is_sure
        if isinstance(node, _OWN):
            continue
        inner = list(ast.iter_child_nodes(node))
        for child in inner:
            if isinstance(child, ast.expr):
                yield from ((n, is_sure) for n in ast.walk(child) if isinstance(n, ast.NamedExpr))
        blocks = (ast.stmt, ast.excepthandler, ast.match_case)
        waiting += [(n, False) for n in reversed(inner) if isinstance(n, blocks)]


def _bindings(node: ast.AST, names: _Names) -> Iterator[tuple[str, str | None, ast.AST | None]]:
    """(name, the path it stands for, what the file itself says it is) of what a node binds."""
    if isinstance(node, ast.Import):
        for a in node.names:
            root = a.name.partition(".")[0]
            yield (a.asname, a.name, None) if a.asname else (root, root, None)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for a in node.names:
            if a.name == "*":
                yield from ((name, path, None) for name, path in _public(node.module))
            else:
                yield a.asname or a.name, f"{node.module}.{a.name}", None
    elif isinstance(node, _OWN):
        yield node.name, None, node  # their own, whatever it is called
    elif isinstance(node, _TooDeep):
        yield from ((name, None, node) for name in node.names)
    else:
        for target, value in _assigned(node):
            for name, of in _unpacked(target, value):
                yield name, _path(of, names), of


def _public(module: str) -> Iterator[tuple[str, str]]:
    """(name, path) of what `import *` takes of a library's module that is there."""
    if module.partition(".")[0] in LIBRARIES and module in sys.modules:
        there = vars(sys.modules[module])
        for name in there.get("__all__") or [n for n in there if not n.startswith("_")]:
            value = there.get(name)
            if isinstance(value, ModuleType):  # that it has imported itself
                yield name, value.__name__
            else:
                yield name, f"{module}.{name}"


def _assigned(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value)"""
    if isinstance(node, ast.Assign):
        return [(target, node.value) for target in node.targets]
    if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        return [(node.target, node.value)]
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [(node.target, ast.Starred(node.iter))]  # one of these
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [(i.optional_vars, i.context_expr) for i in node.items if i.optional_vars]
    return []


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Each name among the targets, with its own value where that can be told, or with all."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _unpacked(target.value, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        values: list[ast.expr] = [value] * len(target.elts)
        if isinstance(value, (ast.Tuple, ast.List)):
            starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
            before = starred[0] if starred else len(target.elts)
            after = len(target.elts) - before
            if not any(isinstance(v, ast.Starred) for v in value.elts):
                values[:before] = value.elts[:before]
                if after > 1:
                    values[before + 1 :] = value.elts[1 - after :]
        for one, its in zip(target.elts, values, strict=False):  # wrong numbers of them fail later
            yield from _unpacked(one, its)


def _path(node: ast.AST, names: _Names) -> str | None:
    """`torch.nn.functional.softmax` for whatever expression stands for that."""
    after: list[str] = []
    while len(after) < 50:  # nobody says more plainly
        if isinstance(node, ast.NamedExpr):
            node = node.value
        elif attribute := _attribute(node):
            node = attribute[0]
            after.append(attribute[1])
        else:
            break
    base = names.get(node.id) if isinstance(node, ast.Name) else None
    return base and ".".join([base, *reversed(after)])


def _attribute(node: ast.AST) -> tuple[ast.expr, str] | None:
    """(x, "name") for `x.name` and for `getattr(x, "name")`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
        of, name = node.args[:2]
        if node.func.id == "getattr" and isinstance(name, ast.Constant):
            return (of, name.value) if isinstance(name.value, str) else None
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
        elif isinstance(node, _OWN) and node is not top:
            found.add(node.name)
    return found


def _never_rebound(top: ast.AST) -> set[str]:
    if not isinstance(top, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return set()
    stored = {
        n.id for n in ast.walk(top) if isinstance(n, ast.Name) and n.ctx.__class__ is ast.Store
    }
    given = [*top.args.posonlyargs, *top.args.args, *top.args.kwonlyargs]
    given += filter(None, [top.args.vararg, top.args.kwarg])
    return {a.arg for a in given} - stored


def _without_mentions(top: ast.AST, names: _Names) -> Iterator[ast.AST]:
    """All that is below a node but what is only mentioned: annotations, and what a function is
    dressed up as by `functools.wraps`."""
    waiting = [top]  # no recursion: expressions nest deeper than Python's stack
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.Call) and _path(node.func, names) == "functools.wraps":
            continue
        below: list[ast.AST] = []
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                inner = value if isinstance(value, list) else [value]
                below += [child for child in inner if isinstance(child, ast.AST)]
        waiting += reversed(below)


def _text(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "..."
    return text if len(text) < 40 else "..."
