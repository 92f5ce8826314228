"""A lesson's text, cut into pieces which joined are the text."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from grader.notebooks import prose
from grader.notebooks.marks import BANNER, lines_of
from grader.statements import first_line

_DOCSTRING = re.compile(r"([rRuU]?)(\"{3}|'{3})(.*)\2", re.DOTALL)
_AROUND = re.compile(r"([ \t\f\r\n]*)(.*?)([ \t\f\r\n]*)", re.DOTALL)


@dataclass(frozen=True)
class Piece:
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


def pieces_of(text: str) -> list[Piece]:
    """Each statement with the comments before it; banners by themselves, and comments that nothing
    follows. Statements that share a line are one. Joined they are the text."""
    lines = lines_of(text)
    pieces: list[Piece] = []
    at = 0
    for i, node in enumerate(body := ast.parse(text).body):
        piece, start = _statement(node, i == 0, i == len(body) - 1)
        if start < at:
            pieces[-1] = Piece("other", max(piece.end, at))
        else:
            takes_comments = piece.kind != "docstring"
            _between(lines, at, start, pieces, takes_comments)
            pieces.append(piece)
        at = pieces[-1].end
    _between(lines, at, len(lines), pieces, takes_comments=False)
    ends = [0, *(piece.end for piece in pieces[:-1]), len(lines)]
    if not pieces and text:
        pieces = [Piece("comment", len(lines))]
    return [
        replace(piece, text="".join(lines[a:b]))
        for piece, a, b in zip(pieces, ends, ends[1:], strict=False)
    ]


def _statement(node: ast.stmt, is_first: bool, is_last: bool) -> tuple[Piece, int]:
    """And the line, from 0, on which it begins."""
    assert node.end_lineno
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
    return Piece(kind, node.end_lineno, name), first_line(node) - 1


def _between(
    lines: list[str], start: int, end: int, pieces: list[Piece], takes_comments: bool
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
        if found := BANNER.fullmatch(lines[i].strip()):
            if loose:
                pieces.append(Piece("comment", loose))
            pieces.append(Piece("banner", i + 1, found[1]))
        loose = 0 if found else i + 1
    if loose and not takes_comments:
        pieces.append(Piece("comment", loose))


def together(pieces: list[Piece]) -> list[Piece]:
    """Imports that follow on one another share a cell, and so does other code."""
    joined: list[Piece] = []
    for piece in pieces:
        if piece.kind == "expression":
            piece = replace(piece, kind="other")
        if joined and piece.kind == joined[-1].kind and piece.kind in ("import", "other"):
            joined[-1] = replace(joined[-1], end=piece.end, text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def docstring_sections(piece: Piece) -> tuple[dict[str, str], list[tuple[str, str]]] | None:
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


def main_block(piece: Piece) -> tuple[dict[str, str], list[Piece]] | None:
    """Of `if __name__ == "__main__":` what stands around its body, and the body in pieces that end
    with an expression, whose value a notebook shows. None if it is not that simple."""
    before, source, after = piece.around
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.If)
    assert node.test.end_lineno
    lines = lines_of(source)
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
    statements: list[Piece] = []
    waiting = ""
    for statement in pieces_of(text):
        waiting += statement.text
        if statement.kind in ("docstring", "expression"):
            statements.append(Piece("show", 0, text=waiting))
            waiting = ""
    if waiting:
        statements.append(Piece("show", 0, text=waiting))
    around = {"before": before, "head": "".join(head), "indent": indent, "after": after}
    return around, statements
