"""A student's code cut out by exercise, and as tokens that differ where it does.

Code is compared as Python's tokens, without comments and docstrings, with one name for all names
but Python's own and those after a dot, one string and one number for all: renaming and reformatting
change nothing.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from grader.lessons import KIT
from grader.statements import first_line

LINES = 200  # of an exercise's code
WIDTH = 300  # characters of one of its lines
LEFT_OUT = 0  # the number of a line that stands for others
TOKENS = 3_000  # of one exercise


class Line(NamedTuple):
    number: int  # in the student's file, from 1; LEFT_OUT where `text` says what is not shown
    text: str


class Source:
    """A lesson as somebody wrote it."""

    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.own: dict[str, ast.stmt] = {}  # what the file defines at its top level, last one wins
        self.parses = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse("\n".join(self.lines)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            body, self.parses = [], False
        for node in body:
            self.own.update(dict.fromkeys(_defined(node), node))

    def docstring(self, name: str) -> tuple[str, int, int] | None:
        """(its text, its first and its last line) of a function or class."""
        node = self.own.get(name)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return None
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            text, end = first.value.value, first.end_lineno or first.lineno
            if isinstance(text, str) and end < (node.end_lineno or end):
                return text, first.lineno, end
        return None

    def excerpt(
        self, exercise: str, exercises: Collection[str] = (), lesson: str = ""
    ) -> list[Line]:
        """The lines that define an exercise, and what it uses of the same file but other exercises.

        A docstring that is the exercise's own is left out, and a line says so. Of a file that does
        not parse, from the `def` to the next line that is not indented. Empty if there is none."""
        if exercise not in self.own:
            return _clipped(self._by_looks(exercise))
        waiting, used = [exercise], dict[str, ast.stmt]()
        while waiting:
            name = waiting.pop()
            if name in used or name not in self.own or (name != exercise and name in exercises):
                continue
            used[name] = self.own[name]
            waiting += [n.id for n in ast.walk(used[name]) if isinstance(n, ast.Name)]
        spans = sorted(
            {(first_line(node), node.end_lineno or node.lineno) for node in used.values()}
        )
        folded = self._folded(exercise, lesson)
        found: list[Line] = []
        for begin, end in spans:
            if found and begin > found[-1].number + 1:
                found.append(Line(LEFT_OUT, "..."))
            for number in range(begin, end + 1):
                if number == folded[0]:
                    found.append(Line(LEFT_OUT, "    (the exercise's own text)"))
                elif number not in folded:
                    found.append(Line(number, self.lines[number - 1]))
        return _clipped(found)

    def _folded(self, exercise: str, lesson: str) -> range:
        mine = self.docstring(exercise)
        given = stub(lesson).docstring(exercise) if lesson else None
        if mine and given and mine[0].split() == given[0].split():
            return range(mine[1], mine[2] + 1)
        return range(-1, 0)

    def _by_looks(self, exercise: str) -> list[Line]:
        if self.parses:
            return []
        begins = re.compile(
            rf"(async +)?(def|class) +{re.escape(exercise)}\b|{re.escape(exercise)} *="
        )
        found = []
        for number, line in enumerate(self.lines, 1):
            if begins.match(line):
                found = [Line(number, line)]
            elif found and found[-1].number == number - 1 and re.match(r"[\s)\]}]|$", line):
                found.append(Line(number, line))
        while found and not found[-1].text.strip():
            found.pop()
        return found


def _defined(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _clipped(lines: list[Line]) -> list[Line]:
    more = len(lines) - LINES
    kept = [Line(n, visible(text)) for n, text in lines[:LINES]]
    return [*kept, Line(LEFT_OUT, f"... {more:,} more lines")] if more > 0 else kept


def joined(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines if line.number != LEFT_OUT)


def visible(line: str) -> str:
    """One line, in which what cannot be printed is written as Python would write it."""
    if len(line) > WIDTH:
        line = f"{line[:WIDTH]}..."
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in line)


@cache
def stub(lesson: str, folder: str = "exercises") -> Source:
    """As the kit hands it out; empty where the kit has no such lesson."""
    known = re.fullmatch(r"\w+", lesson, re.ASCII)
    try:
        return Source((KIT / folder / f"{lesson}.py").read_text("utf-8") if known else "")
    except OSError:
        return Source("")


# --- Tokens --------------------------------------------------------------------------------------

LAYOUT = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENDMARKER, tokenize.ENCODING),
}
OWN_WORDS = {*keyword.kwlist, *dir(builtins)}  # Python's, which nobody renames


def _character(token: str) -> str:
    """Always the same one for a token, in every process; seldom the same for two."""
    digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return chr(0x20000 + int.from_bytes(digest, "big") % 0xE0000)


def tokens(code: str) -> str:
    """One character for each token; the same ones for code that differs in names, values, comments
    and layout only. Of code that is no Python, up to where that shows."""
    found: list[str] = []
    before, after_dot = tokenize.NEWLINE, False
    with suppress(tokenize.TokenError, SyntaxError):
        for kind, text, *_ in tokenize.generate_tokens(io.StringIO(code).readline):
            if kind in LAYOUT or (kind == tokenize.STRING and before in LAYOUT):  # a docstring
                before = kind if kind != tokenize.COMMENT else before
                continue
            if kind == tokenize.NAME and not (after_dot or text in OWN_WORDS):
                text = "a name"
            elif kind not in (tokenize.NAME, tokenize.OP):
                text = tokenize.tok_name[kind]
            before, after_dot = kind, text == "."
            found.append(_character(text))
            if len(found) == TOKENS:
                break
    return "".join(found)
