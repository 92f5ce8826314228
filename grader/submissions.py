"""What one student hands in, read without running or unpacking any of it.

`read` turns a file, folder or archive into the sources of its lessons. Whatever the files hold, it
gives an answer or raises `Refused`, in bounded time and memory. A file that cannot be read costs
that file and leaves a remark.
"""

from __future__ import annotations

import bz2
import codecs
import hashlib
import io
import keyword
import lzma
import os
import re
import stat
import sys
import tarfile
import tokenize
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import IO, Any

from grader.notebook import NotANotebook, declared_utf8, script
from grader.notebook import Source as Source
from grader.problem import Problem

CHECKS = Path(__file__).parent / "checks"

MB = 1_000_000
SOURCE = MB // 2  # bytes of one .py file
NOTEBOOK = 10 * MB  # pictures included
CODE = 20 * MB  # all .py and .ipynb files
ARCHIVE = 64 * MB  # packed, and of a tar also unpacked; a clone of the kit makes 44
ARCHIVES = 160 * MB  # all of them, packed and unpacked
MEMBERS = 10_000  # files and folders
NAME = 4_096  # characters of a path in an archive
DEPTH = 20  # folders in folders
REMARKS = 40

PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
READ = (".py", ".ipynb", *PACKED)
IGNORED = {"__MACOSX", "__pycache__", "venv", "env", "node_modules", "site-packages"}

# Other codecs are slow, or no text.
ENCODINGS = re.compile(
    r"utf-8(-sig)?|ascii|(iso8859-|cp|koi8-|mac-)\w+|gbk|gb2312|gb18030|big5|euc_\w+|shift_jis"
)
LIBRARIES = {
    *("torch", "numpy", "transformers", "transformer_lens", "einops", "jaxtyping", "pytest"),
    *("grader", "exercises", "solutions"),
}

# What platforms put before the name that a student gave a file; `grader.classes` says whose.
CANVAS = re.compile(
    r"(?:(?P<name>.+?)_(?:LATE_)?(?P<id>\d+)|(?:LATE_)?(?P<anonymous>anon_[^\W_]+))"
    r"_(?:(?P<file>\d+)_(?P<rest>.+)|(?:text|link)\.html)"
)
MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)"
)
# And what browsers and Canvas put after one that they know already.
_COPY = re.compile(r"(?:[-_ ]*\(\d+\)|-\d+| - Copy| copy)+$")

LINK = "a symbolic link, and none is followed. Hand in the file itself."


class Refused(Problem):
    """Why a submission cannot be read: one clear line, with what to do."""


class _Spent(Refused):
    """A limit of the whole submission, not of one file."""


@dataclass(frozen=True)
class Submission:
    lessons: dict[str, Source]  # lesson -> source, in the lessons' order
    helpers: dict[str, str]  # module name -> source, of .py files that lay beside the lessons
    remarks: tuple[str, ...]  # what was left out or guessed, one line each
    digest: str  # SHA-256 over names and sources, whatever they came packed in


def read(paths: Path | Sequence[Path], lessons: Sequence[str]) -> Submission:
    """The lessons in a file, folder or archive, or in several handed in together.

    Raises `Refused`, and nothing else, whatever the files hold.
    """
    paths = [paths] if isinstance(paths, Path) else sorted(paths)
    try:
        gathered = _Gathered()
        for path in paths:
            gathered.take(path)
        return _submission(gathered.files, gathered.remarks, lessons)
    except Refused:
        raise
    except Exception as problem:  # a hostile file costs its author, not the class
        raise Refused(f"{_listing(clean(p.name) for p in paths)}: {_broken(problem)}") from problem


def clean(text: str) -> str:
    """A name that can be printed and stored: no control characters, no broken Unicode. Names that
    look different stay different."""
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode()
        for c in unicodedata.normalize("NFC", text)
    )


def few(remarks: Sequence[str]) -> tuple[str, ...]:
    more = len(remarks) - REMARKS
    return (*remarks[:REMARKS], *([f"And {more} more remarks."] if more > 0 else []))


def given_name(name: str) -> str:
    """A file's name as its author gave it, where a platform put theirs in front."""
    found = MOODLE.fullmatch(name) or CANVAS.fullmatch(name)
    return (found and found["rest"]) or name


def bare(stem: str) -> str:
    return _COPY.sub("", stem).strip() or stem


def ignored(name: str) -> bool:
    return name in IGNORED or (name.startswith(".") and name != "..")


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
            problems.append(f"{_shown((folder.name, *inner))}: {_unopened(problem)}")
            continue
        left -= len(entries)
        if left < 0:
            raise _Spent(f"{clean(folder.name)}: {_too_many()}")
        for entry in sorted(entries, key=lambda entry: entry.name):
            place = (*inner, entry.name)
            if ignored(entry.name):
                continue
            if entry.is_symlink():
                problems.append(f"{_shown(place)}: {LINK}")
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(place)
            else:
                yield place


# --- Files, from wherever they are ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _File:
    place: tuple[str, ...]  # folders on the way (an archive is one), name
    source: Source

    def __str__(self) -> str:
        return _shown(self.place)

    @property
    def stem(self) -> str:
        return bare(self.place[-1].rpartition(".")[0])

    @property
    def is_notebook(self) -> bool:
        return self.place[-1].lower().endswith(".ipynb")


@dataclass
class _Gathered:
    """The .py and .ipynb files of a submission, within its limits."""

    files: list[_File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    members: int = 0
    archives: int = 0
    code: int = 0

    def take(self, path: Path) -> None:
        name = given_name(path.name)
        try:
            mode = path.lstat().st_mode
        except OSError as problem:
            self.remarks.append(f"{_shown((name,))}: {_unopened(problem)}")
            return
        if stat.S_ISDIR(mode):
            for place in walk(path, self.remarks):
                self._file(place, partial(contents, path.joinpath(*place)))
        elif stat.S_ISLNK(mode):
            self.remarks.append(f"{_shown((name,))}: {LINK}")
        elif name.lower().endswith(READ):
            self._file((name,), partial(contents, path))
        else:
            why = "not read. Hand in a .py or .ipynb file, a folder, a zip or a tar."
            self.remarks.append(f"{_shown((name,))}: {why}")

    def _file(
        self, place: tuple[str, ...], data: Callable[[int], bytes], in_archive: bool = False
    ) -> None:
        """One file; `data(limit)` gives its bytes, or a few more than `limit` if it is larger."""
        self.members += 1
        if self.members > MEMBERS:
            raise _Spent(_too_many())
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
                self.remarks += [f"{_shown(place)}, {remark}" for remark in remarks]
                self._add(place, source)
            else:
                self._add(place, Source(_text(content)))
        except _Spent:
            raise
        except (Refused, NotANotebook) as problem:
            self.remarks.append(f"{_shown(place)}: {problem}")
        except Exception as problem:  # archives fail in many ways
            self.remarks.append(f"{_shown(place)}: {_broken(problem)}")

    def _add(self, place: tuple[str, ...], source: Source) -> None:
        if source.text.strip():
            self.files.append(_File(place, source))
        elif place[-1] != "__init__.py":
            raise Refused("empty. Hand in the file with your answers.")

    def _spend(self, size: int, is_archive: bool) -> None:
        if is_archive:
            self.archives += size
        else:
            self.code += size
        if self.archives > ARCHIVES or self.code > CODE:
            limit = ARCHIVES if is_archive else CODE
            raise _Spent(f"more than {limit // MB} MB in all. Hand in your lessons alone.")

    def _archive(self, place: tuple[str, ...], data: bytes) -> None:
        if data.startswith((b"PK\3\4", b"PK\5\6")):
            _check_directory(data)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    is_link = stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
                    if not info.is_dir():
                        self._member(place, info.filename, is_link, partial(_unzip, archive, info))
        else:
            data = _unpacked(data)
            self._spend(len(data), is_archive=True)
            for name, is_link, content in _tar(data):
                self._member(place, name, is_link, partial(_slice, content))

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
            return _up_to(file, limit)
    except OSError as problem:
        raise Refused(_unopened(problem)) from None


def _up_to(file: IO[bytes], limit: int) -> bytes:
    """All of it, or one byte more than `limit`: what it says of its own size may be wrong."""
    pieces, left = [], limit + 1
    while left > 0 and (piece := file.read(min(left, MB))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _check_directory(data: bytes) -> None:
    """Raises `Refused` for a zip whose directory `zipfile` is slow to read: it makes an object
    of each entry and takes quadratic time for extra fields."""
    entries = [found.start() for found in re.finditer(b"PK\1\2", data)]
    if len(entries) > MEMBERS:
        raise _Spent(_too_many())
    if sum(int.from_bytes(data[at + 30 : at + 32], "little") for at in entries) > 2 * MB:
        raise Refused("packed in an unusual way. Make an ordinary zip.")


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    if info.flag_bits & 1:
        raise Refused("encrypted. Pack it without a password.")
    # `zipfile` unpacks the others without a limit.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("packed in an unusual way. Make an ordinary zip.")
    with archive.open(info) as member:
        return _up_to(member, limit)


def _unpacked(data: bytes) -> bytes:
    unpacker: Any
    if data.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(31)  # gzip
    elif data.startswith(b"BZh"):
        unpacker = bz2.BZ2Decompressor()
    elif data.startswith(b"\xfd7zXZ\0"):
        unpacker = lzma.LZMADecompressor(memlimit=100 * MB)  # `xz -9` needs 67
    else:
        return data
    unpacked: bytes = unpacker.decompress(data, ARCHIVE + 1)
    if len(unpacked) > ARCHIVE:
        raise Refused(f"more than {ARCHIVE // MB} MB unpacked. Hand in your lessons alone.")
    if not unpacker.eof:
        raise Refused("cut short. Pack it again.")
    return unpacked


def _tar(data: bytes) -> list[tuple[str, bool, memoryview]]:
    """(name, whether it is a link or another odd thing, content) of every member but folders.

    `tarfile` reads single headers only: it searches extended ones in quadratic time
    (CVE-2024-6232).
    """
    view, members, name, at = memoryview(data), [], b"", 0
    while any(header := data[at : at + 512]):
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        is_bodiless = info.isdir() or info.issym() or info.islnk() or info.isdev()
        size = 0 if is_bodiless else info.size
        at += 512
        content = view[at : at + size] if size >= 0 else view[:0]
        if len(content) != size:
            raise Refused("cut short. Pack it again.")
        at += -(-size // 512) * 512
        if info.type == tarfile.GNUTYPE_LONGNAME:
            name = bytes(content[: NAME + 1]).rstrip(b"\0")
        elif info.type == tarfile.XHDTYPE:
            path = re.search(rb"(?:\A|\n)\d{1,9} path=([^\n]*)\n", content)
            name = path[1] if path else name
        elif info.type not in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            if not info.isdir():
                shown = name.decode("utf-8", "surrogateescape") if name else info.name
                members.append((shown, not info.isreg(), content))
            name = b""
    return members


def _slice(content: memoryview, limit: int) -> bytes:
    return bytes(content[: limit + 1])


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


# --- Which lesson --------------------------------------------------------------------------------


def _submission(files: list[_File], remarks: list[str], lessons: Sequence[str]) -> Submission:
    """Raises `Refused` if there is no lesson, or different ones of one name."""
    # Of two that will do the first is taken, wherever it lay in an archive.
    files = _without_kit(sorted(files, key=lambda file: file.place), lessons, remarks)
    chosen = _by_name(files, lessons, remarks)
    if missing := [lesson for lesson in lessons if lesson not in chosen]:
        # Beside named lessons a .py file is a helper.
        others = [file for file in files if file.is_notebook or not chosen]
        chosen |= _by_content(others, missing, set(chosen.values()), remarks)
    if not chosen:
        why = remarks[:3]
        if files or not why:
            why.append(f"No lesson found. Name each file after its lesson, as in {lessons[0]}.py.")
        raise Refused(" ".join(why))
    helpers = _helpers(files, chosen, remarks)
    sources = {lesson: chosen[lesson].source for lesson in lessons if lesson in chosen}
    return Submission(sources, helpers, few(remarks), _digest(sources, helpers))


def _without_kit(files: list[_File], lessons: Sequence[str], remarks: list[str]) -> list[_File]:
    """Without what else is in the kit, where someone hands in all of it."""
    folders = {file.place[: i + 1] for file in files for i in range(len(file.place) - 1)}
    kits = {
        folder[:-1]
        for folder in folders
        if folder[-1] == "exercises"
        and not folders.isdisjoint({(*folder[:-1], "solutions"), (*folder[:-1], "grader")})
    }
    left_out = {
        file: None
        for file in files
        for i in range(len(file.place))
        if file.place[:i] in kits and file.place[i] != "exercises"
    }
    # Who solves the kit's notebooks leaves its stubs as they were.
    stubs = {mentioned(file.stem, lessons): file for file in files if _is_stub(file)}
    solved = [
        file
        for file in left_out
        if file.place[-2:-1] == ("notebooks",) and mentioned(file.stem, lessons) in stubs
    ]
    for file in solved:
        del left_out[file]
        left_out[stubs[mentioned(file.stem, lessons)]] = None
    if named := [f for f in left_out if mentioned(f.stem, lessons) and not _is_stub(f)]:
        remarks.append(f"Of the kit only exercises/ was read, and not {_listing(named)}.")
    return [file for file in files if file not in left_out]


def _is_stub(file: _File) -> bool:
    """A lesson as it was handed out."""
    if file.place[-2:-1] != ("exercises",):
        return False
    return _stub(file.place[-1]) == file.source.text.split()


@cache
def _stub(name: str) -> list[str]:
    try:
        return (CHECKS.parent.parent / "exercises" / name).read_text("utf-8").split()
    except OSError:
        return []


@cache
def mention(lesson: str) -> re.Pattern[str]:
    """A lesson's name or number, as people write it."""
    found = re.fullmatch(r"lesson0*(\d+)_(\w+)", lesson)
    if not found:
        return re.compile(re.escape(lesson), re.IGNORECASE)
    title = re.escape(found[2]).replace("_", "[-_ ]*")
    return re.compile(rf"lesson[-_ ]*0*{found[1]}(?!\d)(?:[-_ ]*{title})?", re.IGNORECASE)


def mentioned(stem: str, lessons: Iterable[str]) -> str | None:
    """The one lesson that a name speaks of."""
    found = [lesson for lesson in lessons if mention(lesson).search(stem)]
    return found[0] if len(found) == 1 else None


def _by_name(files: list[_File], lessons: Sequence[str], remarks: list[str]) -> dict[str, _File]:
    claims = defaultdict(list)
    for file in files:
        if lesson := mentioned(file.stem, lessons):
            claims[lesson].append((int(file.stem.lower() == lesson.lower()), file))
    return _chosen(claims, remarks)


def _by_content(
    files: list[_File], lessons: Sequence[str], taken: set[_File], remarks: list[str]
) -> dict[str, _File]:
    """By how many of the lesson's exercises a file defines; it may hold several lessons. One that
    bears another lesson's name must define half of them: a few may be its helpers."""
    claims = defaultdict(list)
    for file in files:
        found = re.findall(r"^[ \t]*(?:async +)?def +(\w+)|^(\w+) *=", file.source.text, re.M)
        names = {name for pair in found for name in pair}
        for lesson in lessons:
            count = len(names & _exercises(lesson))
            if count and (file not in taken or 2 * count >= len(_exercises(lesson))):
                claims[lesson].append((count, file))
    chosen = _chosen(claims, remarks)
    remarks += [f"{f} was taken for {x}, by the functions in it." for x, f in chosen.items()]
    return chosen


def _chosen(claims: dict[str, list[tuple[int, _File]]], remarks: list[str]) -> dict[str, _File]:
    """Of each lesson the file with the best claim. Raises `Refused` if two unlike files have it."""
    chosen = {}
    for lesson, claim in claims.items():
        best = max(rank for rank, _ in claim)
        first, *more = [file for rank, file in claim if rank == best]
        if any(file.source != first.source for file in more):
            same = _listing([first, *more])
            raise Refused(f"{lesson} is there more than once: {same}. Hand in one of them.")
        if others := [file for _, file in claim if file.source != first.source]:
            remarks.append(f"{first} was taken for {lesson}, and not {_listing(others)}.")
        chosen[lesson] = first
    return chosen


@cache
def _exercises(lesson: str) -> set[str]:
    """The exercises' names, read from the lesson's checks: to import these takes torch."""
    try:
        checks = (CHECKS / f"{lesson}.py").read_text("utf-8")
    except OSError:
        return set()
    return set(re.findall(r"""\bExercise\(\s*["'](\w+)["']""", checks))


def _helpers(files: list[_File], chosen: dict[str, _File], remarks: list[str]) -> dict[str, str]:
    helpers: dict[str, str] = {}
    folders = {file.place[:-1] for file in chosen.values()}
    for file in files:
        name = file.stem
        if file.is_notebook or file.place[:-1] not in folders or file in chosen.values():
            continue
        if not name.isidentifier() or keyword.iskeyword(name) or name in (*chosen, "__init__"):
            continue
        if name in sys.stdlib_module_names or name in LIBRARIES:
            remarks.append(f"{file}: left out, it bears the name of a library. Name it otherwise.")
        elif helpers.setdefault(name, file.source.text) != file.source.text:
            remarks.append(f"{file}: left out, another helper has this name.")
    return helpers


def _digest(lessons: dict[str, Source], helpers: dict[str, str]) -> str:
    digest = hashlib.sha256()
    parts = [("lesson", x, str(source.cells), source.text) for x, source in sorted(lessons.items())]
    parts += [("helper", x, "", text) for x, text in sorted(helpers.items())]
    for part in (text.encode() for texts in parts for text in texts):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


# --- Words ---------------------------------------------------------------------------------------


def _shown(place: tuple[str, ...]) -> str:
    text = clean("/".join(place))
    return text if len(text) <= 120 else f"{text[:60]}...{text[-57:]}"


def _listing(names: Iterable[object]) -> str:
    shown = [str(name) for name in names]
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _unopened(problem: OSError) -> str:
    return f"cannot be opened ({problem.strerror or type(problem).__name__}). Hand it in again."


def _broken(problem: Exception) -> str:
    return f"broken, or not what its name says ({type(problem).__name__}). Make it anew."


def _too_many() -> str:
    return f"more than {MEMBERS:,} files. Hand in your lessons alone."
