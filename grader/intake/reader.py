"""Strangers' bytes are read in a process of its own, which is ended where it takes too much time or
memory; what it says is small and flat, and looked at here. This process runs no parser, regex,
decompressor or decoder on them.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from grader.intake.classes import Class, Entry
from grader.intake.excerpts import LEFT_OUT, Line
from grader.intake.fields import LENGTH, MOST_BYTES, Fields, Malformed, counted, pack
from grader.intake.layouts import SOURCES
from grader.intake.submissions import FILES, HELPER_NAME, MOST, Submission, digest_of
from grader.intake.words import REMARKS, Refused, clean, listing
from grader.lessons import KIT
from grader.notebooks.script import Source

WALL = 60.0  # seconds on the clock for one submission; of processor time it has far less
OF_A_CLASS = 3_600.0
TEXT = 1_000_000  # characters of one file
NAME = 5_000
PEOPLE = 100_000

T = TypeVar("T")


class Excerpt(NamedTuple):
    lines: tuple[Line, ...]
    tokens: str  # see `grader.intake.excerpts`


UNREAD = Excerpt((Line(LEFT_OUT, "(this code takes too long to read)"),), "")


class Reader:
    """Asks the process, which is started when it is needed, and again where it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[bytes | None] = queue.Queue()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()

    # --- Questions -------------------------------------------------------------------------------

    def read(self, paths: Path | Sequence[Path], lessons: Sequence[str]) -> Submission:
        """The lessons in a file, folder or archive, or in several handed in together.

        Raises `Refused`, and nothing else, whatever the files hold."""
        paths = [paths] if isinstance(paths, Path) else sorted(paths)
        shown = listing(clean(path.name) for path in paths)
        return self._ask(
            ["read", *counted(lessons), *counted(map(str, paths))],
            shown,
            lambda fields: _submission(fields, lessons),
        )

    def find(self, folder: Path, lessons: Sequence[str]) -> Class:
        """Who handed in what. Raises `Refused`."""
        shown = clean(folder.name or str(folder))
        return self._ask(["find", str(folder), *counted(lessons)], shown, _class)

    def module(self, notebook: Path) -> bytes:
        """The lesson that a notebook holds. Raises `Refused`."""
        return self._ask(
            ["module", str(notebook)],
            clean(notebook.name),
            lambda fields: fields.text().encode("utf-8", "surrogateescape"),
        )

    def excerpts(self, text: str, lesson: str, exercises: Sequence[str]) -> dict[str, Excerpt]:
        """Of a lesson's source, what is shown of each exercise, and compared."""
        try:
            return self._ask(
                ["excerpts", text, lesson, *counted(exercises)],
                lesson,
                lambda fields: {exercise: _excerpt(fields) for exercise in exercises},
            )
        except Refused:
            return dict.fromkeys(exercises, UNREAD)

    # --- Asking ----------------------------------------------------------------------------------

    def _ask(self, question: list[str], shown: str, take: Callable[[Fields], T]) -> T:
        frame = self._answer(pack(question), OF_A_CLASS if question[0] == "find" else WALL)
        if frame is None:
            raise Refused(
                f"{shown}: it takes more time or memory to read than there is for one submission. "
                "Hand in your lessons alone."
            )
        try:
            fields = Fields(frame)
            what = fields.text(20)
            if what == "refused":
                raise Refused(fields.written(NAME))
            if what != "done":
                raise Malformed(what)
            answer = take(fields)
            fields.end()
        except Malformed as problem:
            raise Refused(f"{shown}: it cannot be read ({problem}). Make it anew.") from None
        return answer

    def _answer(self, question: bytes, wall: float) -> bytes | None:
        """None if there is none."""
        try:
            if self._process is None:
                self._start()
            process = self._process
            assert process is not None
            assert process.stdin is not None
            process.stdin.write(LENGTH.pack(len(question)) + question)
            process.stdin.flush()
            answer = self._answers.get(timeout=wall)
        except (OSError, queue.Empty):
            answer = None
        if answer is None:
            self.close()
        return answer

    def _start(self) -> None:
        self._answers = queue.Queue()
        environment = {**os.environ, "PYTHONPATH": str(KIT), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.intake.reading"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        assert self._process.stdout is not None
        pump = threading.Thread(
            target=_pump, args=(self._process.stdout, self._answers), daemon=True
        )
        pump.start()


def _pump(pipe: BinaryIO, answers: queue.Queue[bytes | None]) -> None:
    """Each frame that comes; None at the end."""
    with contextlib.suppress(OSError, ValueError):
        while len(head := pipe.read(LENGTH.size)) == LENGTH.size:
            [size] = LENGTH.unpack(head)
            if size > MOST_BYTES or len(frame := pipe.read(size)) != size:
                break
            answers.put(frame)
    answers.put(None)


# --- What comes back -----------------------------------------------------------------------------


def _submission(fields: Fields, known: Sequence[str]) -> Submission:
    """Raises `Malformed`."""
    lessons: dict[str, list[Source]] = {}
    for _ in range(fields.number(FILES * len(known))):
        lesson, place = fields.text(NAME), fields.written(NAME)
        cells = tuple(map(_number, fields.text(TEXT).split()))
        text = fields.written(TEXT)
        if lesson not in known or list(cells) != sorted(set(cells)) or 0 in cells:
            raise Malformed("lesson")
        if cells and (cells[0] != 1 or cells[-1] > text.count("\n") + 1):
            raise Malformed("cells")
        lessons.setdefault(lesson, []).append(Source(text, cells, place))
    helpers: dict[str, str] = {}
    for _ in range(fields.number(MOST)):
        name = fields.text(HELPER_NAME)
        is_one = all(part.isidentifier() for part in name.split("/"))
        if not is_one or name in helpers or name in known:
            raise Malformed("helper")
        helpers[name] = fields.written(TEXT)
    remarks = _remarks(fields)
    if not lessons:
        raise Malformed("no lesson")
    return Submission(
        {lesson: lessons[lesson][0] for lesson in known if lesson in lessons},
        helpers, remarks, digest_of(lessons, helpers),
        {lesson: tuple(files[1:]) for lesson, files in lessons.items() if len(files) > 1},
    )  # fmt: skip


def _class(fields: Fields) -> Class:
    """Raises `Malformed`."""
    layout = fields.written(100)
    entries = []
    for _ in range(fields.number(PEOPLE)):
        student = fields.written(NAME)
        paths, earlier = _paths(fields), _paths(fields)
        times = {}
        for _ in range(fields.number(PEOPLE)):
            path, time, by = Path(fields.text(NAME)), fields.written(40), fields.written(40)
            if by not in SOURCES:
                raise Malformed("time")
            times[path] = (time, by)
        entries.append(Entry(student, paths, earlier, times))
    return Class(layout, entries, _remarks(fields))


def _paths(fields: Fields) -> tuple[Path, ...]:
    return tuple(Path(fields.text(NAME)) for _ in range(fields.number(PEOPLE)))


def _excerpt(fields: Fields) -> Excerpt:
    """Raises `Malformed`."""
    lines = tuple(
        Line(fields.number(10**9), fields.written(TEXT)) for _ in range(fields.number(10_000))
    )
    return Excerpt(lines, fields.written(TEXT))


def _remarks(fields: Fields) -> tuple[str, ...]:
    return tuple(fields.written(NAME) for _ in range(fields.number(REMARKS + 1)))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Malformed("no number")
    return int(text)
