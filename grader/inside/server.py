"""The sandbox, seen from inside: a warm server that forks for each submission.

It imports PyTorch and loads the reference once; a submission pays for its own work alone. What runs
here decides nothing: it says what a student's function does on a case, and knows neither what is
expected nor who asks. `grader.classroom.sandbox` is the other side.

    server:  settings in, "ready" out; then for each "turn" (with a channel, a pipe to print to, and
             what the kernel says of its control group, if it is in one) a fork, until it ends,
             takes too much or "stop" comes; how it ended out. "again" in says that its processor
             time counts from now on.
    fork:    on its channel one request after the other, each answered once
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import math
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
ENDED = (FileNotFoundError, ProcessLookupError)  # what /proc says of who is no more


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
    command, handed_over, _, _ = socket.recv_fds(control, 1, 3)
    if not command:
        raise Gone
    if not handed_over:  # meant for a turn that had just ended
        return
    channel, output, *group = handed_over
    isolated = settings["isolated"]
    folder = Path("/tmp" if isolated else tempfile.mkdtemp(prefix="gpt2-exercise-kit-"))
    own_memory = _memory(limits) if isolated else 0
    in_group = _seconds_of_group(group)

    def spent() -> float:
        return max(_processor_seconds(pid, isolated), _seconds_of_group(group) - in_group)

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # also where whoever started it ignores it
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
                used_before = spent()
            else:
                reason = "stopped" if said else "gone"
        elif (ended := os.wait4(pid, os.WNOHANG))[0]:
            _, status, usage = ended
            reason = "ended"
        elif _is_over(limits.seconds + used_before, spent)[0]:
            reason = "cpu"
        elif isolated:
            looked = time.monotonic()
            over, held = _is_over(limits.memory + own_memory, lambda: _memory(limits))
            reason = "memory" if over else ""
            # Whoever is near the limit is looked at again soon.
            is_near = held > limits.memory / 2 + own_memory
            pause = LOOK if is_near else min(max(LOOK, 2 * (time.monotonic() - looked)), 0.5)
    if not isolated:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    for shown in group:
        os.close(shown)
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


def _is_over(most: float, count: Callable[[], float]) -> tuple[bool, float]:
    """And what was counted. Twice in a row where processes come and go: who starts or ends while
    they are counted may count for two."""
    before, found = _processes(), count()
    return found > most and (_processes() == before or count() > most), found


def _processes() -> list[str]:
    """The numbers of the fork's processes."""
    not_its_own = ("1", str(os.getpid()))  # process 1 is bubblewrap's
    there = os.listdir("/proc") if os.path.isdir("/proc") else []
    return [pid for pid in there if pid.isdigit() and pid not in not_its_own]


def _memory(limits: Limits) -> float:
    """Bytes that the server and the fork's processes hold together, each page counted once, however
    many of them share it: what two of a student's share is private to neither. With the room in
    the buffers of their sockets, which is no process's."""
    held = _held_by("/proc/self") or 0.0
    sockets: set[str] = set()
    for pid in _processes():
        tasks: list[str] = []
        with contextlib.suppress(*ENDED):
            tasks = [f"/proc/{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]
        # The first thread may have ended, and then says nothing of what the others hold.
        held += next((found for task in tasks if (found := _held_by(task)) is not None), 0.0)
        sockets.update(*(_sockets_of(task, limits) for task in tasks))
    return held + len(sockets) * _room_in_a_socket()


def _held_by(task: str) -> float | None:
    """Bytes that the process of a thread holds; None if the thread has ended."""
    shared_out = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:", b"Private_Hugetlb:", b"Shared_Hugetlb:")
    in_full = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"HugetlbPages:")
    # A program that may be run and not read says less of itself; who says nothing holds too much.
    for file, kinds in (("smaps_rollup", shared_out), ("status", in_full)):
        try:
            with open(f"{task}/{file}", "rb") as opened:
                lines = [line for line in opened if line.startswith(kinds)]
            return 1024.0 * sum(int(line.split()[1]) for line in lines) if lines else None
        except ENDED:
            return None
        except OSError:
            continue
    return math.inf


def _sockets_of(task: str, limits: Limits) -> set[str]:
    """Names of those that a thread can use; as many as it may have, where that cannot be seen."""
    folder, found = f"{task}/fd", set()
    try:
        for descriptor in os.listdir(folder):
            with contextlib.suppress(*ENDED):
                found.add(os.readlink(f"{folder}/{descriptor}"))
    except ENDED:
        pass
    except OSError:
        return {f"{folder}/{n}" for n in range(limits.files)}
    return {name for name in found if name.startswith("socket:")}


@functools.cache
def _room_in_a_socket() -> float:
    """Bytes; one message more than there is room for is taken."""
    one, other = socket.socketpair()
    with one, other:
        return 1.25 * one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def _processor_seconds(pid: int, isolated: bool) -> float:
    """That the fork and all that it started have used; 0 where that is not known."""
    stats = []
    for process in _processes() if isolated else [pid]:
        with contextlib.suppress(OSError), open(f"/proc/{process}/stat", "rb") as opened:
            stats.append(opened.read())
    # By proc(5), after the name in brackets: utime, stime, and those of children that have ended.
    ticks = sum(int(x) for stat in stats for x in stat.rpartition(b")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _seconds_of_group(group: list[int]) -> float:
    """What the kernel counts for the control group that the server is in, less the server's own;
    `group`: a descriptor of its cpu.stat, or none."""
    for shown in group:
        for line in os.pread(shown, 4096, 0).splitlines():
            if line.startswith(b"usage_usec "):
                return int(line.split()[1]) / 1e6 - time.process_time()
    return 0.0


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
    confine.first_to_go()
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
        self.lines_left = 0

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
            path = self.folder / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.helpers.known.setdefault(path.stem, path)
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
            [name, in_source(text, name, _forbidden(given), read)]
            for name, given in forbids.items()
        ]
        self.answer([[name, call] for name, call in calls if call is not None])

    def do_load(self, lesson: str, cells: list[int], skip: list[int], exercises: list[str]) -> None:
        """Run a lesson's file; answered by the line of each statement before it runs, and then by
        what came of it all. `skip`: lines of statements that are not to be run."""
        loaded, self.lines_left = run.Loaded(ModuleType(lesson)), wire.MOST_LINES
        failed: list[run.NotRun] = []
        try:
            with run.clean_state():
                loaded = run.load(self._path(lesson), cells, skip, self._say_line, interrupts=False)
            self.modules[lesson] = loaded.module
            failed = loaded.failed + self.helpers.failed
        except BaseException as failure:
            raised = run.raised(failure, folder=self.folder)
            failed = [run.NotRun(1, tuple(exercises), raised, f"{lesson}.py")]
        names = vars(loaded.module)
        there = [name for name in exercises if name in names]
        why = {name: loaded.why_missing(name) for name in exercises if name not in names}
        failed = failed[:FAILURES]
        self.answer(
            {
                "there": there,
                "untouched": [name for name in there if run.is_untouched(names[name])],
                "calls": [[name, list(run.called(names[name], exercises))] for name in there],
                "missing": [[name, _plain(one)] for name, one in why.items() if one],
                "failed": [_plain(one) for one in failed],
                "twice": [
                    [two.name, two.counts, two.other, two.other_is_stub]
                    for two in loaded.twice
                    if two.name in exercises
                ],
            }
        )

    def _say_line(self, line: int) -> None:
        self.lines_left -= 1
        if os.getpid() == self.pid and self.lines_left > 0:
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
    return [failed.line, list(failed.names[:20]), failed.raised, failed.file]


class _Helpers(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports what lies beside a lesson as the lesson itself is run: a statement that fails costs
    what needs it. What lies elsewhere in the submission is found by its name, as if somebody had
    put its folder into `sys.path`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Path] = {}  # module name -> file
        self.failed: list[run.NotRun] = []  # of files that are not lessons under way

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None and name in self.known:
            return importlib.util.spec_from_file_location(name, self.known[name], loader=self)
        if spec is None or spec.origin is None or self.folder not in Path(spec.origin).parents:
            return None
        spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        assert module.__spec__.origin is not None
        self.failed += run.run(Path(module.__spec__.origin), module, interrupts=False).failed


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
