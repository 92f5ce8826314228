"""A notebook as a lesson again.

A digest tells of each cell whether it was edited; then it gives what it says now. Of notebooks that
were not made here `grader.notebooks.script` reads the code.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from grader.notebooks import prose
from grader.notebooks import script as notebook
from grader.notebooks.marks import BANNER, OURS, SETUP, TRIPLE, digest, digest_of_all, lines_of
from grader.statements import first_line

_FUTURE = re.compile(r"^from __future__ import .*\n?", re.MULTILINE)
ONLY_THERE = {"check", "display", "get_ipython", "pictures"}  # what only a notebook has
ENCODINGS = ("utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-15", "cp1252", "ascii")
WIDTH = 99


def to_module(data: bytes) -> bytes:
    """The lesson that a notebook holds. What is no Python is left out.

    Raises:
        grader.notebooks.script.NotANotebook: there is no code to be had from it.
    """
    ours, cells = _read(data)
    if ours is None:
        return _futures_first(notebook.script(data)[0].text).encode()
    text = _Text()
    written = [cell for cell in cells if cell.role == "prose"]
    shown = [cell for cell in cells if cell.role == "show"]
    elsewhere = ONLY_THERE.union(*(_names(cell.source, ast.Store) for cell in shown))
    said = _strings(ours.get("docstring"))
    if not re.fullmatch(r"(?i:[ru]?)(?:\"{3}|'{3})", said["opens"]):
        said["opens"] = TRIPLE
    said["closes"] = said["opens"].lstrip("rRuU")
    # What a module must begin with: cells that were added before that come after it.
    opening = [i for i, cell in enumerate(cells) if cell.role == "prose" or cell.is_future]
    added: list[str] = []
    for i, cell in enumerate(cells):
        if cell.role == "prose":
            if cell is written[0]:
                text.add(_blank(said["before"]), _docstring(said, written), _blank(said["after"]))
        elif cell.role == "banner":
            text.add(cell.before, _banner(cell), cell.after)
        elif cell.role != "show" and (code := cell.code()) is not None:
            if cell.role == "code":
                text.add(cell.before, code, cell.after)
            elif code := _without_looking(code, elsewhere):
                added.append(code)
        if i >= max(opening, default=0):
            for code in added:
                text.add("\n\n" if text.made else "", code, "\n")
            added = []
    if shown:
        about, block = _strings(ours.get("main")), _Text()
        for cell in shown:
            block.add(cell.before, cell.code() or "", cell.after)
        indent = about["indent"] if re.fullmatch("[ \t]{1,16}", about["indent"]) else "    "
        body = [indent + line if line.strip() else line for line in lines_of(block.made)]
        text.add(
            _blank(about["before"]), _head(about["head"]) + "".join(body), _blank(about["after"])
        )
    return _encoded(text.made, _strings(ours))


def is_edited(data: bytes) -> bool:
    """Whether a notebook says anything else than when it was made here. Outputs do not count."""
    ours, cells = _read(data)
    return ours is None or ours.get("digest") != digest_of_all(cells)


@dataclass(frozen=True)
class _Cell:
    cell_type: str
    source: str
    role: str
    about: defaultdict[str, str]
    is_as_made: bool

    @property
    def before(self) -> str:
        return _blank(self.about["before"])

    @property
    def after(self) -> str:
        return _blank(self.about["after"])

    @property
    def is_future(self) -> bool:
        return self.role == "code" and _FUTURE.search(self.source) is not None

    def code(self) -> str | None:
        """What it gives to the module; None if it is not for that."""
        if self.cell_type != "code":
            return None
        if self.is_as_made and self.role in ("code", "show"):
            return self.source
        if self.is_as_made and self.role in ("setup", "check") and self._is_ours():
            return None
        source = self.source
        if self.role == "setup":
            ours = {*SETUP.split("\n")}
            lines = (x for x in source.split("\n") if x not in ours and not x.startswith("KIT ="))
            source = "\n".join(lines)
        return notebook.python(source, is_ours=self.role != "show").strip("\n") or None

    def _is_ours(self) -> bool:
        if self.role == "check":
            return re.fullmatch(r"check(?:\.all\(\)|\(\w+\))", self.source) is not None
        return re.sub(r'KIT = "[^"\n]*"', 'KIT = ".."', self.source, count=1) == SETUP


class _Text:
    def __init__(self) -> None:
        self.made = ""

    def add(self, *parts: str) -> None:
        """Beginning on a line of its own."""
        if self.made and not self.made.endswith(("\n", "\r")):
            self.made += "\n"
        self.made += "".join(parts)


def _read(data: bytes) -> tuple[dict[str, Any] | None, list[_Cell]]:
    """Our metadata of the notebook, or None if it is not one of ours, and its cells."""
    try:
        book = json.loads(data)
        ours, cells = book["metadata"][OURS], book["cells"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None, []
    if not isinstance(ours, dict) or not isinstance(cells, list):
        return None, []
    return ours, [_cell(cell) for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict[str, Any]) -> _Cell:
    metadata, source = cell.get("metadata"), cell.get("source")
    about = _strings(metadata.get(OURS) if isinstance(metadata, dict) else None)
    pieces = source if isinstance(source, list) else [source]
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    is_as_made = about["digest"] == digest(text)
    if not is_as_made:
        text = notebook.source_of(cell)
    cell_type, role = str(cell.get("cell_type")), about["role"]
    if cell_type == "code" and role in ("prose", "banner"):  # turned into code
        role = ""
    return _Cell(cell_type, text, role, about, is_as_made)


def _strings(found: Any) -> defaultdict[str, str]:
    """Of metadata, which may be anything."""
    pairs = found.items() if isinstance(found, dict) else ()
    return defaultdict(str, {k: v for k, v in pairs if isinstance(v, str)})


def _futures_first(text: str) -> str:
    """In a notebook they may stand in any cell."""
    return "".join(_FUTURE.findall(text)) + _FUTURE.sub("\n", text)


def _without_looking(code: str, elsewhere: Collection[str]) -> str:
    """Of a cell that somebody added: what a module can hold. What only shows something, or takes
    names that only a notebook has, would fail or run at each import; so would what is no Python."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    lines, kept = lines_of(code), set[int]()
    for node in body:
        source = ast.get_source_segment(code, node) or ""
        is_definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if not isinstance(node, ast.Expr) and (
            is_definition or _names(source, ast.Load).isdisjoint(elsewhere)
        ):
            first = first_line(node)
            kept.update(range(first - 1, node.end_lineno or first))
    looks = {i for node in body for i in range(node.lineno - 1, node.end_lineno or 0)} - kept
    return "".join(line for i, line in enumerate(lines) if i not in looks).strip("\n")


def _names(code: str, how: type[ast.expr_context]) -> set[str]:
    """That it binds (`ast.Store`), or takes (`ast.Load`)."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, how)}


# Metadata are not what a person sees of a notebook: they may say how something is written that is
# shown, and never add to it.


def _blank(text: str) -> str:
    return text if re.fullmatch(r"[ \t\f\r\n]{0,1000}", text) else ""


def _head(text: str) -> str:
    try:
        [node] = ast.parse(f"{text}\n    pass").body
        assert isinstance(node, ast.If)
        if ast.unparse(node.test) == "__name__ == '__main__'" and len(node.body) == 1:
            return text
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
        pass
    return 'if __name__ == "__main__":\n'


def _docstring(about: dict[str, str], cells: list[_Cell]) -> str:
    opens, closes = about["opens"], about["closes"]
    values = [_value(opens, cell, closes, i == 0) for i, cell in enumerate(cells)]
    if None not in values:
        whole = opens + "".join(cell.about["raw"] for cell in cells) + closes
        with contextlib.suppress(SyntaxError, ValueError):
            if ast.literal_eval(whole) == "".join(map(str, values)):
                return whole
    text = ""
    for cell, value in zip(cells, values, strict=True):  # markdown, where it was edited
        text += value if value is not None else cell.source.strip("\n") + "\n\n"
    text = text.strip("\n").replace("\\", "\\\\").replace(TRIPLE, r"\"\"\"")
    return f"{TRIPLE}{text}\n{TRIPLE}"


def _value(opens: str, cell: _Cell, closes: str, is_first: bool) -> str | None:
    """What a cell of prose was made of; None if that is not what it shows."""
    raw = cell.about["raw"]
    if not cell.is_as_made or closes in raw:
        return None
    try:
        value = ast.literal_eval(opens + raw + closes)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    shows = isinstance(value, str) and prose.markdown(value, is_first) == cell.source
    return value if shows else None


def _banner(cell: _Cell) -> str:
    raw = cell.about["raw"]
    if cell.is_as_made and (found := BANNER.fullmatch(raw)) and cell.source == f"## {found[1]}":
        return raw
    title, *more = [line for line in cell.source.split("\n") if line.strip()] or [""]
    if not (title := title.lstrip("# ").rstrip()):
        return ""
    return "\n".join([f"# --- {title} ".ljust(WIDTH, "-"), *(f"# {line}" for line in more)])


def _encoded(text: str, about: dict[str, str]) -> bytes:
    if about["newline"] == "\r\n":
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    encoding = about["encoding"] if about["encoding"] in ENCODINGS else "utf-8"
    try:
        return text.encode(encoding)
    except UnicodeError:  # a letter that the encoding lacks
        return notebook.declared_utf8(text).encode("utf-8", "backslashreplace")
