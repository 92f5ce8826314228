"""What a grade hangs on, in a few letters: equal where grading again would come out the same."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from grader.lessons import CHECKS, KIT, SOLUTIONS

GRADER = KIT / "grader"
# How answers are run, and how they are judged. Whatever else there is in the kit only reads, keeps
# or shows.
DECIDES = (
    "inside",
    "verdict",
    "classroom/examine.py",
    "classroom/exams.py",
    "outcome.py",
    "statements.py",
    "words.py",
)


def of_checkpoint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".txt", ".safetensors", ".bin") and path.is_file():
            with open(path, "rb") as file:
                digest.update(f"{path.name}:{path.stat().st_size}:".encode())
                while piece := file.read(1 << 20):
                    digest.update(piece)
    return digest.hexdigest()[:16]


@cache
def of_kit(lesson: str) -> str:
    """Of all in the kit that a verdict on a lesson hangs on: what runs and judges answers, the
    checks of its exercises, its solution, and what these import of other lessons."""
    own = [*(CHECKS / lesson).glob("*.py"), SOLUTIONS / f"{lesson}.py"]
    decides = [GRADER / name for name in DECIDES]
    modules = [m for path in decides for m in ([path] if path.is_file() else path.rglob("*.py"))]
    digest = hashlib.sha256()
    for path in sorted({*modules, *_with_imports(own)}):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(KIT).as_posix()}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _with_imports(modules: Iterable[Path]) -> set[Path]:
    """And what they import of checks and solutions, and what that does."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{a.name}" for a in node.names)]
            for name in names:
                if name.startswith(("grader.checks.", "solutions.")):
                    there = KIT / f"{name.replace('.', '/')}.py"
                    waiting += [there] if there.is_file() else []
    return found
