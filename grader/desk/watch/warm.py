"""A process that has imported what checks take, and runs answers for `grader watch`.

    python -c "from grader.desk.watch import warm; warm.main()" \
        FOLDER REFERENCE DEVICE [FIXTURE ...]

The fixtures are those to be loaded at once; others are when they are first asked for.

Each run is in a fork, which imports the answers afresh: it cannot run an old version, and takes
nobody along when it hangs or crashes. Where forks do not work (Windows, macOS, a reference on a
GPU) it runs right here, and whoever watches ends this process to stop a run.

    in:   {"run": number, "lesson": name, "exercises": [name, ...], "fixtures": [name, ...]},
          {"stop": number}; each a line of JSON
    out:  {"ready": ...} or {"problem": text}; of a run {"printed": text}, {"failure": text} or
          {"loaded": true}, for each exercise {"begun": name} and {"done": name, ...}, and at last
          {"ended": number, "code": exit code}
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import linecache
import os
import queue
import select
import signal
import sys
import threading
import time
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import IO, Any

PRINTED = 4_000  # bytes of what an exercise prints that are passed on
LOOK = 0.005  # seconds between two looks at whether a fork has ended
WIDE = 512  # of a model that is faster on several threads


def main() -> None:
    del sys.path[0]  # of -c: where it was started are no modules for anybody
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    commands = os.dup(0)
    os.dup2(2, 1)  # what a student's code prints past Python
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # their input() ends at once
    folder, reference, device, *fixtures = sys.argv[1:]
    with contextlib.suppress(EOFError):
        _Warm(Path(folder), reference, device, events).serve(_Commands(commands), fixtures)


class _Commands:
    def __init__(self, fd: int) -> None:
        self.fd, self._unread = fd, b""

    def next(self, seconds: float | None = None) -> dict[str, Any]:
        """Empty where none comes within that time. Raises EOFError when there is nobody left."""
        while b"\n" not in self._unread:
            if seconds is not None and not select.select([self.fd], [], [], seconds)[0]:
                return {}
            data = os.read(self.fd, 1 << 16)
            if not data:
                raise EOFError
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        command: dict[str, Any] = json.loads(line)
        return command


class _Warm:
    def __init__(self, folder: Path, reference: str, device: str, events: IO[bytes]) -> None:
        self.folder, self.reference, self.device = folder, reference, device
        self.events, self.lock, self.pid = events, threading.Lock(), os.getpid()

    def say(self, **event: Any) -> None:
        if os.getpid() != self.pid:  # a fork of an answer's own
            return
        # It begins a line: whoever wrote before may have been killed in the middle of theirs.
        data = f"\n{json.dumps(event)}\n".encode()
        with self.lock:
            while data:
                data = data[self.events.write(data) :]

    def serve(self, commands: _Commands, fixtures: list[str]) -> None:
        """Raises EOFError at the end."""
        from grader.problem import Problem

        try:
            self._warm_up(fixtures)
        except Problem as problem:
            self.say(problem=str(problem))
            return
        self.say(
            ready={
                lesson: [
                    {
                        "name": exercise.name,
                        "hints": list(exercise.hints),
                        "points": [check.points for check in exercise.checks],
                        "needs": sorted({n for check in exercise.checks for n in check.needs}),
                    }
                    for exercise in exercises
                ]
                for lesson, exercises in self.exercises.items()
            },
            reference=self.fixtures.describe() if "reference" in fixtures else "",
            forks=self._forks(),
        )
        if self._forks():
            gc.collect()
            gc.freeze()  # else each fork would copy the pages of all objects
            while True:
                command = commands.next()
                if "run" in command:
                    self._run_in_a_fork(command, commands)
        waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=_read_all, args=(commands, waiting), daemon=True).start()
        while True:
            command = waiting.get()
            if "run" in command:
                self._run(command)
                self.say(ended=command["run"], code=0)

    def _warm_up(self, fixtures: list[str]) -> None:
        """Import and load what every run takes. Raises `Problem`."""
        import torch

        torch.set_num_threads(1)  # threads do not live through a fork
        from grader import lessons
        from grader.inside import observe, reference, run
        from grader.inside.forbidden import Forbidden
        from grader.verdict import agree, answers, load  # noqa: F401 each run takes `answers`

        self.fixtures = load.fixtures(self.reference, self.device)
        if self.reference != "auto" or self.device not in ("auto", "cpu"):
            reference.pick_device(self.device)
            reference.find(self.reference)
        self.exercises = {name: load.exercises(name) for name in lessons.names()}
        self.solutions = {name: load.solution(name) for name in self.exercises}
        for name in ("einops", "einops._torch_specific", "jaxtyping", "numpy"):
            importlib.import_module(name)  # answers do, too
        for name in fixtures:
            self.fixtures(name)
        # The first call of all works out what later ones remember.
        forbids = Forbidden(("softmax",))
        run.observation(observe.result, lambda x: x + x, [torch.ones(2)], {}, forbids)
        agree.values(torch.ones(2), torch.zeros(2))
        read_afresh(self.folder)

    def _forks(self) -> bool:
        """What PyTorch uses on macOS may not be used in a fork, nor may a GPU that is in use."""
        if not hasattr(os, "fork") or sys.platform == "darwin":
            return False
        has_reference = self.fixtures.loaded("reference")
        return not has_reference or str(self.fixtures.reference.cfg.device) == "cpu"

    def _run_in_a_fork(self, command: dict[str, Any], commands: _Commands) -> None:
        for name in command["fixtures"]:
            self.fixtures(name)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                self.pid = os.getpid()
                self._become_many()
                self._run(command)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        try:
            while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
                if commands.next(LOOK).get("stop") == command["run"]:
                    os.kill(pid, signal.SIGKILL)
        except EOFError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)  # what they started
        self.say(ended=command["run"], code=os.waitstatus_to_exitcode(ended[1]))

    def _become_many(self) -> None:
        """As many threads as `pytest exercises` uses."""
        import torch

        if self.fixtures.loaded("reference") and self.fixtures.reference.cfg.d_model >= WIDE:
            torch.set_num_threads(os.cpu_count() or 1)

    def _run(self, command: dict[str, Any]) -> None:
        from grader.inside import run
        from grader.verdict import feedback
        from grader.verdict.answers import AnswersFile

        forget(self.folder)
        run.lessons_are_in(self.folder)
        lesson = command["lesson"]
        printed = _Printed(self)
        before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(printed), "utf-8", "backslashreplace", line_buffering=True
        )
        try:
            answers = AnswersFile(self.folder / f"{lesson}.py")
            failed = answers.loaded.failed if answers.loaded is not None else []
            if failure := answers.failure or next((f.raised for f in failed), None):
                text = feedback.does_not_import(answers.label, failure)
                broken = failure.exception
                where = Path(str(getattr(broken, "filename", None) or answers.label)).name
                if isinstance(broken, SyntaxError) and where != answers.label:
                    text += f"\n\nThat line is in {where}."
                self.say(failure=text)
                return
            self.say(loaded=True)
            wanted = {e.name: e for e in self.exercises[lesson]}
            for name in command["exercises"]:
                printed.left = PRINTED
                self.say(begun=name)
                began = time.perf_counter()
                checks = self._judged(answers, wanted[name], getattr(self.solutions[lesson], name))
                with contextlib.suppress(Exception):  # they may have put anything there
                    sys.stdout.flush()
                self.say(done=name, checks=checks, seconds=time.perf_counter() - began)
        finally:
            sys.stdout, sys.stderr = before

    def _judged(self, answers: Any, exercise: Any, solution: Any) -> list[dict[str, Any]]:
        """One dict a check, as `grader.verdict.progress` reads them."""
        from grader.inside import run
        from grader.outcome import Outcome
        from grader.verdict import feedback
        from grader.verdict.answers import Judged
        from grader.verdict.draw import Undecided

        found = []
        for check in exercise.checks:
            try:
                judged = answers.judge(exercise, check, solution, self.fixtures)
            except Undecided as fault:
                judged = Judged(Outcome.ERROR, str(fault))
            except KeyboardInterrupt as interrupt:  # nobody's but theirs
                text = feedback.error(exercise.name, run.raised(interrupt, folder=self.folder))
                judged = Judged(Outcome.ERROR, text)
            except Exception:  # the kit's own: said, and the watcher goes on
                text = f"This is a fault of the kit's:\n{traceback.format_exc()}"
                judged = Judged(Outcome.ERROR, text)
            one: dict[str, Any] = {
                **judged.counts(check),
                "check": check.name,
                "feedback": "" if judged.said else judged.feedback,
            }
            if judged.note:
                one["remark" if judged.outcome is Outcome.PASSED else "note"] = judged.note
            if judged.explanation is not None:
                one["misconception"] = judged.explanation.name
            found.append(one)
        return found


class _Printed(io.RawIOBase):
    """What they print, up to a limit."""

    def __init__(self, warm: _Warm) -> None:
        self._warm = warm
        self.left = PRINTED

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = len(data)
        if self.left > 0:
            self._warm.say(printed=bytes(data[: self.left]).decode("utf-8", "replace"))
            self.left -= size
        return size


def _read_all(commands: _Commands, waiting: queue.SimpleQueue[dict[str, Any]]) -> None:
    try:
        while True:
            waiting.put(commands.next())
    except EOFError:
        os._exit(0)  # whatever is running


# --- Never an old version ------------------------------------------------------------------------


def read_afresh(folder: Path) -> None:
    """From now on, no compiled module of this folder is used, or written: Python takes one for
    current whose source has the same size and was saved in the same second."""
    get_code = SourceFileLoader.get_code

    def from_source(self: SourceFileLoader, name: str) -> CodeType | None:
        if folder not in Path(self.path).parents:
            return get_code(self, name)
        return self.source_to_code(self.get_data(self.path), self.path)

    SourceFileLoader.get_code = from_source  # type: ignore[method-assign, assignment]


def forget(folder: Path) -> None:
    """Whatever of this folder has been imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "exercises" or (isinstance(file, str) and folder in Path(file).parents):
            del sys.modules[name]
    linecache.clearcache()
    importlib.invalidate_caches()  # of folders, by the second of their last change
