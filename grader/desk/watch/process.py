"""A process that runs `grader.desk.watch.warm`, as the watcher sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from queue import Queue
from typing import Any

from grader.desk.watch.screen import LINES, WIDTH
from grader.lessons import KIT

# The same grader as here, whatever lies in this folder.
START = f"import sys; sys.path[0] = {str(KIT)!r}; "
START += "from grader.desk.watch import warm; warm.main()"

Heard = Queue[tuple["Process | None", dict[str, Any]]]  # of whom (None: a key), and what


class Process:
    def __init__(self, heard: Heard, columns: int, arguments: list[str]) -> None:
        """What it says is put into `heard`."""
        self.ready = self.forks = False
        self.heard = heard
        self.raw = b""  # what it has printed past Python, since this was last cleared
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is not for them
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "COLUMNS": str(columns)},
            **apart,
        )
        for read in (self._read_events, self._read_raw):
            threading.Thread(target=read, daemon=True).start()

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has died, and is heard of soon
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        if sys.platform == "win32":
            self.process.kill()
        else:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)  # and what an answer has started
        self.process.wait()

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.ready and self.forks:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)  # it takes its fork along
        self.kill()

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # half of one, and empty ones
                self.heard.put((self, json.loads(line)))
        self.heard.put((self, {"died": self.process.wait()}))

    def _read_raw(self) -> None:
        assert self.process.stderr is not None
        while data := self.process.stderr.read1(1 << 16):  # type: ignore[attr-defined]
            self.raw = (self.raw + data)[: LINES * WIDTH]

    def take_raw(self) -> str:
        raw, self.raw = self.raw, b""
        return raw.decode("utf-8", "replace")


def ended(code: int | None) -> str:
    """In words, what became of one that ended by itself."""
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"ended Python ({signal.Signals(-code).name})"
    return f"ended Python (exit code {code})"
