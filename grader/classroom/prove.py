"""`grader doctor --prove`: one attack of each kind, on this machine, through the sandbox as it is.

Each is a submission, handed in beside one of an honest neighbour and graded as a class is. What it
tries is bounded, so that little is lost where a wall does not hold: the limits are lower than those
of `grader grade`, and whom it signals and where it writes is there for that.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from grader.classroom.grade_class import Classroom
from grader.classroom.isolation import Bubblewrap
from grader.classroom.order import Order
from grader.gradebook.book import Gradebook
from grader.inside.confine import Limits
from grader.lessons import KIT

LESSON, EXERCISE = "lesson3_logits", "perplexity"
LIMITS = Limits(seconds=4.0, memory=1_000_000_000)
GOT_IT = "SUCCEEDED"  # what an attempt prints that gets what it wants
SLACK = 200  # characters of a heading, and of the word that something was cut


@dataclass(frozen=True)
class Attempt:
    name: str
    outcomes: tuple[str, ...]  # that are right
    body: str  # of the function that is asked for


@dataclass(frozen=True)
class Finding:
    name: str
    outcomes: str
    fault: str = ""  # what does not hold here

    def __str__(self) -> str:
        word = "DOES NOT HOLD" if self.fault else "holds"
        return f"{word:<15}{self.name:<50}{self.fault or self.outcomes}"


# Each may use what `_FILE` defines and the places that `_outside` names.
ATTEMPTS = (
    Attempt("a loop without end", ("timeout",), "while True: pass"),
    Attempt("processor time in children that nobody waits for", ("timeout", "blocked"), """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for n in range(1000):
    if os.fork() == 0:
        while time.process_time() < 0.03: pass
        os._exit(0)
    time.sleep(0.01)
    if 0.03 * n > 3 * SECONDS: print(GOT_IT)
"""),
    Attempt("memory", ("memory",), """
kept = [b"\\1" * (MEMORY // 20) for _ in range(30)]
print(GOT_IT)
"""),
    # Where the processors are busy, the children may not come to hold it in time.
    Attempt("memory in children whose first thread has ended", ("memory", "timeout"), """
ready, done = os.pipe()
def hold():
    kept = b"\\1" * (MEMORY // 2)
    os.write(done, b"1")
    time.sleep(8)
    os._exit(len(kept) % 2)
for _ in range(4):
    if os.fork() == 0:
        threading.Thread(target=hold).start()
        libc.syscall(60 if X86 else 93, 0)
for _ in range(4): os.read(ready, 1)
time.sleep(4)
"""),
    Attempt("memory in children that may not be looked at", ("memory", "timeout"), """
ready, done = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        libc.prctl(4, 0, 0, 0, 0)
        kept = b"\\1" * (MEMORY // 2)
        os.write(done, b"1")
        time.sleep(8)
        os._exit(len(kept) % 2)
for _ in range(4): os.read(ready, 1)
time.sleep(4)
"""),
    Attempt("processes", ("blocked",), """
for n in range(4 * PROCESSES):
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)
    if n > 2 * PROCESSES: print(GOT_IT)
"""),
    Attempt("the disk", ("blocked",), """
for n in range(20):
    with open(f"/tmp/{n}", "wb") as file: file.write(bytes(TMP // 4))
print(GOT_IT)
"""),
    Attempt("printing without end", ("wrong",), """
for _ in range(300): os.write(1, b"x" * 100_000)
"""),
    Attempt("the network", ("blocked", "error"), """
for address in (("127.0.0.1", PORT), ("192.0.2.1", 80)):
    tried(lambda: socket.create_connection(address, timeout=0.2).sendall(b"out"))
tried(lambda: socket.socket(socket.AF_UNIX).connect(NAME))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"out", ("127.0.0.1", PORT)))
raise refused[-1]
"""),
    Attempt("reading solutions, gradebook, class and home", ("blocked", "error"), """
for path in SECRETS: tried(lambda: open(path, "rb").read(1)[0])
raise refused[-1]
"""),
    Attempt("writing outside", ("blocked", "error"), """
for path in OUTSIDE: tried(lambda: open(path, "w").write("out"))
raise refused[-1]
"""),
    Attempt("signals to others", ("blocked", "error"), """
for process, number in ((VICTIM, signal.SIGTERM), (GRADER, 0), (2, 0)):
    tried(lambda: os.kill(process, number))
raise refused[-1]
"""),
    Attempt("other namespaces, and mounts", ("blocked",), """
os.makedirs("/tmp/mounted", exist_ok=True)
for flag in (0x10000000, 0x20000, 0x20000000):
    tried(lambda: checked(libc.unshare(flag)))
tried(lambda: checked(libc.mount(b"none", b"/tmp/mounted", b"tmpfs", 0, b"size=4k")))
raise refused[-1]
"""),
    Attempt("what the kernel counts by user or by machine", ("blocked",), """
tried(lambda: checked(libc.syscall(294 if X86 else 26, 0)))
tried(lambda: checked(libc.syscall(206 if X86 else 0, 10, ctypes.byref(ctypes.c_ulong()))))
tried(lambda: fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK))
raise refused[-1]
"""),
    Attempt("forging an answer", ("wrong", "error"), """
from grader.inside import wire
for lie in ({"outcome": "passed", "points": 10}, True, "passed"): os.write(3, wire.encode(lie))
os._exit(0)
"""),
)  # fmt: skip

_FILE = """
import ctypes, fcntl, os, signal, socket, threading, time
{places}
X86 = os.uname().machine == "x86_64"
libc = ctypes.CDLL(None, use_errno=True)
refused = []

def tried(what):
    try:
        what()
    except OSError as refusal:
        refused.append(refusal)
    else:
        print(GOT_IT)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

def {exercise}(log_probs):
{body}
"""


def prove(walls: Bubblewrap, chosen: Sequence[Attempt] = ATTEMPTS) -> list[Finding]:
    """What came of each. Raises as grading a class does."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="gpt2-prove-")))
        outside = cleanup.enter_context(_outside(folder))
        class_ = folder / "class"
        for n, attempt in enumerate(chosen):
            _hand_in(class_ / f"{n:02}-attempt", _source(attempt, outside.places))
            solved = (KIT / "solutions" / f"{LESSON}.py").read_text("utf-8")
            _hand_in(class_ / f"{n:02}-neighbour", solved)
        order = Order(
            folder=class_, lessons=[LESSON], gradebook=folder / "gradebook.sqlite",
            jobs=min(2, len(os.sched_getaffinity(0))), hidden_seeds=[], reference="gpt2-tiny",
            device="cpu", limits=LIMITS, regrade=False, walls=walls, secrets=[folder],
        )  # fmt: skip
        with Gradebook.open(order.gradebook, writing=True) as book:
            room = Classroom(order, book)
            room.grade(lambda doing: None)
            return [_finding(book, n, one, outside) for n, one in enumerate(chosen)]


def _hand_in(folder: Path, source: str) -> None:
    folder.mkdir(parents=True)
    (folder / f"{LESSON}.py").write_text(source, "utf-8")


def _source(attempt: Attempt, places: dict[str, object]) -> str:
    body = "\n".join(f"    {line}" for line in attempt.body.strip().splitlines())
    named = "\n".join(f"{name} = {value!r}" for name, value in places.items())
    return _FILE.format(places=named, exercise=EXERCISE, body=body)


def _finding(book: Gradebook, n: int, attempt: Attempt, outside: _Outside) -> Finding:
    student, neighbour = f"{n:02}-attempt", f"{n:02}-neighbour"
    rows = [row for row in book.current(student) if row.exercise == EXERCISE]
    printed = "".join(grading.printed for grading in book.gradings(student))
    outcomes = " and ".join(sorted({row.outcome for row in rows})) or "not graded"
    honest = {row.outcome for row in book.current(neighbour)}
    fault = outside.found(attempt.name)
    if GOT_IT in printed:
        fault = fault or "it got what it wanted"
    elif not rows or not {row.outcome for row in rows} <= set(attempt.outcomes):
        fault = fault or f"{outcomes}, and not {' or '.join(attempt.outcomes)}"
    elif any(row.points for row in rows):
        fault = fault or "it got points"
    elif len(printed) > LIMITS.printed + SLACK:
        fault = fault or f"{len(printed):,} characters of it were kept"
    elif honest != {"passed"}:
        fault = fault or f"an honest neighbour's answers were {' and '.join(sorted(honest))}"
    return Finding(attempt.name, outcomes, fault)


# --- What is there to be reached, and must not be -----------------------------------------------


@dataclass
class _Outside:
    places: dict[str, object]
    written: list[Path]
    sockets: list[socket.socket]
    victim: subprocess.Popen[bytes]

    def found(self, name: str) -> str:
        """What an attempt did out here, in words; empty if nothing."""
        if name == "writing outside" and (there := [str(p) for p in self.written if p.exists()]):
            return f"{there[0]} was written"
        if name == "the network" and select.select(self.sockets, [], [], 0)[0]:
            return "something arrived"
        if name == "signals to others" and self.victim.poll() is not None:
            return "a process of the grader's was ended"
        return ""


@contextmanager
def _outside(folder: Path) -> Iterator[_Outside]:
    token = f"gpt2-prove-{token_hex(8)}"
    (folder / "secret").write_text("secret")
    with ExitStack() as cleanup:
        secrets = [folder / name for name in ("secret", "gradebook.sqlite", "class")]
        secrets += [KIT / "solutions" / f"{LESSON}.py", KIT / "grader" / "checks" / "__init__.py"]
        with suppress(OSError):  # a home that cannot be written to holds nothing of ours
            at_home = cleanup.enter_context(
                tempfile.NamedTemporaryFile("w", dir=Path.home(), prefix=".gpt2-prove-")
            )
            at_home.write("secret")
            at_home.flush()
            secrets.append(Path(at_home.name))
        within = (folder, Path.home(), KIT, KIT / "grader", sys.prefix, "/", "/usr", "/kit/grader")
        written = [Path(place, token) for place in within]
        cleanup.callback(_remove, written)
        stream, datagrams, local = (
            cleanup.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        )  # fmt: skip
        stream.bind(("127.0.0.1", 0))
        port = stream.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        local.bind(f"\0{token}")
        stream.listen()
        local.listen()
        sleeps = [sys.executable, "-S", "-c", "import time; time.sleep(1000)"]
        victim = cleanup.enter_context(subprocess.Popen(sleeps))
        cleanup.callback(victim.kill)
        places: dict[str, object] = {
            "GOT_IT": GOT_IT, "SECONDS": LIMITS.seconds, "MEMORY": LIMITS.memory,
            "PROCESSES": LIMITS.processes, "TMP": LIMITS.tmp, "PORT": port, "NAME": f"\0{token}",
            "SECRETS": [str(path) for path in secrets], "OUTSIDE": [str(p) for p in written],
            "VICTIM": victim.pid, "GRADER": os.getpid(),
        }  # fmt: skip
        yield _Outside(places, written, [stream, datagrams, local], victim)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
