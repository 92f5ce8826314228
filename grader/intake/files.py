"""The .py and .ipynb files of a submission, from wherever they are, within its limits."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
import tokenize
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from grader.intake.archives import (
    ARCHIVE,
    check_directory,
    piece_of,
    tar_members,
    unpacked,
    unzip,
    up_to,
)
from grader.intake.names import PACKED, READ, bare, given_name, ignored
from grader.intake.words import (
    LINK,
    MB,
    MEMBERS,
    NAME,
    Refused,
    Spent,
    broken,
    clean,
    shown,
    too_many,
    unopened,
)
from grader.notebooks.script import NotANotebook, declared_utf8, script
from grader.notebooks.script import Source as Source

SOURCE = MB // 2  # bytes of one .py file
NOTEBOOK = 10 * MB  # pictures included
CODE = 20 * MB  # all .py and .ipynb files
ARCHIVES = 160 * MB  # all of them, packed and unpacked
DEPTH = 20  # folders in folders

# Other codecs are slow, or no text.
ENCODINGS = re.compile(
    r"utf-8(-sig)?|ascii|(iso8859-|cp|koi8-|mac-)\w+|gbk|gb2312|gb18030|big5|euc_\w+|shift_jis"
)


def walk(folder: Path, problems: list[str]) -> Iterator[tuple[str, ...]]:
    """(folders on the way, name) of all that is neither folder nor link, always in one order.

    What cannot be opened goes to `problems`. Raises `Refused` if there is too much.
    """
    waiting: list[tuple[str, ...]] = [()]
    left = MEMBERS
    while waiting:
        inner = waiting.pop()
        try:
            with os.scandir(folder.joinpath(*inner)) as scan:
                entries = [entry for entry, _ in zip(scan, range(left + 1), strict=False)]
        except OSError as problem:
            problems.append(f"{shown((folder.name, *inner))}: {unopened(problem)}")
            continue
        left -= len(entries)
        if left < 0:
            raise Spent(f"{clean(folder.name)}: {too_many()}")
        for entry in sorted(entries, key=lambda entry: entry.name):
            place = (*inner, entry.name)
            if ignored(entry.name):
                continue
            if entry.is_symlink():
                problems.append(f"{shown(place)}: {LINK}")
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(place)
            else:
                yield place


@dataclass(frozen=True, eq=False)
class File:
    place: tuple[str, ...]  # folders on the way (an archive is one), name
    source: Source

    def __str__(self) -> str:
        return shown(self.place)

    @property
    def stem(self) -> str:
        return bare(self.place[-1].rpartition(".")[0])

    @property
    def is_notebook(self) -> bool:
        return self.place[-1].lower().endswith(".ipynb")


@dataclass
class Gathered:
    """The .py and .ipynb files of a submission, within its limits."""

    files: list[File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    members: int = 0
    archives: int = 0
    code: int = 0

    def take(self, path: Path) -> None:
        name = given_name(path.name)
        try:
            mode = path.lstat().st_mode
        except OSError as problem:
            self.remarks.append(f"{shown((name,))}: {unopened(problem)}")
            return
        if stat.S_ISDIR(mode):
            for place in walk(path, self.remarks):
                self._file(place, partial(contents, path.joinpath(*place)))
        elif stat.S_ISLNK(mode):
            self.remarks.append(f"{shown((name,))}: {LINK}")
        elif name.lower().endswith(READ):
            self._file((name,), partial(contents, path))
        else:
            why = "not read. Hand in a .py or .ipynb file, a folder, a zip or a tar."
            self.remarks.append(f"{shown((name,))}: {why}")

    def _file(
        self, place: tuple[str, ...], data: Callable[[int], bytes], in_archive: bool = False
    ) -> None:
        """One file; `data(limit)` gives its bytes, or a few more than `limit` if it is larger."""
        self.members += 1
        if self.members > MEMBERS:
            raise Spent(too_many())
        name = place[-1].lower()
        is_archive, is_notebook = name.endswith(PACKED), name.endswith(".ipynb")
        if not name.endswith(READ) or any(map(ignored, place)):
            return
        limit = ARCHIVE if is_archive else NOTEBOOK if is_notebook else SOURCE
        try:
            if len(place) > DEPTH:
                raise Refused(f"more than {DEPTH} folders deep. Hand in your lessons alone.")
            if is_archive and in_archive:
                raise Refused("an archive in an archive. Hand in one, or the files themselves.")
            content = data(limit)
            self._spend(len(content), is_archive)
            if len(content) > limit:
                raise Refused(f"larger than {limit / MB:g} MB. Hand in your code alone.")
            if is_archive:
                self._archive(place, content)
            elif is_notebook:
                source, remarks = script(content)
                self.remarks += [f"{shown(place)}, {remark}" for remark in remarks]
                self._add(place, source)
            else:
                self._add(place, Source(_text(content)))
        except Spent:
            raise
        except (Refused, NotANotebook) as problem:
            self.remarks.append(f"{shown(place)}: {problem}")
        except Exception as problem:  # archives fail in many ways
            self.remarks.append(f"{shown(place)}: {broken(problem)}")

    def _add(self, place: tuple[str, ...], source: Source) -> None:
        if source.text.strip():
            self.files.append(File(place, source))
        elif place[-1] != "__init__.py":
            raise Refused("empty. Hand in the file with your answers.")

    def _spend(self, size: int, is_archive: bool) -> None:
        if is_archive:
            self.archives += size
        else:
            self.code += size
        if self.archives > ARCHIVES or self.code > CODE:
            limit = ARCHIVES if is_archive else CODE
            raise Spent(f"more than {limit // MB} MB in all. Hand in your lessons alone.")

    def _archive(self, place: tuple[str, ...], data: bytes) -> None:
        if data.startswith((b"PK\3\4", b"PK\5\6")):
            check_directory(data)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    is_link = stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
                    if not info.is_dir():
                        self._member(place, info.filename, is_link, partial(unzip, archive, info))
        else:
            data = unpacked(data)
            self._spend(len(data), is_archive=True)
            for name, is_link, content in tar_members(data):
                self._member(place, name, is_link, partial(piece_of, content))

    def _member(
        self, archive: tuple[str, ...], name: str, is_link: bool, data: Callable[[int], bytes]
    ) -> None:
        slashed = name[: NAME + 1].replace("\\", "/")
        place = (*archive, *(part for part in slashed.split("/") if part not in ("", ".")))
        if len(name) > NAME:
            data = partial(_refuse, "a name too long to be one. Pack your files again.")
        elif slashed.startswith("/") or re.match("[A-Za-z]:", slashed) or ".." in place:
            data = partial(_refuse, "it would lie outside of the archive. Pack your folder again.")
        elif is_link:
            data = partial(_refuse, "a link or no ordinary file. Pack the file itself.")
        self._file(place, data, in_archive=True)


def _refuse(why: str, limit: int) -> bytes:
    raise Refused(why)


def contents(path: Path, limit: int) -> bytes:
    # Without waiting for a FIFO's other end, and without following a link put there meanwhile.
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, flag, 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused("no ordinary file. Hand in one.")
            return up_to(file, limit)
    except OSError as problem:
        raise Refused(unopened(problem)) from None


def _text(data: bytes) -> str:
    """Python source as text. Raises `Refused` if it is none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refused("UTF-16, which Python does not read. Save it as UTF-8.")
    if b"\0" in data:
        raise Refused("no Python text: it holds NUL bytes. Save it as UTF-8.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if not ENCODINGS.fullmatch(codecs.lookup(encoding).name):
            raise Refused(f"declared as {clean(encoding)[:40]}. Save it as UTF-8.")
        text = data.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise Refused(
            "its bytes are not in the encoding that it declares (UTF-8 if none). Save it as UTF-8."
        ) from None
    return declared_utf8(text.replace("\r\n", "\n").replace("\r", "\n"))
