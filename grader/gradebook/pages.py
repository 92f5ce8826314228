"""What pages for people are made of: a student's code cut out by exercise, what was said of it, and
HTML that stands alone.

A page loads nothing, and its Content-Security-Policy lets nothing run but the script that it was
written with, so that a student's text cannot act even if it were not escaped; it is.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import warnings
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from grader import whole
from grader.lessons import KIT
from grader.problem import Problem
from grader.words import LOOKS_LIKE

if TYPE_CHECKING:
    from jinja2 import Environment

FILES = Path(__file__).parent / "page"

LINES = 200  # of an exercise's code
WIDTH = 300  # characters of one of its lines
LEFT_OUT = 0  # the number of a line that stands for others


class CannotWrite(Problem):
    """Why a page is not written: one clear line."""


class Line(NamedTuple):
    number: int  # in the student's file, from 1; LEFT_OUT where `text` says what is not shown
    text: str


# --- Code ----------------------------------------------------------------------------------------


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
        spans = sorted({(_begin(node), node.end_lineno or node.lineno) for node in used.values()})
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


def _begin(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _clipped(lines: list[Line]) -> list[Line]:
    more = len(lines) - LINES
    kept = [Line(n, visible(text)) for n, text in lines[:LINES]]
    return [*kept, Line(LEFT_OUT, f"... {more:,} more lines")] if more > 0 else kept


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


# --- Feedback ------------------------------------------------------------------------------------


class Said(NamedTuple):
    """A check's feedback."""

    looks_like: str  # the misconception's name; empty if it is none that we know
    think: str  # what to think about
    text: str  # the rest, many lines


def said(feedback: str, misconception: str) -> Said:
    heading, _, rest = feedback.partition("\n")
    if not misconception or heading != f"{LOOKS_LIKE}{misconception}.":
        return Said(misconception, "", feedback)
    think = []
    lines = rest.split("\n")
    while lines and lines[0].startswith("    "):
        think.append(lines.pop(0).strip())
    return Said(misconception, " ".join(think), "\n".join(lines).strip("\n"))


def lines_named(lesson: str, feedback: str) -> set[int]:
    """The lines of the student's file that a feedback speaks of."""
    places = rf"\b{re.escape(lesson)}\.py:(\d{{1,7}})\b|^ *[Ll]ine (\d{{1,7}})(?::| calls )"
    return {int(a or b) for a, b in re.findall(places, feedback, re.MULTILINE)}


# --- HTML ----------------------------------------------------------------------------------------


def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def asset(*names: str) -> str:
    return "".join((FILES / name).read_text("utf-8") for name in names)


def policy(style: str, script: str = "") -> str:
    """A Content-Security-Policy that allows these two and nothing else."""
    parts = ["default-src 'none'", f"style-src {_hash(style)}"]
    parts += [f"script-src {_hash(script)}"] if script else []
    parts += ["base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"]
    return "; ".join(parts)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write(path: Path, text: str) -> None:
    """All of it or nothing. Raises CannotWrite."""
    try:
        with whole.writing(path) as file:
            file.write(text)
    except OSError as problem:
        raise CannotWrite(f"{path} cannot be written ({problem.strerror}).") from None
