"""A file of answers as the statements of its top level, each of which is run by itself: what a
broken one costs is what needs it.

Of what is no Python, the piece of the top level around it is left out and the rest is read. What
nbconvert makes of a cell magic around Python is that Python. An untouched stub below an answer of
the same name is left out.
"""

from __future__ import annotations
import __future__

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any, cast

BROKEN = 20  # pieces that are left out, before each piece is read by itself
LIBRARIES = {
    *("einops", "jaxtyping", "numpy", "scipy", "sklearn", "torch", "transformer_lens"),
    *("transformers", "typing"),
}
# Cell and line magics whose argument is Python that what follows sees the effects of.
PYTHON_MAGICS = {"capture", "prun", "time", "timeit"}

_DEFINES = re.compile(r"[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_TARGETS = re.compile(r"^[ \t]*([\w][\w, *:.\[\]]*)=(?!=)", re.MULTILINE)
_WALRUS = re.compile(r"\b(\w+)[ \t]*:=")
_MARK = re.compile(r"={7}|<{7}|>{7}|\|{7}")
_GOES_ON = re.compile(r"[ \t\f\r\n#)\]}]|(?:else|elif|except|finally|case)\b|={7}|<{7}|>{7}")
# What Python says of a header without a body, at the line after it.
_BEFORE = re.compile(r"expected an indented block after .* on line (\d+)")


@dataclass(frozen=True)
class Statement:
    line: int
    names: tuple[str, ...]  # that it gives a meaning to
    node: ast.stmt | None = None
    code: CodeType | None = None
    problem: Exception | None = None  # why it is no Python, where it is none
    text: str = ""  # of what is nested too deeply for a tree, which Python may run all the same

    @property
    def is_too_deep(self) -> bool:
        return bool(self.text)

    def without_annotations(self, file: str) -> CodeType | None:
        """A definition whose annotations nobody looks up, as with `from __future__ import
        annotations`; None for other statements."""
        if not isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return None
        module: Any = ast.Module([self.node], [])
        flags = __future__.annotations.compiler_flag
        return cast(CodeType, compile(module, file, "exec", flags, dont_inherit=True))


@dataclass(frozen=True)
class Twice:
    """A name with two definitions, of which one counts."""

    name: str
    counts: int  # its line
    other: int
    other_is_stub: bool


@dataclass(frozen=True)
class Read:
    statements: list[Statement]
    twice: list[Twice]
    docstring: str | None


def read(text: str, cells: Sequence[int] = (), file: str = "<answers>") -> Read:
    """`cells`: of a notebook, the line on which each begins; they are read one by one. `file` is
    what errors say of where they are. Raises nothing, whatever the text is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a backslash in a string, and the like
        return _whole(text.split("\n"), list(cells) or [1], file)


def _whole(lines: list[str], begins: list[int], file: str) -> Read:
    found: list[Statement] = []
    for begin, end in zip(begins, [*begins[1:], len(lines) + 1], strict=True):
        found += _read([""] * (begin - 1) + lines[begin - 1 : end - 1], file)
    first = found[0].node if found else None
    docstring = ast.get_docstring(ast.Module([first], [])) if first is not None else None
    kept = [statement for statement in found if not _is_prose(statement.node)]
    return Read(*_last_answers([*_compiled(kept, lines, file)]), docstring)


def _read(lines: list[str], file: str) -> list[Statement]:
    """Of one cell, or of a whole file. Its lines are blanked where they are no Python."""
    broken: list[Statement] = []
    body: list[ast.stmt] = []
    while len(broken) < BROKEN:
        try:
            body = ast.parse("\n".join(lines), file).body
            break
        except Exception as problem:
            piece = _piece(lines, problem) or range(len(lines))
            broken.append(_broken(lines, piece, problem))
            for i in piece:
                lines[i] = ""
    else:
        for piece in _pieces(lines):
            try:
                body += ast.parse("\n" * piece.start + _text_of(lines, piece), file).body
            except Exception as problem:
                broken.append(_broken(lines, piece, problem))
    found = [Statement(first_line(n), _bound(n), n) for node in body for n in _expanded(node)]
    return sorted([*found, *broken], key=lambda statement: statement.line)


def _broken(lines: list[str], piece: range, problem: Exception) -> Statement:
    names = [match[1] for i in piece if (match := _DEFINES.match(lines[i]))]
    line = getattr(problem, "lineno", None) or piece.start + 1
    text = ""
    if isinstance(problem, (RecursionError, MemoryError)):
        text = "\n" * piece.start + _text_of(lines, piece)
        names = names[:1] or _targets(text)
    return Statement(line, tuple(names), problem=_worded(problem, lines), text=text)


def _text_of(lines: list[str], piece: range) -> str:
    return "\n".join(lines[piece.start : piece.stop])


def _pieces(lines: list[str]) -> Iterator[range]:
    """Of the top level, by their looks, with their decorators."""
    begin = _until(lines, 0)
    while begin < len(lines):
        end = _until(lines, begin + 1)
        while end < len(lines) and lines[end - 1].startswith("@"):
            end = _until(lines, end + 1)
        yield range(begin, end)
        begin = end


def first_line(node: ast.stmt) -> int:
    """From 1, with what the statement is decorated by."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _compiled(found: list[Statement], lines: list[str], file: str) -> Iterator[Statement]:
    futures = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
    flags = 0
    for statement in found:
        if statement.node is not None or statement.text:
            try:
                code = _code(statement, lines, file, flags)
            except Exception as problem:
                statement = replace(statement, problem=_worded(problem, []))
            else:
                flags |= code.co_flags & futures  # as in a notebook, they hold from there on
                statement = replace(statement, code=code, problem=None)
        yield statement


def _code(statement: Statement, lines: list[str], file: str, flags: int) -> CodeType:
    """Raises what `compile` raises."""
    text = statement.text
    if statement.node is not None:
        try:
            module: Any = ast.Module([statement.node], [])
            return cast(CodeType, compile(module, file, "exec", flags, dont_inherit=True))
        except (RecursionError, MemoryError):  # of a text it takes more than of a tree
            begin, end = statement.line - 1, statement.node.end_lineno
            text = "\n".join([""] * begin + lines[begin:end])
    return cast(CodeType, compile(text, file, "exec", flags, dont_inherit=True))


def _targets(text: str) -> list[str]:
    """What a text that cannot be taken apart may give a meaning to."""
    targets = _TARGETS.findall(text) + _WALRUS.findall(text)
    return re.findall(r"\w+", " ".join(targets))


def _piece(lines: list[str], problem: Exception) -> range:
    """Of the top level, which cannot be read. Empty if it is not known."""
    for begin, line in enumerate(lines):
        if line.startswith("<<<<<<< "):
            ends = (i for i in range(begin, len(lines)) if lines[i].startswith(">>>>>>> "))
            end = next(ends, begin) + 1
            inner = next((x for x in lines[begin:end] if x.strip() and not _MARK.match(x)), "x")
            if _GOES_ON.match(inner):  # it is in the middle of something
                begin, end = _from(lines, begin), _until(lines, end)
            return range(begin, end)
    at = getattr(problem, "lineno", None)
    if at is None:  # nested too deeply
        return _deepest(lines)
    if before := _BEFORE.search(str(problem)):
        at = int(before[1])
    at = min(at, len(lines)) - 1
    while at > 0 and not lines[at].strip():  # where a text ends too early
        at -= 1
    return range(begin := _from(lines, at), max(_until(lines, at + 1), begin + 1))


def _deepest(lines: list[str]) -> range:
    """The first piece that cannot be read by itself for its depth."""
    for piece in _pieces(lines):
        try:
            ast.parse(_text_of(lines, piece))
        except SyntaxError:
            pass  # a piece of a string, or of something that was cut in two
        except Exception:  # RecursionError or MemoryError, by the version: this is the piece
            return piece
    return range(0)


def _from(lines: list[str], at: int) -> int:
    """Where the piece that a line is in begins, with its decorators."""
    while at > 0 and _GOES_ON.match(lines[at] or " "):
        at -= 1
    while at > 0 and lines[at - 1].startswith("@"):
        at -= 1
    return at


def _until(lines: list[str], at: int) -> int:
    """The next line on which a piece begins."""
    while at < len(lines) and _GOES_ON.match(lines[at] or " "):
        at += 1
    return at


def _worded(problem: Exception, lines: list[str]) -> Exception:
    """With what to do about it, where Python does not say."""
    said = ""
    at = getattr(problem, "lineno", None)
    line = lines[at - 1] if at is not None and 0 < at <= len(lines) else ""
    if isinstance(problem, TabError):
        said = "tabs and spaces are mixed. Indent by one of them alone"
    elif line.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        said = "git's mark of a conflict. Keep one of the two sides"
    elif isinstance(problem, (RecursionError, MemoryError)):
        said = "nested too deeply to be read. Write it in several steps"
    if isinstance(problem, SyntaxError):
        problem.msg = said or problem.msg
        return problem
    return type(problem)(said) if said else problem


def _expanded(node: ast.stmt) -> list[ast.stmt]:
    """What nbconvert makes of `%%time` and of `%time`, as the Python that it was."""
    code = _magic(node)
    if code is None:
        return [node]
    try:
        body = ast.parse(code).body
    except Exception:  # no Python: the call is left as it is, fails as it runs, and says why
        return [node]
    for inner in (inner for statement in body for inner in ast.walk(statement)):
        if hasattr(inner, "lineno"):
            ast.copy_location(inner, node)
    return body


def _magic(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        value: ast.expr = node.value
    elif isinstance(node, ast.Expr):
        value = node.value
    else:
        return None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    shell = value.func.value
    if not (isinstance(shell, ast.Call) and isinstance(shell.func, ast.Name)):
        return None
    if shell.func.id != "get_ipython":
        return None
    given = [a.value if isinstance(a, ast.Constant) else None for a in value.args]
    if not all(isinstance(text, str) for text in given) or not given:
        return None
    name, *code = map(str, given)
    if name not in PYTHON_MAGICS or not code:
        return None
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return f"{target.id} = {code[-1]}" if isinstance(target, ast.Name) else code[-1]


def _bound(node: ast.stmt) -> tuple[str, ...]:
    """Names of the module that a statement gives a meaning to, in a branch of its own, too."""
    found: dict[str, None] = {}
    waiting: list[ast.AST] = [node]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[inner.name] = None
        elif isinstance(inner, ast.alias):
            found[(inner.asname or inner.name).partition(".")[0]] = None
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            found[inner.id] = None
        elif not isinstance(inner, ast.Lambda):
            waiting += ast.iter_child_nodes(inner)
    return tuple(found)


def is_stub(node: ast.AST | None) -> bool:
    """Is it a function that does nothing but raise NotImplementedError?"""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    does = node.body[1:] if _is_prose(node.body[0]) else node.body
    if len(does) != 1 or not isinstance(does[0], ast.Raise):
        return False
    raised = does[0].exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _is_prose(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _may_answer(node: ast.stmt) -> bool:
    """May what it gives a meaning to be an answer? A library's function of the same name is none,
    nor is what is only annotated."""
    if isinstance(node, ast.ImportFrom):
        return bool(node.level) or str(node.module).partition(".")[0] not in LIBRARIES
    if isinstance(node, ast.If):
        return not any(
            isinstance(n, ast.Name) and n.id == "TYPE_CHECKING" for n in ast.walk(node.test)
        )
    return not isinstance(node, ast.Import) and getattr(node, "value", node) is not None


def _last_answers(found: list[Statement]) -> tuple[list[Statement], list[Twice]]:
    """Without the stubs of what has an answer above them."""
    kept: list[Statement] = []
    twice: list[Twice] = []
    answers: dict[str, int] = {}  # name -> the line of its last answer
    for statement in found:
        node = statement.node
        if statement.code is None:
            pass
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            above, stub = answers.get(node.name), is_stub(node)
            if above is not None:
                counts, other = (above, node.lineno) if stub else (node.lineno, above)
                twice.append(Twice(node.name, counts, other, stub))
            if stub and above is not None:
                continue
            if not stub:
                answers[node.name] = node.lineno
        elif node is not None and _may_answer(node):
            for name in statement.names:
                answers[name] = node.lineno
        kept.append(statement)
    return kept, twice
