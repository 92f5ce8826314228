"""What our own notebooks say of themselves, in the metadata of each cell and of the whole: by that
they become the same lesson again, and it is seen what somebody has edited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from grader.notebooks import script as notebook
from grader.problem import Problem

OURS = "grader"  # the key of all our metadata
SETUP = f"""\
# Run this cell first. It works on Colab and on Kaggle (with the internet on) as well as at home.
KIT = ".."  # what pip installs where the kit is not installed yet: a folder or a URL

from importlib.util import find_spec

if find_spec("grader") is None:
    {notebook.INSTALL}

from grader import check"""

BANNER = re.compile(r"# -{2,} (\S.*?) -{2,}")
TRIPLE = '"""'


class NoNotebook(Problem):
    """Why no notebook was made or read: one line."""


def lines_of(text: str) -> list[str]:
    """As Python counts them."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def digest_of_all(cells: Iterable[Any]) -> str:
    return digest("".join(f"{cell.cell_type} {digest(cell.source)}\n" for cell in cells))
