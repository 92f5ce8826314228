"""Files that are there as a whole or as they were before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def writing(path: Path, binary: bool = False) -> Iterator[Any]:
    """A file, of text in UTF-8 with line ends as written, that takes the place of `path` when the
    body is done. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    how: dict[str, Any] = {"mode": "wb"} if binary else {
        "mode": "w", "encoding": "utf-8", "newline": "",
    }  # fmt: skip
    try:
        with open(part, **how) as file:
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
