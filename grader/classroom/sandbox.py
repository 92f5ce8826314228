"""The sandbox, seen from the grader: start a server, give it a turn, ask, and be sure of an end.

What comes back is bytes of bounded size, within a bounded time. `grader.inside.server` is the other
side.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from grader.classroom import isolation
from grader.classroom.isolation import Bubblewrap
from grader.inside import wire
from grader.inside.confine import Limits
from grader.inside.plain import Pairs
from grader.lessons import KIT
from grader.problem import Problem

STARTING = 300.0  # seconds; a slow disk and a large reference take their time
PIECE = 1 << 20
PAUSE = 0.25  # seconds; of a wait that took longer, no more was the fork's
TURN, STOP, AGAIN = b"T", b"S", b"A"  # what the server is told, as `inside` reads it


class Failed(Problem):
    """The sandbox does not start, or has gone down. The message is one line."""


class Ended(Exception):
    """A turn came to an end before it answered."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason  # timeout, cpu, memory, ended, or gone: the server itself is
        self.code = code  # of the process: exit code, or minus the signal's number

    def __str__(self) -> str:
        if self.reason == "ended" and self.code < 0:
            with suppress(ValueError):
                return f"the process was ended by {signal.Signals(-self.code).name}"
        return f"the process ended itself (exit code {self.code})"


@dataclass(frozen=True)
class Setup:
    """What every server of a run is told."""

    walls: Bubblewrap | None  # None: without isolation
    checkpoint: Path
    device: str
    fixtures: Sequence[str]
    passes: Sequence[Tensor]  # inputs that the reference is run on beforehand
    large: Sequence[Tensor]  # arguments that requests name by number
    secrets: Sequence[Path]
    limits: Limits
    turns: int  # how many times the limits' seconds may be needed in one turn


class Sandbox:
    """One warm server. It is started by `start`, and again if it has gone down."""

    def __init__(self, setup: Setup, job: int, jobs: int) -> None:
        self.setup, self.job, self.jobs = setup, job, jobs
        self._cleanup: ExitStack | None = None
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._group: list[int] = []  # what the kernel says of the server's control group

    def start_once(self) -> None:
        """Unless it is there. Raises `Failed`."""
        if self._control is None:
            self.start()

    def start(self) -> None:
        """Raises `Failed`."""
        self.close()
        with ExitStack() as cleanup:
            ours, theirs = socket.socketpair()
            cleanup.callback(ours.close)
            said = cleanup.enter_context(tempfile.TemporaryFile())
            command, in_tmp = self._command(theirs.fileno())
            limits = self.setup.limits
            if self.setup.walls is not None:
                counted = isolation.counted(limits, str(self.job), command)
                command = cleanup.enter_context(counted)
            environment = {**os.environ, **isolation.VARIABLES, "PYTHONPATH": str(KIT)}
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment,
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
            cleanup.callback(_kill, process)
            theirs.close()
            settings = {
                "isolated": self.setup.walls is not None,
                "reference": "/reference" if self.setup.walls else str(self.setup.checkpoint),
                "device": self.setup.device,
                "fixtures": list(self.setup.fixtures),
                "passes": list(self.setup.passes),
                "large": [tensor.cpu() for tensor in self.setup.large],
                "limits": asdict(limits),
                "turns": self.setup.turns,
                "in_tmp": in_tmp,
                "uid": isolation.user_of(self.job) if isolation.is_root() else None,
                "processors": self._processors(),
            }  # fmt: skip
            ours.settimeout(STARTING)
            try:
                ours.sendall(wire.encode(settings))
                answer = _receive(ours)
            except (OSError, wire.Malformed, EOFError):
                answer = None
            if not isinstance(answer, Pairs) or not answer.get("ready"):
                raise Failed(f"The sandbox does not start: {_reason(answer, said)}")
            ours.settimeout(None)
            if (group := isolation.warmed_up(process.pid, limits)) is not None:
                cleanup.callback(os.close, group)
                self._group = [group]
            self._control, self._process = ours, process
            self._cleanup = cleanup.pop_all()

    def _command(self, fd: int) -> tuple[list[str], list[str]]:
        python = ["-m", "grader.inside.server", str(fd)]
        setup = self.setup
        if setup.walls is None:
            return [sys.executable, *python], []
        walls = isolation.within(setup.walls, python, setup.checkpoint, setup.secrets, setup.device)
        return walls.command, walls.in_tmp

    def _processors(self) -> list[int]:
        """This job's share, so that a submission slows down no other job."""
        if not hasattr(os, "sched_getaffinity"):
            return []
        processors = sorted(os.sched_getaffinity(0))
        if self.jobs > len(processors):
            return []
        return processors[self.job % self.jobs :: self.jobs]

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """A fork for one submission, gone at the end, with all that it started. Raises `Failed`."""
        self.start_once()
        assert self._control is not None
        turn = Turn(self._control, self.setup.limits.printed, self._group)
        try:
            yield turn
        finally:
            if not turn.close():
                self.close()

    def close(self) -> None:
        if self._cleanup is not None:
            self._cleanup.close()
        self._cleanup = self._control = self._process = None
        self._group = []

    def kill(self) -> None:
        """End it from another thread; whoever waits for an answer gets `Ended`."""
        process = self._process
        if process is not None:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        process.kill()
    process.wait()


def _receive(channel: socket.socket) -> Any:
    """Raises EOFError, and what the channel and `wire` raise."""

    def exactly(n: int) -> bytes:
        data = bytearray()
        while len(data) < n:
            if not (piece := channel.recv(min(PIECE, n - len(data)))):
                raise EOFError
            data += piece
        return bytes(data)

    head = exactly(wire.HEAD.size)
    return wire.decode(head + exactly(wire.length(head)))


def _reason(answer: Any, said: Any) -> str:
    if isinstance(answer, Pairs) and answer.get("failed"):
        return " ".join(str(answer.get("failed")).split())[:300]
    said.seek(0)
    lines = said.read(PIECE).decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it ended without a word."


class Patience:
    """Seconds that may be spent in waiting for a fork. What the grader itself takes, or stands
    still for, is on nobody's account."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, asked: float, took: float) -> None:
        """`took`: what a wait of `asked` seconds lasted."""
        self.left -= min(asked, took)


class Turn:
    """Asks one fork. Whatever it does, an answer or `Ended` comes in time."""

    def __init__(self, control: socket.socket, printed: int, group: Sequence[int] = ()) -> None:
        self._control, self._room = control, printed
        self._printed = bytearray()
        self._cut = False
        self._end: Ended | None = None
        self._channel, channel = socket.socketpair()
        self._output, output = os.pipe()
        try:
            socket.send_fds(control, [TURN], [channel.fileno(), output, *group])
        except OSError:
            self._end = Ended("gone")
        finally:
            channel.close()
            os.close(output)
        self._channel.setblocking(False)
        os.set_blocking(self._output, False)

    def ask(self, request: bytes, patience: Patience) -> bytes:
        """The frame that answers this frame, while there is patience.

        Raises:
            Ended: there will be none, now or later.
            Malformed: what came is too long; nothing more can be read.
        """
        self._send(request, patience)
        return self.answer(patience)

    def again(self) -> None:
        """Processor time counts from now on."""
        with suppress(OSError):
            self._control.send(AGAIN)

    def answer(self, patience: Patience) -> bytes:
        """One more frame. Raises as `ask`."""
        head = self._exactly(wire.HEAD.size, patience)
        return head + self._exactly(wire.length(head), patience)

    def printed(self) -> str:
        """What was printed since this was last called, as far as it is kept."""
        self._drain()
        text = self._printed.decode("utf-8", "replace") + ("\n... (cut)" if self._cut else "")
        self._printed.clear()
        self._cut = False
        return text

    def close(self) -> bool:
        """Make an end of it. False if the server did not manage to."""
        if self._end is None:
            self._stop("stopped")
        self._channel.close()
        os.close(self._output)
        assert self._end is not None
        return self._end.reason != "gone"

    def _send(self, data: bytes, patience: Patience) -> None:
        view = memoryview(data)
        while view:
            self._wait(patience, writing=True)
            with suppress(BlockingIOError):
                try:
                    view = view[self._channel.send(view[:PIECE]) :]
                except OSError as problem:
                    if isinstance(problem, BlockingIOError):
                        raise
                    self._ended()

    def _exactly(self, n: int, patience: Patience) -> bytes:
        data = bytearray()
        while len(data) < n:
            try:
                piece = self._channel.recv(min(PIECE, n - len(data)))
            except BlockingIOError:
                self._wait(patience)
                continue
            except OSError:
                piece = b""
            if not piece:
                self._ended()
            data += piece
        return bytes(data)

    def _wait(self, patience: Patience, writing: bool = False) -> None:
        """Until the channel is ready, which is looked at before patience is. Raises `Ended`."""
        while True:
            if self._end is not None:
                raise self._end
            # Whoever is to be written to may have said much that nobody has asked for.
            writable: list[Any] = [self._channel] if writing else []
            reading: list[Any] = [self._control, self._output]
            reading += [] if writing else [self._channel]
            pause, began = max(0.0, min(patience.left, PAUSE)), time.monotonic()
            ready, can_write, _ = select.select(reading, writable, [], pause)
            patience.spend(pause, time.monotonic() - began)
            if self._output in ready:
                self._drain()
            if can_write or self._channel in ready:
                return
            if self._control in ready:
                self._ended()
            if patience.left <= 0:
                self._stop("timeout")
                raise self._end or Ended("timeout")

    def _drain(self) -> None:
        """Take what was printed, a bounded amount at a time, so that nobody waits for room."""
        for _ in range(64):
            try:
                piece = os.read(self._output, 1 << 16)
            except OSError:
                return
            if not piece:
                return
            room = self._room - len(self._printed)
            self._printed += piece[:room]
            self._cut |= len(piece) > room

    def _ended(self) -> None:
        """Raises `Ended`, with what the server says of it."""
        if self._end is None:
            self._end = self._report(waiting=5.0)
            if self._end is None:
                self._stop("ended")
        raise self._end or Ended("gone")

    def _stop(self, reason: str) -> None:
        """Have the server end it, and say why."""
        with suppress(OSError):
            self._control.send(STOP)
        report = self._report(waiting=30.0)
        gone = report is None or report.reason == "gone"
        self._end = Ended("gone") if gone else Ended(reason, report.code if report else 0)

    def _report(self, waiting: float) -> Ended | None:
        """What the server says; None if nothing."""
        self._control.settimeout(waiting)
        try:
            report = _receive(self._control)
            return Ended(report.get("reason"), report.get("code"))
        except TimeoutError:
            return None
        except (OSError, EOFError, wire.Malformed, AttributeError):
            return Ended("gone")
        finally:
            with suppress(OSError):
                self._control.settimeout(None)
