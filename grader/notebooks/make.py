"""A lesson as a notebook.

The module's text is cut into pieces which joined are the text. Each becomes a cell, and the cell's
metadata keep what it takes to make that piece of it again: the blank lines around it, and of prose,
which is shown as markdown, how it was written. So the way there and back loses nothing, whatever
the source; what cannot be shown nicely is a code cell as it stands. The cells that only a notebook
has, the first one and those that check, say so of themselves, and do not come back.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Collection, Iterator
from typing import Any

from grader.notebooks import prose
from grader.notebooks.marks import OURS, SETUP, NoNotebook, digest, digest_of_all
from grader.notebooks.pieces import Piece, docstring_sections, main_block, pieces_of, together
from grader.notebooks.restore import to_module

KIT = ".."  # from notebooks/ in a kit


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
        self.ours["digest"] = digest_of_all(made)
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
            "digest": digest(source),
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
    pieces = together(pieces_of(text))
    for piece in pieces:
        if piece.kind == "docstring" and (docstring := docstring_sections(piece)):
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
        elif piece.kind == "main" and piece is pieces[-1] and (block := main_block(piece)):
            maker.ours["main"], statements = block
            for statement in statements:
                yield _code(maker, statement, "show")
        else:
            yield from _with_check(maker, piece)


def _whole(maker: _Maker, text: str) -> Iterator[Any]:
    if text:
        yield maker.code("all", text)


def _with_check(maker: _Maker, piece: Piece) -> Iterator[Any]:
    yield _code(maker, piece)
    if piece.kind == "function" and piece.name in maker.exercises:
        yield maker.code(f"{piece.name}-check", f"check({piece.name})", "check")


def _code(maker: _Maker, piece: Piece, role: str = "code") -> Any:
    """Raises SyntaxError where it cannot be run by itself."""
    before, source, after = piece.around
    ast.parse(source)
    name = piece.name or ("show" if role == "show" else piece.kind)
    return maker.code(name, source, role, before=before, after=after)
