"""The process in which strangers' bytes are read, within limits of time, memory and files.

It is started by `grader.intake.reader`, which asks; it answers each question once, in fields. What
takes it beyond a limit ends it, and that is the answer.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from grader.intake import classes, submissions
from grader.intake.classes import Class
from grader.intake.excerpts import Source, joined, tokens
from grader.intake.fields import LENGTH, Fields, counted, pack
from grader.intake.submissions import Submission
from grader.intake.words import Refused
from grader.notebooks.script import NotANotebook

SECONDS = 10  # of processor time for one submission, or one lesson's source
OF_A_CLASS = 600  # for all the names and times in its folder
MEMORY = 2_000_000_000  # bytes
OPEN_FILES = 64


def main() -> None:
    with contextlib.suppress(ImportError):  # as on Windows, where the clock alone holds
        _limit()
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 it stays open
    while head := questions.read(LENGTH.size):
        [size] = LENGTH.unpack(head)
        fields = Fields(questions.read(size))
        what, is_well = fields.text(), True
        with _timed(OF_A_CLASS if what == "find" else SECONDS):
            try:
                answer = ["done", *QUESTIONS[what](fields)]
            except (Refused, NotANotebook) as problem:
                answer = ["refused", str(problem)]
            except MemoryError:
                answer, is_well = ["too much memory"], False
            except Exception as problem:  # whatever they found a way to
                answer = [type(problem).__name__]
        frame = pack(answer)
        _write(answers, LENGTH.pack(len(frame)) + frame)
        if not is_well:  # what is left of it may be in pieces
            return


def _write(to: BinaryIO, data: bytes) -> None:
    to.write(data)
    to.flush()


def _limit() -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # macOS does not take every one of them
            resource.setrlimit(what, (most, most))


@contextlib.contextmanager
def _timed(seconds: float) -> Iterator[None]:
    """The kernel ends this process where it takes longer: no parser or regex could look at a clock.
    Without a handler of Python's, which would wait for them."""
    try:
        from signal import ITIMER_PROF, setitimer
    except ImportError:
        yield
        return
    setitimer(ITIMER_PROF, seconds)
    try:
        yield
    finally:
        setitimer(ITIMER_PROF, 0)


# --- Questions, and how their answers are said ---------------------------------------------------


def _find(fields: Fields) -> Iterator[str]:
    folder = Path(fields.text())
    return _said_of_class(classes.find(folder, _texts(fields)))


def _read(fields: Fields) -> Iterator[str]:
    lessons = _texts(fields)
    return _said_of_submission(submissions.read([Path(p) for p in _texts(fields)], lessons))


def _module(fields: Fields) -> Iterator[str]:
    from grader.intake.files import NOTEBOOK, contents
    from grader.notebooks.restore import to_module

    data = contents(Path(fields.text()), NOTEBOOK)
    if len(data) > NOTEBOOK:
        raise Refused(f"larger than {NOTEBOOK // 1_000_000} MB. Clear its outputs, and save it.")
    yield to_module(data).decode("utf-8", "surrogateescape")


def _excerpts(fields: Fields) -> Iterator[str]:
    text, lesson, exercises = fields.text(), fields.text(), _texts(fields)
    source = Source(text)
    for exercise in exercises:
        lines = source.excerpt(exercise, exercises, lesson)
        yield str(len(lines))
        for number, line in lines:
            yield from (str(number), line)
        yield tokens(joined(lines))


QUESTIONS: dict[str, Callable[[Fields], Iterator[str]]] = {
    "find": _find,
    "read": _read,
    "module": _module,
    "excerpts": _excerpts,
}


def _texts(fields: Fields) -> list[str]:
    return [fields.text() for _ in range(fields.number(10_000))]


def _said_of_submission(found: Submission) -> Iterator[str]:
    everything = [(lesson, source) for lesson, source in found.lessons.items()]
    everything += [(lesson, source) for lesson, more in found.others.items() for source in more]
    yield str(len(everything))
    for lesson, source in everything:
        yield from (lesson, source.place, " ".join(map(str, source.cells)), source.text)
    yield str(len(found.helpers))
    for name, text in found.helpers.items():
        yield from (name, text)
    yield from counted(found.remarks)


def _said_of_class(found: Class) -> Iterator[str]:
    yield found.layout
    yield str(len(found.entries))
    for entry in found.entries:
        yield entry.student
        yield from counted(map(str, entry.paths))
        yield from counted(map(str, entry.earlier))
        yield str(len(entry.times))
        for path, (time, by) in entry.times.items():
            yield from (str(path), time, by)
    yield from counted(found.remarks)


if __name__ == "__main__":
    main()
