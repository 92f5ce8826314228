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
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from grader import lessons as kit
from grader.intake.archives import (
    ARCHIVE,
    check_directory,
    piece_of,
    tar_members,
    unpacked,
    unzip,
    up_to,
)
from grader.intake.names import (
    LONGEST,
    PACKED,
    READ,
    UNREADABLE,
    bare,
    given_name,
    ignored,
    proper,
    suffix_of,
)
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
from grader.notebooks.script import NotANotebook, declared_utf8, repaired, script
from grader.notebooks.script import Source as Source

SOURCE = MB // 2  # bytes of one .py file
NOTEBOOK = 64 * MB  # pictures included, which are dropped unread
CODE = 20 * MB  # of all .py and .ipynb files, without what else is in a notebook
ALL = 160 * MB  # archives and notebooks, packed and unpacked
DEPTH = 20  # folders in folders
ZIP = b"PK\3\4"
NESTED = "an archive in an archive. Hand in one, or the files themselves."
NOT_READ = "not read. Hand in a .py or .ipynb file, a folder, a zip or a tar."
TOO_DEEP = f"more than {DEPTH} folders deep. Hand in your lessons alone."

WIDE = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
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
            elif not entry.is_dir(follow_symlinks=False):
                yield place
            elif len(place) > DEPTH:
                problems.append(f"{shown(place)}: {TOO_DEEP}")
            else:
                waiting.append(place)


@dataclass(frozen=True, eq=False)
class File:
    place: tuple[str, ...]  # folders on the way (an archive is one), name
    source: Source

    def __str__(self) -> str:
        return shown(self.place)

    @property
    def stem(self) -> str:
        return bare(proper(self.place[-1]).rpartition(".")[0])

    @property
    def is_notebook(self) -> bool:
        return bool(self.source.cells)


@dataclass
class Gathered:
    """The .py and .ipynb files of a submission, within its limits."""

    files: list[File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)  # some of those that are of another kind
    members: int = 0
    size: int = 0
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
        elif suffix_of(name, READ, kit.names()):
            self._file((name,), partial(contents, path))
        else:
            self.remarks.append(f"{shown((name,))}: {NOT_READ}")

    def _file(
        self, place: tuple[str, ...], data: Callable[[int], bytes], in_archive: bool = False
    ) -> None:
        """One file; `data(limit)` gives its bytes, or a few more than `limit` if it is larger."""
        self.members += 1
        if self.members > MEMBERS:
            raise Spent(too_many())
        kind = suffix_of(place[-1], READ, kit.names())
        if any(map(ignored, place)):
            return
        if not kind:
            if place[-1].lower().endswith(UNREADABLE):
                self.remarks.append(f"{shown(place)}: {NOT_READ}")
            elif len(self.unread) < 3:
                self.unread.append(shown(place))
            return
        is_archive = kind in PACKED
        limit = ARCHIVE if is_archive else SOURCE
        try:
            if max(map(len, place)) > LONGEST:
                raise Refused("a name too long to be one. Pack your files again.")
            if len(place) > DEPTH:
                raise Refused(TOO_DEEP)
            if is_archive and in_archive:
                raise Refused(NESTED)
            content = data(limit)
            if content.startswith(ZIP) and not is_archive:  # whatever its name says
                if in_archive:
                    self._spend(len(content), 0)
                    raise Refused(NESTED)
                is_archive, limit = True, ARCHIVE
                content = data(limit)
            is_notebook = not is_archive and _is_notebook(content, kind)
            if is_notebook and len(content) > limit:
                limit = NOTEBOOK
                content = data(limit)
            self._spend(len(content), 0)
            if len(content) > limit:
                raise Refused(f"larger than {limit / MB:g} MB. Hand in your code alone.")
            if is_archive:
                self._archive(place, content)
                return
            if is_notebook:
                source, remarks = script(content)
            else:
                text, doubt = _text(content)
                text, remarks = repaired(text)
                source, remarks = Source(text), (*doubt, *remarks)
            self.remarks += [f"{shown(place)}, {remark}" for remark in remarks]
            self._add(place, replace(source, place=shown(place)))
        except Spent:
            raise
        except (Refused, NotANotebook) as problem:
            self.remarks.append(f"{shown(place)}: {problem}")
        except Exception as problem:  # archives fail in many ways
            self.remarks.append(f"{shown(place)}: {broken(problem)}")

    def _add(self, place: tuple[str, ...], source: Source) -> None:
        self._spend(0, len(source.text))
        if source.text.strip():
            self.files.append(File(place, source))
        elif place[-1] != "__init__.py":
            raise Refused("empty. Hand in the file with your answers.")

    def _spend(self, size: int, code: int) -> None:
        self.size += size
        self.code += code
        if self.size > ALL or self.code > CODE:
            limit = ALL if self.size > ALL else CODE
            raise Spent(f"more than {limit // MB} MB in all. Hand in your lessons alone.")

    def _archive(self, place: tuple[str, ...], data: bytes) -> None:
        if data.startswith((ZIP, b"PK\5\6")):
            check_directory(data)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    is_link = stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
                    if not info.is_dir():
                        self._member(place, info.filename, is_link, partial(unzip, archive, info))
        else:
            data = unpacked(data)
            self._spend(len(data), 0)
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


def _is_notebook(data: bytes, kind: str) -> bool:
    """Whatever its name says: it may be named otherwise than it was saved."""
    begin = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if kind == ".ipynb":
        return not (begin.isalpha() or begin in (b"#", b'"', b"'", b"@"))
    return begin == b"{" and (b'"cells"' in data or b'"worksheets"' in data)


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


def _as_it_may_be_meant(data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeError:
        return data.decode("latin-1"), "Latin-1"


def _text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Python source as text, and what is doubtful of it. Raises `Refused` if it is none."""
    doubt = ""
    for mark, encoding in WIDE.items():
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
                doubt = f"{encoding.upper()}, which Python does not read"
                break
            except UnicodeError:
                raise Refused(f"broken {encoding.upper()}. Save it as UTF-8.") from None
    else:
        if b"\0" in data:
            raise Refused("no Python text: it holds NUL bytes. Save it as UTF-8.")
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if not ENCODINGS.fullmatch(codecs.lookup(encoding).name):
                raise Refused(f"declared as {clean(encoding)[:40]}. Save it as UTF-8.")
            text = data.decode(encoding)
        except (SyntaxError, UnicodeError, LookupError):
            text, read_as = _as_it_may_be_meant(data)
            doubt = f"not in the encoding that it declares (UTF-8 if none), and read as {read_as}"
    return (
        declared_utf8(text.replace("\r\n", "\n").replace("\r", "\n")),
        (f"{doubt}. Save it as UTF-8.",) if doubt else (),
    )
