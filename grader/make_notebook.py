"""A lesson as a notebook, and a notebook as a lesson again.

The module's text is cut into pieces which joined are the text. Each becomes a cell, and the cell's
metadata keep what it takes to make that piece of it again: the blank lines around it, and of prose,
which is shown as markdown, how it was written. So the way there and back loses nothing, whatever
the source; what cannot be shown nicely is a code cell as it stands. The cells that only a notebook
has, the first one and those that check, say so of themselves, and do not come back.

A digest tells of each cell whether it was edited; then it gives what it says now. Of notebooks that
were not made here `grader.notebook` reads the code.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import re
import tokenize
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import lessons, notebook, prose, whole
from grader.problem import Problem

KIT = ".."  # from notebooks/ in a kit
OURS = "grader"  # the key of all our metadata
SETUP = f"""\
# Run this cell first. It works on Colab and on Kaggle (with the internet on) as well as at home.
KIT = ".."  # what pip installs where the kit is not installed yet: a folder or a URL

from importlib.util import find_spec

if find_spec("grader") is None:
    {notebook.INSTALL}

from grader import check"""

_BANNER = re.compile(r"# -{2,} (\S.*?) -{2,}")
_DOCSTRING = re.compile(r"([rRuU]?)(\"{3}|'{3})(.*)\2", re.DOTALL)
_AROUND = re.compile(r"([ \t\f\r\n]*)(.*?)([ \t\f\r\n]*)", re.DOTALL)
_FUTURE = re.compile(r"^from __future__ import .*\n?", re.MULTILINE)
TRIPLE = '"""'
ONLY_THERE = {"check", "display", "get_ipython", "pictures"}  # what only a notebook has
ENCODINGS = ("utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-15", "cp1252", "ascii")
WIDTH = 99


class NoNotebook(Problem):
    """Why no notebook was made or read: one line."""


# --- Files ---------------------------------------------------------------------------------------


def write(
    names: Sequence[str], folder: Path, to: Path, kit: str = KIT, force: bool = False
) -> list[Path]:
    """A notebook of each lesson in `folder`. The same lesson gives the same bytes.

    Raises:
        NoNotebook: a lesson cannot be read, a notebook that was edited would be lost (unless
            `force`), or cannot be written. Of the first two no notebook is written.
    """
    made = {
        to / f"{name}.ipynb": from_module(
            _bytes(folder / f"{name}.py"), name, {e.name for e in lessons.exercises(name)}, kit
        )
        for name in names
    }
    edited = [path for path in made if path.exists() and is_edited(_bytes(path))]
    if edited and not force:
        raise NoNotebook(
            f"{', '.join(map(str, edited))}: edited since it was made. --to DIR writes elsewhere, "
            "--force replaces it, and `grader notebook --extract` saves what is in it."
        )
    for path, text in made.items():
        _write(path, text.encode())
    return list(made)


def extract(path: Path, to: Path | None = None, force: bool = False) -> bytes:
    """A notebook's module, written to `to` if there is one.

    Raises:
        NoNotebook: it is none, or another file `to` is there already (unless `force`).
    """
    try:
        module = to_module(_bytes(path))
    except notebook.NotANotebook as problem:
        raise NoNotebook(f"{path}: {problem}") from None
    if to is not None:
        if to.exists() and not force and _bytes(to) != module:
            raise NoNotebook(f"{to} is there already, and not the same. --force replaces it.")
        _write(to, module)
    return module


def lessons_folder(name: str) -> Path:
    """`exercises` or `solutions`: here, or else in the kit.

    Raises:
        NoNotebook: there is none.
    """
    for folder in (Path(name), Path(__file__).parent.parent / name):
        if folder.is_dir():
            return folder
    raise NoNotebook(f"There is no {name}/ in this kit.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise NoNotebook(f"{path} cannot be read ({problem.strerror}).") from None


def _write(path: Path, data: bytes) -> None:
    if path.is_file() and _bytes(path) == data:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole.writing(path, binary=True) as file:
            file.write(data)
    except OSError as problem:
        raise NoNotebook(f"{path} cannot be written ({problem.strerror}).") from None


# --- From a module -------------------------------------------------------------------------------


def from_module(data: bytes, lesson: str, exercises: Collection[str], kit: str = KIT) -> str:
    """The notebook, as JSON. Behind each function that is an exercise stands a cell to check it.

    Raises:
        NoNotebook: it is no Python.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        line = getattr(problem, "lineno", None)
        where = f"line {line}: " if line else ""
        said = problem.msg if isinstance(problem, SyntaxError) else problem
        raise NoNotebook(f"{lesson}.py is no Python ({where}{said}). Mend it first.") from None
    newline = "\r\n" if "\r\n" in text and not re.search("\r(?!\n)|(?<!\r)\n", text) else "\n"
    text = text.replace(newline, "\n")
    for cells in (_nicely, _whole):
        maker = _Maker(lesson, set(exercises), kit, {"encoding": encoding, "newline": newline})
        try:
            made = maker.book(cells(maker, text))
        except SyntaxError:  # of a piece by itself
            continue
        if to_module(made.encode()) == data:
            return made
    raise NoNotebook(f"{lesson}.py would not survive as a notebook. Save it as UTF-8.")


@dataclass(frozen=True)
class _Piece:
    """Some whole lines of a module, beginning with the blank ones and comments before it."""

    kind: str  # docstring, import, function, expression, other, comment, banner, main
    end: int  # the line after it, from 0
    name: str = ""
    text: str = ""

    @property
    def around(self) -> tuple[str, str, str]:
        """(blank before, what there is, blank after)"""
        found = _AROUND.fullmatch(self.text)
        assert found
        return found[1], found[2], found[3]


class _Maker:
    def __init__(self, lesson: str, exercises: set[str], kit: str, more: dict[str, Any]) -> None:
        self.lesson, self.exercises, self.kit = lesson, exercises, kit
        self.ours: dict[str, Any] = {"lesson": lesson, **more}
        self._ids: set[str] = set()

    def book(self, cells: Iterator[Any]) -> str:
        import nbformat
        from nbformat import v4

        made = [
            self.code("setup", _setup(self.kit), "setup"),
            *cells,
            self.code("check-all", "check.all()", "check"),
        ]
        self.ours["digest"] = _digest_of_all(made)
        python = {"display_name": "Python 3", "language": "python", "name": "python3"}
        metadata = {OURS: self.ours, "kernelspec": python, "language_info": {"name": "python"}}
        written: str = nbformat.writes(v4.new_notebook(cells=made, metadata=metadata))
        return f"{written}\n"

    def code(self, name: str, source: str, role: str = "code", **more: str) -> Any:
        from nbformat import v4

        return v4.new_code_cell(source, **self._about(name, source, role, more))

    def text(self, name: str, source: str, role: str, **more: str) -> Any:
        from nbformat import v4

        return v4.new_markdown_cell(source, **self._about(name, source, role, more))

    def _about(self, name: str, source: str, role: str, more: dict[str, str]) -> dict[str, Any]:
        ours = {
            "role": role,
            "digest": _digest(source),
            **{k: v for k, v in more.items() if v},
        }
        return {"id": self._id(name), "metadata": {OURS: ours}}

    def _id(self, name: str) -> str:
        """Of letters, digits, - and _, at most 64 (nbformat 4.5); the same for the same cells."""
        said = re.sub("[^A-Za-z0-9_-]+", "-", f"{self.lesson}-{name}").strip("-")[:56]
        number = 1
        while (made := said if number == 1 else f"{said}-{number}") in self._ids:
            number += 1
        self._ids.add(made)
        return made


def _setup(kit: str) -> str:
    return SETUP.replace('KIT = ".."', f"KIT = {json.dumps(kit, ensure_ascii=False)}")


def _nicely(maker: _Maker, text: str) -> Iterator[Any]:
    pieces = _together(_pieces(text))
    for piece in pieces:
        if piece.kind == "docstring" and (docstring := _sections(piece)):
            quotes, sections = docstring
            before, _, after = piece.around
            maker.ours["docstring"] = {"before": before, "after": after, **quotes}
            for i, (raw, value) in enumerate(sections):
                name = prose.heading(value) if i else "about"
                yield maker.text(name or "prose", prose.markdown(value, i == 0), "prose", raw=raw)
        elif piece.kind == "banner":
            before, source, after = piece.around
            shown = f"## {piece.name}"
            yield maker.text(piece.name, shown, "banner", before=before, raw=source, after=after)
        elif piece.kind == "main" and piece is pieces[-1] and (block := _main(piece)):
            maker.ours["main"], statements = block
            for statement in statements:
                yield _code(maker, statement, "show")
        else:
            yield from _with_check(maker, piece)


def _whole(maker: _Maker, text: str) -> Iterator[Any]:
    if text:
        yield maker.code("all", text)


def _with_check(maker: _Maker, piece: _Piece) -> Iterator[Any]:
    yield _code(maker, piece)
    if piece.kind == "function" and piece.name in maker.exercises:
        yield maker.code(f"{piece.name}-check", f"check({piece.name})", "check")


def _code(maker: _Maker, piece: _Piece, role: str = "code") -> Any:
    """Raises SyntaxError where it cannot be run by itself."""
    before, source, after = piece.around
    ast.parse(source)
    name = piece.name or ("show" if role == "show" else piece.kind)
    return maker.code(name, source, role, before=before, after=after)


def _pieces(text: str) -> list[_Piece]:
    """Each statement with the comments before it; banners by themselves, and comments that nothing
    follows. Statements that share a line are one. Joined they are the text."""
    lines = _lines(text)
    pieces: list[_Piece] = []
    at = 0
    for i, node in enumerate(body := ast.parse(text).body):
        piece, start = _statement(node, i == 0, i == len(body) - 1)
        if start < at:
            pieces[-1] = _Piece("other", max(piece.end, at))
        else:
            takes_comments = piece.kind != "docstring"
            _between(lines, at, start, pieces, takes_comments)
            pieces.append(piece)
        at = pieces[-1].end
    _between(lines, at, len(lines), pieces, takes_comments=False)
    ends = [0, *(piece.end for piece in pieces[:-1]), len(lines)]
    if not pieces and text:
        pieces = [_Piece("comment", len(lines))]
    return [
        replace(piece, text="".join(lines[a:b]))
        for piece, a, b in zip(pieces, ends, ends[1:], strict=False)
    ]


def _statement(node: ast.stmt, is_first: bool, is_last: bool) -> tuple[_Piece, int]:
    """And the line, from 0, on which it begins."""
    assert node.end_lineno
    decorators = [d.lineno for d in getattr(node, "decorator_list", ())]
    kind, name = "other", ""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        kind, name = "function", node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        kind = "import"
    elif isinstance(node, ast.Expr):
        value = node.value
        is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        kind = "docstring" if is_text and is_first else "expression"
    elif isinstance(node, ast.If):
        condition = ast.unparse(node.test)
        if condition.endswith("TYPE_CHECKING"):
            kind = "import"
        elif condition == "__name__ == '__main__'" and is_last and not node.orelse:
            kind = "main"
    return _Piece(kind, node.end_lineno, name), min([node.lineno, *decorators]) - 1


def _between(
    lines: list[str], start: int, end: int, pieces: list[_Piece], takes_comments: bool
) -> None:
    """Add the pieces between two statements. `takes_comments`: the one that follows does."""
    comments = [i for i in range(start, end) if lines[i].strip()]
    for i in reversed(comments):
        if pieces and lines[i].lstrip("\f")[:1] in " \t":  # still in the block before
            pieces[-1] = replace(pieces[-1], end=i + 1)
            comments = [j for j in comments if j > i]
            break
    loose = 0  # the line after a comment that no piece has yet
    for i in comments:
        if found := _BANNER.fullmatch(lines[i].strip()):
            if loose:
                pieces.append(_Piece("comment", loose))
            pieces.append(_Piece("banner", i + 1, found[1]))
        loose = 0 if found else i + 1
    if loose and not takes_comments:
        pieces.append(_Piece("comment", loose))


def _together(pieces: list[_Piece]) -> list[_Piece]:
    """Imports that follow on one another share a cell, and so does other code."""
    joined: list[_Piece] = []
    for piece in pieces:
        if piece.kind == "expression":
            piece = replace(piece, kind="other")
        if joined and piece.kind == joined[-1].kind and piece.kind in ("import", "other"):
            joined[-1] = replace(joined[-1], end=piece.end, text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def _sections(piece: _Piece) -> tuple[dict[str, str], list[tuple[str, str]]] | None:
    """Of a docstring: what stands around it, and its sections, as they are written and as Python
    reads them. None if it is not that simple."""
    _, source, _ = piece.around
    found = _DOCSTRING.fullmatch(source)
    if found is None or found[2] in found[3] or not found[3].strip():
        return None
    opens, closes = found[1] + found[2], found[2]
    raw = prose.sections(found[3])
    try:
        values = [ast.literal_eval(opens + section + closes) for section in raw]
        if "".join(values) != ast.literal_eval(source):
            return None
    except (SyntaxError, ValueError):
        return None
    return {"opens": opens, "closes": closes}, list(zip(raw, values, strict=True))


def _main(piece: _Piece) -> tuple[dict[str, str], list[_Piece]] | None:
    """Of `if __name__ == "__main__":` what stands around its body, and the body in pieces that end
    with an expression, whose value a notebook shows. None if it is not that simple."""
    before, source, after = piece.around
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.If)
    assert node.test.end_lineno
    lines = _lines(source)
    head, body = lines[: node.test.end_lineno], lines[node.test.end_lineno :]
    indent = " " * node.body[0].col_offset
    if any(line.strip() and not line.startswith(indent) for line in body):
        return None
    text = "".join(line.removeprefix(indent) if line.strip() else line for line in body)
    try:  # what is in a string of several lines must not be moved
        same = ast.dump(ast.parse(text)) == ast.dump(ast.Module(node.body, []))
    except SyntaxError:
        return None
    if not same:
        return None
    statements: list[_Piece] = []
    waiting = ""
    for statement in _pieces(text):
        waiting += statement.text
        if statement.kind in ("docstring", "expression"):
            statements.append(_Piece("show", 0, text=waiting))
            waiting = ""
    if waiting:
        statements.append(_Piece("show", 0, text=waiting))
    around = {"before": before, "head": "".join(head), "indent": indent, "after": after}
    return around, statements


# --- To a module ---------------------------------------------------------------------------------


def to_module(data: bytes) -> bytes:
    """The lesson that a notebook holds. What is no Python is left out.

    Raises:
        grader.notebook.NotANotebook: there is no code to be had from it.
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
        body = [indent + line if line.strip() else line for line in _lines(block.made)]
        text.add(
            _blank(about["before"]), _head(about["head"]) + "".join(body), _blank(about["after"])
        )
    return _encoded(text.made, _strings(ours))


def is_edited(data: bytes) -> bool:
    """Whether a notebook says anything else than when it was made here. Outputs do not count."""
    ours, cells = _read(data)
    return ours is None or ours.get("digest") != _digest_of_all(cells)


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
    is_as_made = about["digest"] == _digest(text)
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
    lines, kept = _lines(code), set[int]()
    for node in body:
        source = ast.get_source_segment(code, node) or ""
        is_definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if not isinstance(node, ast.Expr) and (
            is_definition or _names(source, ast.Load).isdisjoint(elsewhere)
        ):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
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
    if cell.is_as_made and (found := _BANNER.fullmatch(raw)) and cell.source == f"## {found[1]}":
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


def _lines(text: str) -> list[str]:
    """As Python counts them."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _digest_of_all(cells: Iterable[Any]) -> str:
    return _digest("".join(f"{cell.cell_type} {_digest(cell.source)}\n" for cell in cells))
