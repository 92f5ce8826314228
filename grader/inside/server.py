"""The sandbox, seen from inside: a warm server that forks for each submission.

It imports PyTorch and loads the reference once; a submission pays for its own work alone. What runs
here decides nothing: it says what a student's function does on a case, and knows neither what is
expected nor who asks. `grader.classroom.sandbox` is the other side.

    server:  settings in, "ready" out; then for each "turn" (with a channel and a pipe to print to)
             a fork, until it ends, takes too much or "stop" comes; how it ended out. "again" in
             says that its processor time counts from now on.
    fork:    on its channel one request after the other, each answered once
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.machinery
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import torch

import grader.reference
from grader import statements
from grader.inside import confine, observe, remember, run, wire
from grader.inside.confine import Limits
from grader.inside.fixtures import Fixtures, fresh
from grader.inside.forbidden import Forbidden, in_source
from grader.inside.run import Raised

# What answers import, so that none of them waits for it.
PRELOADED = (
    "collections", "einops", "einops._torch_specific", "jaxtyping", "numpy", "transformer_lens",
    "transformers",
)  # fmt: skip
LOOK = 0.05  # seconds between two looks at what a fork uses
AGAIN = b"A"
FAILURES = 20  # of a file's statements, that are told
HARD_KILLS = (signal.SIGKILL, signal.SIGXCPU)


class Gone(Exception):
    """The other side has closed its end."""


def receive(channel: socket.socket) -> Any:
    """Raises `Gone`, and `Malformed`."""
    head = _exactly(channel, wire.HEAD.size)
    return wire.decode(head + _exactly(channel, wire.length(head)), _live)


def _exactly(channel: socket.socket, n: int) -> bytes:
    data = bytearray()
    while len(data) < n:
        piece = channel.recv(min(n - len(data), 1 << 20))
        if not piece:
            raise Gone
        data += piece
    return bytes(data)


def _live(name: str) -> Any:
    assert _fixtures is not None, "no settings yet"
    if name.startswith("large "):
        _, index, device = name.split()
        return _large[int(index)].to(device, copy=True)
    return fresh(_fixtures(name))


def _live_model(name: str = "auto", device: str = "auto") -> Any:
    return _live("reference")


def _live_tokenizer(name: str = "auto", add_bos: bool = False) -> Any:
    return _live("bos_tokenizer" if add_bos else "tokenizer")


_fixtures: Fixtures | None = None
_large: list[torch.Tensor] = []


# --- The server ----------------------------------------------------------------------------------


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = receive(control)
    try:
        limits = _warm_up(settings)
    except Exception as problem:  # said by whoever started it
        control.sendall(wire.encode({"failed": f"{type(problem).__name__}: {problem}"[:2000]}))
        return
    control.sendall(wire.encode({"ready": True}))
    with contextlib.suppress(Gone):
        while True:
            _turn(control, settings, limits)


def _warm_up(settings: dict[str, Any]) -> Limits:
    """Raises whatever goes wrong."""
    global _fixtures
    if settings["processors"]:
        os.sched_setaffinity(0, settings["processors"])
    torch.set_num_threads(1)  # threads do not live through a fork
    for name in PRELOADED:
        importlib.import_module(name)
    # CUDA does not live through a fork either, so there each fork moves the model by itself.
    _fixtures = Fixtures(settings["reference"], "cpu")
    _large.extend(settings.pop("large"))
    for name in settings["fixtures"]:
        loaded = _fixtures(name)
        if name == "reference" and settings["device"] == "cpu":
            passes = remember.Passes(loaded)
            for tokens in settings.pop("passes"):
                passes.prepare(tokens)
    # What lessons may do as they are imported, as `pytest exercises` lets them.
    vars(grader.reference).update(load=_live_model, load_tokenizer=_live_tokenizer)
    vars(grader).update(check=Nothing(), pictures=Nothing())
    gc.collect()
    gc.freeze()  # else each fork would copy the pages of all objects that its collector looks at
    return Limits(**settings["limits"])


def _turn(control: socket.socket, settings: dict[str, Any], limits: Limits) -> None:
    """One fork, from its start to the end of all that it started. Raises `Gone`."""
    command, handed_over, _, _ = socket.recv_fds(control, 1, 2)
    if not command:
        raise Gone
    if len(handed_over) != 2:  # meant for a turn that had just ended
        return
    channel, output = handed_over
    isolated = settings["isolated"]
    folder = Path("/tmp" if isolated else tempfile.mkdtemp(prefix="gpt2-exercise-kit-"))
    own_memory = _memory() if isolated else 0
    pid = confine.fork_apart() if isolated else os.fork()
    if pid == 0:
        try:
            control.close()
            _become_the_fork(settings, limits, folder, channel, output)
        except BaseException as problem:
            os.write(2, f"The sandbox failed: {type(problem).__name__}: {problem}\n".encode())
            os._exit(70)
    os.close(channel)
    os.close(output)
    reason, status, usage = "", 0, None
    begun, pause, used_before = time.monotonic(), LOOK, 0.0
    while not reason:
        ready, _, _ = select.select([control], [], [], pause)
        if ready:
            said = control.recv(1)
            if said == AGAIN:
                used_before = _processor_seconds(pid, isolated)
            else:
                reason = "stopped" if said else "gone"
        elif (ended := os.wait4(pid, os.WNOHANG))[0]:
            _, status, usage = ended
            reason = "ended"
        elif _processor_seconds(pid, isolated) - used_before > limits.seconds:
            reason = "cpu"
        elif isolated:
            looked = time.monotonic()
            if _memory() > limits.memory + own_memory:
                reason = "memory"
            pause = min(max(LOOK, 2 * (time.monotonic() - looked)), 0.5)
    if not isolated:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    if usage is None:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)  # the kernel reaps the rest of its namespace first
    if reason == "gone":
        raise Gone
    code = os.waitstatus_to_exitcode(status)
    if reason == "ended" and -code in HARD_KILLS:
        # Nobody but the kernel kills the first process of a namespace from within it.
        used = usage.ru_utime + usage.ru_stime
        reason = "cpu" if used > 0.9 * _cpu_seconds(settings, limits) else "memory"
    seconds = time.monotonic() - begun
    control.sendall(wire.encode({"reason": reason, "code": code, "seconds": seconds}))


def _cpu_seconds(settings: dict[str, Any], limits: Limits) -> float:
    return limits.seconds * float(settings["turns"])


def _of_processes(file: str) -> list[bytes]:
    """What /proc says of each process of the fork's."""
    found = []
    for pid in os.listdir("/proc"):
        # Process 1 is bubblewrap's.
        if pid.isdigit() and pid != "1" and int(pid) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", "rb") as opened:
                found.append(opened.read())
    return found


def _memory() -> int:
    """Bytes that the server and the fork's processes hold together, each page counted once, however
    many of them share it: what two of a student's share is private to neither."""
    kinds = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")
    rollups = [*_of_processes("smaps_rollup"), Path("/proc/self/smaps_rollup").read_bytes()]
    lines = [line for rollup in rollups for line in rollup.splitlines()]
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(kinds))


def _processor_seconds(pid: int, isolated: bool) -> float:
    """That the fork and all that it started have used; 0 where that is not known."""
    stats = []
    if isolated:
        stats = _of_processes("stat")
    else:
        with contextlib.suppress(OSError):
            stats = [Path(f"/proc/{pid}/stat").read_bytes()]
    # By proc(5), after the name in brackets: utime, stime, and those of children that have ended.
    ticks = sum(int(x) for stat in stats for x in stat.rpartition(b")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


# --- The fork ------------------------------------------------------------------------------------


def _become_the_fork(
    settings: dict[str, Any], limits: Limits, folder: Path, channel: int, output: int
) -> NoReturn:
    """Everything is given up first; only then is anything of a student's looked at."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    kept = os.dup2(channel, 3)
    os.closerange(4, 4096)
    if settings["isolated"]:
        confine.private_files(limits, settings["in_tmp"])
    confine.limit(limits, settings["turns"])
    if settings["isolated"]:
        confine.drop_rights(settings["uid"])
    os.chdir(folder)
    if settings["device"] != "cpu":
        assert _fixtures is not None
        _fixtures.move(settings["device"])
    _Fork(socket.socket(fileno=kept), folder / "exercises").serve()


class _Fork:
    """Answers requests about one submission."""

    def __init__(self, channel: socket.socket, folder: Path) -> None:
        self.channel, self.folder = channel, folder
        self.pid = os.getpid()
        self.modules: dict[str, ModuleType] = {}
        self.helpers = _Helpers(folder)

    def serve(self) -> NoReturn:
        with contextlib.suppress(Gone):
            while True:
                request = receive(self.channel)
                answer: Callable[..., None] = getattr(self, f"do_{request.pop('do')}")
                answer(**request)
        os._exit(0)

    def answer(self, value: Any) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # they may have put anything there
                stream.flush()
        if os.getpid() != self.pid:  # a copy that they made: one answer is enough
            os._exit(0)
        try:
            frame = wire.encode(value)
        except wire.Malformed:
            frame = wire.encode(
                Raised("TooLarge", "What it returned is too large to be looked at.")
            )
        self.channel.sendall(frame)

    def do_files(self, files: dict[str, str]) -> None:
        """Put down the submission's files; answered by None."""
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        # Lessons import one another by plain name, or as in the kit.
        sys.path[:0] = [str(self.folder), str(self.folder.parent)]
        sys.meta_path.insert(0, self.helpers)
        self.answer(None)

    def do_read(self, lesson: str, cells: list[int], forbids: dict[str, list[list[str]]]) -> None:
        """Answered by the forbidden calls that a lesson's source says plainly. To be asked before
        anything of the submission has run, which could change what is said here."""
        text = self._path(lesson).read_text(encoding="utf-8")
        read = statements.read(text, cells)
        calls = [
            [name, in_source(text, name, _forbidden(given), read.nodes)]
            for name, given in forbids.items()
        ]
        self.answer([[name, call] for name, call in calls if call is not None])

    def do_load(self, lesson: str, cells: list[int], skip: list[int], exercises: list[str]) -> None:
        """Run a lesson's file; answered by the line of each statement before it runs, and then by
        what came of it all. `skip`: lines of statements that are not to be run."""
        loaded = None
        failed: list[run.NotRun] = []
        try:
            with run.clean_state():
                loaded = run.load(self._path(lesson), cells, skip, self._say_line, interrupts=False)
            self.modules[lesson] = loaded.module
            failed = loaded.failed + self.helpers.failed
        except BaseException as failure:
            failed = [run.NotRun(1, tuple(exercises), run.raised(failure, folder=self.folder))]
        names = vars(loaded.module) if loaded is not None else {}
        there = [name for name in exercises if name in names]
        why = {name: loaded.why_missing(name) for name in exercises} if loaded is not None else {}
        failed = failed[:FAILURES]
        self.answer(
            {
                "there": there,
                "untouched": [name for name in there if run.is_untouched(names[name])],
                "missing": [
                    [name, _plain(one)] for name, one in why.items() if one and name not in there
                ],
                "failed": [_plain(one) for one in failed],
                "twice": [
                    [two.name, two.counts, two.other, two.other_is_stub]
                    for two in (loaded.twice if loaded is not None else [])
                    if two.name in exercises
                ],
            }
        )

    def _say_line(self, line: int) -> None:
        if os.getpid() == self.pid:
            self.channel.sendall(wire.encode(line))

    def _path(self, lesson: str) -> Path:
        return self.folder / f"{lesson}.py"

    def do_observe(
        self,
        lesson: str,
        exercise: str,
        observer: str,
        forbids: list[list[str]],
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> None:
        """Answered by the observation."""
        implementation = vars(self.modules[lesson])[exercise]
        ruled_out = _forbidden(forbids)
        try:
            seen = run.observation(
                observe.named(observer), implementation, args, kwargs, ruled_out, self.folder
            )
        except KeyboardInterrupt as interrupt:  # nobody's but theirs
            seen = run.raised(interrupt, folder=self.folder)
        self.answer(seen)


def _plain(failed: run.NotRun) -> list[Any]:
    return [failed.line, list(failed.names[:20]), failed.raised]


class _Helpers(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports what lies beside a lesson as the lesson itself is run: a statement that fails costs
    what needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failed: list[run.NotRun] = []  # of files that are not lessons under way

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or Path(spec.origin).parent != self.folder:
            return None
        spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        assert module.__spec__.origin is not None
        self.failed += run.run(Path(module.__spec__.origin), module)


class Nothing:
    """`check` and `pictures`, where nobody looks: whatever is asked of them is done."""

    def __call__(self, *args: Any, **kwargs: Any) -> Nothing:
        return self

    def __getattr__(self, name: str) -> Nothing:
        return self


def _forbidden(given: list[list[str]]) -> Forbidden:
    torchs, methods = given
    return Forbidden(tuple(torchs), tuple(methods))


if __name__ == "__main__":
    main()
