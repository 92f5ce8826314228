"""What somebody has saved: which files of a folder have changed, and which of a lesson's functions
may do something else than before."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import time
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

from grader.statements import first_line, is_stub

STABLE = 0.05  # seconds that a file has to stay as it is
# An editor that writes in place has the beginning of a file there for a while, or nothing.
STABLE_BEGINNING = 0.5
STABLE_EMPTY = 2.0
# A file may be saved twice within what its file system takes for one time (2 s on FAT, more where
# a network drive is cached), so for so long after a change it is read, whatever its time says.
SAME_TIME = 5.0
LARGEST = 500_000  # bytes of a file; no lesson is larger, and it is read and parsed at every change


class Folder:
    """The Python files of a folder, looked at again and again: that works everywhere, network
    drives and WSL included, where waiting for the system's word does not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[str, _Seen] = {}
        self.changed_at = now = time.monotonic()  # when the last change was seen
        self._look(now)
        for seen in self._seen.values():
            seen.known = seen.found

    def text(self, name: str) -> str:
        """As it was when last reported. Empty where there is no such file."""
        seen = self._seen.get(name)
        return "" if seen is None or seen.known is None else seen.known.decode("utf-8", "replace")

    def texts(self) -> dict[str, str]:
        return {name: self.text(name) for name, seen in self._seen.items() if seen.known}

    def is_as_reported(self, look: bool = True) -> bool:
        """Now, or when last looked at."""
        if look:
            self._look(time.monotonic())
        return all(seen.found == seen.known for seen in self._seen.values())

    def changed(self) -> list[str]:
        """Names of files that have changed, come or gone since this was last asked; none as long as
        one of them is being written."""
        now = time.monotonic()
        self._look(now)
        changed = {n: seen for n, seen in self._seen.items() if seen.found != seen.known}
        if any(now - seen.since < seen.patience for seen in changed.values()):
            return []
        for seen in changed.values():
            seen.known = seen.found
            self.changed_at = seen.since
        return sorted(changed)

    def empty(self) -> list[str]:
        """Names of files that have been so for longer than writing one takes."""
        long_ago = time.monotonic() - STABLE_BEGINNING
        return [
            name
            for name, seen in self._seen.items()
            if seen.known and not seen.found and seen.since < long_ago
        ]

    def _look(self, now: float) -> None:
        there = set()
        for path in _python_files(self.path):
            name = path.relative_to(self.path).as_posix()
            there.add(name)
            seen = self._seen.setdefault(name, _Seen(now))
            try:
                stat = os.stat(path)
                stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
                if stamp == seen.stamp and now - seen.since > SAME_TIME:
                    continue
                if stat.st_size > LARGEST:
                    continue
                found = path.read_bytes()
            except OSError:  # gone just now, or locked by who writes it
                continue
            seen.stamp = stamp
            seen.find(found, now)
        for name in self._seen.keys() - there:
            self._seen[name].stamp = None
            self._seen[name].find(None, now)


class _Seen:
    def __init__(self, now: float) -> None:
        self.known: bytes | None = None  # None: no such file
        self.found: bytes | None = None
        self.since = now
        self.stamp: tuple[int, ...] | None = None

    def find(self, content: bytes | None, now: float) -> None:
        if content != self.found:
            self.found, self.since = content, now

    @property
    def patience(self) -> float:
        if not self.found:
            return STABLE_EMPTY if self.known else STABLE
        return STABLE_BEGINNING if (self.known or b"").startswith(self.found) else STABLE


def _python_files(folder: Path) -> Iterable[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if os.path.exists(os.path.join(root, f, "__init__.py"))]
        names = (file for file in files if file.endswith(".py") and not file.startswith("."))
        yield from (Path(root, name) for name in names)


# --- What a change may change --------------------------------------------------------------------

WORD = re.compile(r"\w+")


class Source:
    """A lesson's text, in the pieces of its top level."""

    def __init__(self, text: str) -> None:
        """Raises SyntaxError, and what else `ast.parse` raises."""
        lines = text.splitlines(keepends=True)
        self.named: dict[str, str] = {}  # name -> the text of all that gives it a meaning
        self.nameless: list[str] = []
        for node in ast.parse(text).body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # prose
            if isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ =="):
                continue  # not run when it is imported
            first = first_line(node)
            piece = "".join(lines[first - 1 : node.end_lineno])
            names = _bound(node)
            for name in names:
                self.named[name] = self.named.get(name, "") + piece
            if not names:
                self.nameless.append(piece)

    def mentioning(self, words: Collection[str]) -> set[str] | None:
        """Names whose meaning may hang on these words, directly or through one another. None: all
        of them may."""
        found: set[str] = set()
        waiting = set(words)
        while waiting:
            if any(waiting & set(WORD.findall(piece)) for piece in self.nameless):
                return None
            new = {n for n, piece in self.named.items() if waiting & set(WORD.findall(piece))}
            waiting = new - found
            found |= new
        return found


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement gives a meaning to, if that is all it does."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        return [] if "*" in names else names
    if isinstance(node, ast.Assign):
        targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return targets if len(targets) == len(node.targets) else []
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


@lru_cache(maxsize=8)
def source(text: str) -> Source | None:
    """None where Python cannot read it."""
    try:
        return Source(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def changed_names(old: Source, new: Source) -> tuple[set[str], set[str] | None]:
    """(names whose own text is another, those and all that may hang on them; None: all may)."""
    names = old.named.keys() | new.named.keys()
    own = {name for name in names if old.named.get(name) != new.named.get(name)}
    if old.nameless != new.nameless:
        return own, None
    before, after = old.mentioning(own), new.mentioning(own)
    return own, None if before is None or after is None else own | before | after


def hang_on(texts: dict[str, str], changed: Iterable[str]) -> dict[str, set[str]]:
    """Of a folder's files, those that mention one that has changed, or one that does, and which
    words it is that they mention. Prose counts: one run too many is better than one too few."""
    words = {_module(name) for name in changed}
    found: dict[str, set[str]] = {}
    while True:
        new = {
            name: mentioned
            for name, text in texts.items()
            if (mentioned := words & set(WORD.findall(text)) - {_module(name)})
        }
        if new == found:
            return found
        found = new
        words |= {_module(name) for name in new}


def _module(file: str) -> str:
    """What an import says."""
    path = Path(file)
    return path.parent.name if path.stem == "__init__" else path.stem


@lru_cache(maxsize=32)
def answered(text: str, names: tuple[str, ...]) -> frozenset[str]:
    """Which of these functions a lesson may have, and not as stubs: only then is it worth loading
    what their checks need."""
    words = set(WORD.findall(text))
    there = {name for name in names if name in words or "import *" in text}
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and is_stub(node):
                there.discard(node.name)
    return frozenset(there)
