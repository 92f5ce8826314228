"""A notebook's code cells as one Python source, and a script that was made of a notebook.

What IPython makes of a cell before Python sees it (IPython/core/inputtransformer2.py) is undone as
far as a submission needs it: magics, shell lines and help are left out (but for the Python in
them), a whole cell's indentation is removed.

The JSON is read as it is, of every version: code lies in `source` (nbformat 4), `input` (2 and 3)
or `code` (1). nbformat would upgrade and validate the whole notebook for that, takes 0.8 GB for a
hostile 10 MB, doubles the line ends of version 2, and refuses what Jupyter opens.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from grader.statements import PYTHON_MAGICS

CODE = 500_000  # characters of all code cells
REMARKS = 10

# Only where a statement may begin, after its indentation: there, none of these is Python. Each is
# matched in time linear in the line.
_NOT_PYTHON = re.compile(
    r"""[!%?]                                    # !ls, %timeit, ?softmax
      | [\w.*\[\]'"]+\?\??[ \t]*$                # softmax?, softmax??
      | [\w.,*\[\]'" \t]+=[ \t]*[!%]             # files = !ls
      | (?:pip3?|conda|mamba)[ \t]+install\b     # magics that need no %
    """,
    re.VERBOSE,
)
# What is no loss: it says how a notebook looks, or installs what is there or will be missed.
_OF_ITS_OWN = re.compile(
    r"[!%]?[ \t]*(?:pip3?|conda|mamba|uv[ \t]+pip)[ \t]+install\b"
    r"|%(?:autoreload|config|load_ext|matplotlib)\b"
)
# %time x = f(), x = %time f(): what is in front, and the Python.
_TIMED = re.compile(r"([\w.,*\[\]'\" \t]+=[ \t]*)?%(?:time|prun)[ \t]+(?!-)(\S.*)")
_RUN = re.compile(r"%run[ \t]+(?:-i[ \t]+)?(?:\./)?([A-Za-z_][\w/]*?)(?:\.py)?[ \t]*")
# What cells of a script begin with: `# %%` of editors, nbconvert's `# In[3]:`.
_CELL = re.compile(r"#[ \t]*(?:%%|In ?\[[\d ]*\]:)")
COLABS = "# Commented out IPython magic to ensure Python compatibility."
_COMMENTED = re.compile(r"# ?([ \t]*)(%.*)")
# What Python says of an `if` without a body; Colab leaves it so where a magic was all there was.
_NO_BODY = re.compile(r"expected an indented block after '\w+' statement on line (\d+)")
EMPTY = 50  # such blocks
# What our own notebooks (`grader.notebooks.make`) have besides the lesson.
INSTALL = '%pip install --quiet "{KIT}"'
_OUR_IMPORT = re.compile(
    r"from grader import (?:check|pictures)(?:, ?(?:check|pictures))*\s*(?:#|$)"
)
_OUR_CALL = re.compile(r"(?:check|check\.all|pictures\.\w+)\((?!.*;)")
# And in cells with pictures:
_OUR_LOADING = re.compile(
    r"from grader\.reference import |\w+(?:, \w+)? = load(?:_tokenizer)?\(\)(?:, load_\w+\(\))?$"
)
_CODE = re.compile(r"""'''|\"""|['"#()\[\]{}]""")
_STRING = {quote: re.compile(rf"\\.|{quote}") for quote in ("'", '"', "'''", '"""')}
_COOKIE = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+", re.ASCII)  # PEP 263


class NotANotebook(Exception):
    """Why there is no code to be had from it: one clear line, with what to do."""


@dataclass(frozen=True)
class Source:
    text: str  # Python, always encodable as UTF-8, "\n" line ends, no byte-order mark
    cells: tuple[int, ...] = ()  # of a notebook: the line, from 1, on which each code cell begins
    place: str = field(default="", compare=False)  # where it lay in what was handed in


def script(data: bytes) -> tuple[Source, tuple[str, ...]]:
    """All code cells in order, empty ones too, and remarks on what was left out.

    What is left out becomes a comment, so that every line stays where it was; cells share no line.
    Raises `NotANotebook`.
    """
    try:
        book = json.loads(data)
    except (ValueError, RecursionError):
        raise NotANotebook("no notebook that can be read. Save it again, from Jupyter.") from None
    cells = [source_of(cell).split("\n") for cell in _code_cells(book)]
    if sum(len(line) + 1 for cell in cells for line in cell) > CODE:
        raise NotANotebook(f"more than {CODE // 1000} kB of code. Hand in your lessons alone.")

    is_ours = any(_OUR_IMPORT.match(line) for cell in cells for line in cell)
    lines: list[str] = []
    begins, left_out = [], []
    for number, cell in enumerate(cells, 1):
        begins.append(len(lines) + 1)
        made, others = _python(cell, is_ours)
        lines += made
        left_out += [f"code cell {number}: {_left_out(line)}" for line in others]
    return Source(declared_utf8("".join(f"{x}\n" for x in lines)), tuple(begins)), _cut(left_out)


def repaired(text: str) -> tuple[str, tuple[str, ...]]:
    """A script in which Python finds no sense, as one that was made of a notebook: without the
    lines that only IPython reads, and with something in blocks that held nothing else. Every line
    stays where it was. A script that Python reads is left as it is."""
    text = _as_before_colab(text)
    if _parses(text) is None:
        return text, ()
    lines = text.split("\n")
    begins = [0, *(i for i, line in enumerate(lines) if i and _CELL.match(line)), len(lines)]
    made: list[str] = []
    left_out: list[str] = []
    for begin, end in pairwise(begins):
        cell, others = _python(lines[begin:end], is_ours=False)
        made += cell
        left_out += others
    for _ in range(EMPTY):
        problem = _parses("\n".join(made))
        found = _NO_BODY.search(str(problem)) if problem is not None else None
        if found is None or not _filled(made, int(found[1])):
            break
    return "\n".join(made), _cut([_left_out(line) for line in left_out])


def _left_out(line: str) -> str:
    return f"left out {line.strip()[:60]!r}."


def _cut(remarks: list[str]) -> tuple[str, ...]:
    more = len(remarks) - REMARKS
    return (*remarks[:REMARKS], *([f"{more} more lines left out."] if more > 0 else []))


def _as_before_colab(text: str) -> str:
    """With the Python that Colab's "Download .py" makes comments of, since a magic stood before
    it: the rest of a line, or of a cell."""
    if COLABS not in text:
        return text
    lines = text.split("\n")
    for i, line in enumerate(lines[:-1]):
        found = _COMMENTED.fullmatch(lines[i + 1]) if line.strip() == COLABS else None
        if found is None:
            continue
        name = re.match(r"%%(\w+)", found[2])
        if timed := _TIMED.match(found[2]):
            lines[i + 1] = f"{found[1]}{timed[1] or ''}{timed[2]}"
        elif name and name[1] in PYTHON_MAGICS:
            for j in range(i + 2, len(lines)):
                if not lines[j].startswith("#"):
                    break
                lines[j] = lines[j].removeprefix("#").removeprefix(" ")
    return "\n".join(lines)


def _parses(text: str) -> Exception | None:
    """Why it does not; None if it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        return problem
    return None


def _filled(lines: list[str], header: int) -> bool:
    """Put a statement under a header, on a line of its own on which there was none. False if there
    is no such line."""
    indent = re.match(r"[ \t]*", lines[header - 1])
    assert indent
    for i in range(header, len(lines)):
        bare = lines[i].strip()
        if bare and not bare.startswith("#"):
            break
        if bare or i == header:
            lines[i] = f"{indent[0]}    pass  {bare}".rstrip()
            return True
    return False


def python(source: str, is_ours: bool = True) -> str:
    """A cell as a module has it: without what is no Python and, if `is_ours`, without what only our
    own notebooks call."""
    lines = source.split("\n")
    made, _ = _python(lines, is_ours)
    return "\n".join(
        new
        for old, new in zip(lines, made, strict=True)
        if not new.startswith("# ") or old.lstrip().startswith("#")
    )


def declared_utf8(text: str) -> str:
    """The same source without byte-order mark and with no other encoding declared: it is text now,
    and saved as UTF-8."""
    lines = text.lstrip("\ufeff").split("\n", 2)
    return "\n".join([*(_COOKIE.sub(r"\1utf-8", x, count=1) for x in lines[:2]), *lines[2:]])


def _code_cells(book: Any) -> Iterator[dict[str, Any]]:
    sheets: Any = [book]
    if isinstance(book, dict) and "cells" not in book:
        sheets = book.get("worksheets")  # nbformat 2 and 3
    if not isinstance(sheets, list) or not all(
        isinstance(sheet, dict) and isinstance(sheet.get("cells"), list) for sheet in sheets
    ):
        raise NotANotebook("no notebook: it has no cells. Save it again, from Jupyter.")
    for sheet in sheets:
        for cell in sheet["cells"]:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                yield cell


def source_of(cell: dict[str, Any]) -> str:
    text = next((cell[key] for key in ("source", "input", "code") if key in cell), "")
    if isinstance(text, list):
        pieces = [piece for piece in text if isinstance(piece, str)]
        # nbformat 2 wrote lines without their ends.
        text = ("" if any(x.endswith("\n") for x in pieces) else "\n").join(pieces)
    if not isinstance(text, str):
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", r"\x00")
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair


def _python(cell: list[str], is_ours: bool) -> tuple[list[str], list[str]]:
    """As many lines, all of them Python, and those that were not. `is_ours`: of a notebook made
    here, whose checks and pictures are left out without a word."""
    lines = list(cell)
    left_out: list[str] = []
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if filled and (indent := re.match(r"[ \t]*", lines[filled[0]])[0]):  # type: ignore[index]
        lines = [line.removeprefix(indent) for line in lines]
    for i in filled:
        if not lines[i].startswith("%%"):
            break
        if (name := re.match(r"%%(\w+)", lines[i])) is None or name[1] not in PYTHON_MAGICS:
            return [f"# {line}" for line in lines], [*left_out, lines[i]]
        lines[i] = f"# {lines[i]}"

    ours = [_OUR_IMPORT, _OUR_CALL] if is_ours else []
    if is_ours and any(line.startswith("pictures.") for line in lines):
        ours.append(_OUR_LOADING)
    quote, depth, continued, dropping, calling = "", 0, False, False, False
    for i, line in enumerate(lines):
        if dropping:
            lines[i] = f"# {line}"
        elif not (quote or depth or continued) and _NOT_PYTHON.match(bare := line.lstrip(" \t")):
            indent = line[: len(line) - len(bare)]
            if timed := _TIMED.match(bare):
                lines[i] = f"{indent}{timed[1] or ''}{timed[2]}"
                quote, depth, continued = _after(lines[i], quote, depth)
                continue
            if ran := _RUN.fullmatch(bare):
                lines[i] = f"{indent}from {ran[1].replace('/', '.')} import *"
                continue
            if not _OF_ITS_OWN.match(bare):
                left_out.append(line)
            # It may have been all that its block held.
            lines[i] = f"{indent}pass  # {bare}" if indent else f"# {line}"
            dropping = True
        else:
            if not (quote or depth or continued):
                calling = any(pattern.match(line) for pattern in ours)
            quote, depth, continued = _after(line, quote, depth)
            lines[i] = f"# {line}" if calling else line
        dropping = dropping and line.endswith("\\")
    return lines, left_out


def _after(line: str, quote: str, depth: int) -> tuple[str, int, bool]:
    """(the quotes of the string, the number of brackets that are still open, whether the line goes
    on with the next one) at the line's end. Unlike `tokenize`, it takes any line."""
    at = 0
    while piece := (_STRING[quote] if quote else _CODE).search(line, at):
        at = piece.end()
        if quote:
            quote = "" if piece[0] == quote else quote
        elif piece[0] == "#":
            return "", depth, False
        elif piece[0][0] in "'\"":
            quote = piece[0]
        else:
            depth = depth + 1 if piece[0] in "([{" else max(depth - 1, 0)
    continued = line.endswith("\\")
    # Python ends these strings with their line, too.
    return quote if len(quote) == 3 or continued else "", depth, continued
