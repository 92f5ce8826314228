"""Hostile submissions (`tests/attacks/`) are graded for real, between submissions of neighbours.

An attack says in its docstring what it tries and what must come of it:

    kind: forging, reading, denial, interference or escape
    lesson: the lesson that it is handed in as (several: the same file as each of them)
    expect: an exercise, or `all`, and its outcome (alternatives as error|timeout)
    points: what it may gain, and why (0 if not said)
    times: how often it is handed in (1 if not said), to find what it left behind itself
    seconds: what it may take, and why, where that is more than its timeouts

Exercises it does not name are not in it. It prints a line that begins with SUCCEEDED where it gets
what it wanted, and everything that it could read.
"""

import ast
import ctypes
import hashlib
import json
import os
import re
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from grader.classroom import isolation
from grader.inside.confine import Limits
from grader.lessons import KIT as ROOT

GRADER = Path(sys.executable).parent / "grader"
KINDS = ("forging", "reading", "denial", "interference", "escape")
TIMEOUT = 2  # seconds, of `grader grade`
WALL = Limits(seconds=TIMEOUT).wall  # that one exercise may take on the clock
SLACK = 6  # seconds that an attack may take beyond those that run out for its exercises
OVERALL = 400  # seconds; more is no hang of one exercise, but of the grader
MEMORY = 1.5e9  # bytes that the grader may hold at a time beyond what it does without attacks
PORT = 47_123  # as in the attacks named escape_*
# What a neighbour has solved: enough to show a changed model, tokenizer or setting.
SOLVED = {
    "lesson1_tokens": ["choose_device", "sort_vocab", "token_to_text", "token_spans"],
    "lesson2_embedding": ["one_hot", "embed_by_matmul", "unembed"],
    "lesson3_logits": ["softmax", "next_token_probs", "top_k_tokens", "perplexity", "entropy"],
    "lesson4_decoding": ["next_token", "append_token", "greedy_generate"],
}
OTHER_JOB = (
    "deny_endless_loop", "deny_fork_bomb", "deny_thread_bomb", "deny_memory_many_forks",
    "deny_disk_filler", "deny_output_flood", "deny_zombie_daemons", "deny_children_hold_pipe",
    "interfere_signals_to_all", "interfere_signals_to_numbers", "interfere_weights",
    "interfere_process_settings", "interfere_fills_tmp", "interfere_file_locks",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    name: str
    path: Path
    header: list[tuple[str, str]]

    def all(self, key):
        return [value for name, value in self.header if name == key]

    def first(self, key, default=""):
        return next(iter(self.all(key)), default)

    @property
    def expected(self):
        """Exercise -> outcomes that are right."""
        expected = {}
        for line in self.all("expect"):
            exercise, outcomes = line.split()
            expected[exercise] = set(outcomes.split("|"))
        return expected

    @property
    def points(self):
        return int(self.first("points", "0").split()[0])

    @property
    def times(self):
        return int(self.first("times", "1"))

    @property
    def seconds(self):
        """That it may take: what its timeouts allow."""
        timeouts = sum("timeout" in outcomes for outcomes in self.expected.values())
        return max(timeouts * WALL + SLACK, float(self.first("seconds", "0").split()[0]))


def _attack(path):
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return Attack(path.stem, path, re.findall(r"^(\w+): (.+)$", text, re.MULTILINE))


ATTACKS = [_attack(path) for path in sorted((ROOT / "tests" / "attacks").glob("*.py"))]
# One of each kind, which the others are like.
CORE = (
    "deny_memory_torch", "escape_tcp", "forge_fork_patched", "interfere_file_locks",
    "read_solutions",
)  # fmt: skip
each_attack = pytest.mark.parametrize(
    "attack",
    [pytest.param(a, marks=[] if a.name in CORE else pytest.mark.thorough) for a in ATTACKS],
    ids=lambda attack: attack.name,
)


# --- A class, and what came of grading it --------------------------------------------------------


@dataclass
class Graded:
    code: int = -1
    said: str = ""
    seconds: float = 0.0
    peak: int = 0  # bytes that the grader held
    left: list[str] = field(default_factory=list)  # processes that outlived it
    rows: dict[str, list[dict]] = field(default_factory=dict)  # student -> as exported
    printed: dict[str, str] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)  # when a student was done with
    order: list[str] = field(default_factory=list)


def _canary(what):
    return f"canary-{what}-{secrets.token_hex(8)}"


def _neighbour(lesson, canary):
    """A lesson with some of it solved, as a student's file that holds a secret of theirs."""
    source = (ROOT / "solutions" / f"{lesson}.py").read_text("utf-8")
    module = ast.parse(source)
    module.body = [
        part
        for part in module.body
        if not isinstance(part, ast.FunctionDef) or part.name in SOLVED[lesson]
    ]
    return f"# {canary}\n{ast.unparse(module)}\nNOTE = {canary!r}\n"


def _write_class(folder, attacks, canary):
    """Without attacks the same class, less them: neighbours are called the same in both."""
    number = 0

    def student(name):
        nonlocal number
        number += 1
        return folder / f"{number:03}-{name}"

    def neighbour(lesson):
        path = student("neighbour") / f"{lesson}.py"
        path.parent.mkdir(parents=True)
        path.write_text(_neighbour(lesson, canary), "utf-8")

    for attack, is_in in attacks:
        for _ in range(attack.times):
            neighbour(attack.first("lesson"))
            theirs = student(attack.name)
            if is_in:
                theirs.mkdir()
                for lesson in attack.all("lesson"):
                    (theirs / f"{lesson}.py").write_bytes(attack.path.read_bytes())
    for lesson in SOLVED:
        neighbour(lesson)
    return folder


def _grade(folder, attacks, canaries, jobs):
    """Runs the real command in a process of its own."""
    tmp, home = folder / "tmp", folder / "home"
    for made in (tmp, home):
        made.mkdir(parents=True)
    (home / "canary").write_text(canaries["home"])
    (folder / "seed").write_text(canaries["seed"])
    class_ = _write_class(folder / "class", attacks, canaries["neighbour"])
    book = folder / "gradebook.sqlite"
    command = [
        GRADER, "grade", class_, "--gradebook", book, "--jobs", str(jobs),
        "--timeout", str(TIMEOUT), "--hidden-seed-file", folder / "seed",
        "--reference", "gpt2-tiny",
    ]  # fmt: skip
    environment = {
        **os.environ, "ATTACK_CANARY": canaries["environment"], "HOME": str(home),
        "TMPDIR": str(tmp), "COLUMNS": "120",
    }  # fmt: skip
    graded, begun = Graded(), time.monotonic()
    with _adopting(graded.left), open(folder / "said", "w+") as said:
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env=environment, cwd=ROOT,
        )  # fmt: skip
        while process.poll() is None and time.monotonic() - begun < OVERALL:
            graded.peak = max(graded.peak, _peak(process.pid))
            time.sleep(0.1)
        graded.seconds = time.monotonic() - begun
        if process.poll() is None:
            process.kill()
            said.write("\nThe grader was killed: it did not end.")
        graded.code = process.wait()
        said.seek(0)
        graded.said = said.read()
    exported = subprocess.run(
        [GRADER, "export", book, "--format", "json"], capture_output=True, text=True
    )
    for row in json.loads(exported.stdout or "[]"):
        row.pop("seconds")
        graded.rows.setdefault(row["student"], []).append(row)
    with sqlite3.connect(book) as db:
        for student, printed, ended in db.execute(
            "SELECT student, printed, graded FROM gradings ORDER BY id"
        ):
            graded.printed[student] = graded.printed.get(student, "") + printed
            graded.until[student] = datetime.fromisoformat(ended)
    graded.order = list(graded.until)
    db.close()
    return graded


def _peak(pid):
    with suppress(OSError), open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0


class _adopting:
    """Processes whose parent ends become this one's children within it, so that none of a run's is
    missed, whatever session it is in and however it calls itself. At the end, those left are put
    down, and killed."""

    def __init__(self, left):
        self.left = left

    def __enter__(self):
        self.before = set(_children(os.getpid()))
        self._subreaper(1)

    def __exit__(self, *exception):
        until = time.monotonic() + 3  # what has been killed takes a moment to go
        while (left := self._running()) and time.monotonic() < until:
            time.sleep(0.05)
        self.left += left.values()
        for pid in left:
            with suppress(OSError):
                os.kill(pid, 9)
        self._subreaper(0)
        self._running()

    def _running(self):
        found, todo = {}, [c for c in _children(os.getpid()) if c not in self.before]
        while todo:
            pid = todo.pop()
            todo += _children(pid)
            with suppress(OSError, ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            with suppress(OSError):
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:200]
        return found

    @staticmethod
    def _subreaper(on):
        ctypes.CDLL(None).prctl(36, on, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _children(pid):
    found = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    return [int(child) for child in found]


class _Listening:
    """Sockets outside, and what arrived at them."""

    def __enter__(self):
        self.arrived, self._sockets = [], []
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", PORT)),
            (socket.AF_UNIX, socket.SOCK_STREAM, "\0attack-host-listener"),
        ):
            server = socket.socket(family, kind)
            with suppress(OSError):  # somebody else's: then it says nothing
                server.bind(address)
                if kind == socket.SOCK_STREAM:
                    server.listen()
                server.settimeout(0.2)
                self._sockets.append(server)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._wait, args=(s,)) for s in self._sockets]
        for thread in self._threads:
            thread.start()
        return self

    def _wait(self, server):
        while not self._ended.is_set():
            with suppress(TimeoutError):
                is_stream = server.type == socket.SOCK_STREAM
                self.arrived.append(server.accept()[1] if is_stream else server.recv(100))

    def __exit__(self, *exception):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for server in self._sockets:
            server.close()


def _kit():
    """What every file of the kit holds."""
    folders = ("grader", "solutions", "exercises", "tests/attacks")
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _leftovers():
    folders = ("/", "/tmp", "/var/tmp", "/dev", "/dev/shm", "/dev/mqueue", "/run", str(ROOT))
    return {
        path
        for folder in map(Path, (*folders, Path.home(), sys.prefix))
        if folder.is_dir()
        for path in folder.iterdir()
        if path.name.startswith(("attack", "gpt2-exercise-kit-", "sem.attack"))
    }


@dataclass
class Runs:
    """The class with all attacks, and without any."""

    attacked: Graded
    peaceful: Graded
    secrets: dict[str, str]
    changed: dict[str, object]  # outside: what was before, what was after


@pytest.fixture(scope="session")
def walls():
    try:
        return isolation.bubblewrap()
    except isolation.CannotIsolate as problem:
        pytest.skip(str(problem))  # this machine has no sandbox, and says why


@pytest.fixture(scope="session")
def attacks(request):
    """Those that this run is about."""
    chosen = {item.callspec.params["attack"].name for item in request.session.items
              if "attack" in getattr(getattr(item, "callspec", None), "params", {})}  # fmt: skip
    return [attack for attack in ATTACKS if attack.name in chosen]


@pytest.fixture(scope="session")
def runs(walls, attacks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    canaries = {what: _canary(what) for what in ("environment", "home", "tmp", "seed", "neighbour")}
    with ExitStack() as cleanup:
        in_tmp = cleanup.enter_context(
            tempfile.NamedTemporaryFile("w", dir="/tmp", prefix="host-canary-")
        )
        in_tmp.write(canaries["tmp"])
        in_tmp.flush()
        listening = cleanup.enter_context(_Listening())

        def outside():
            return {
                **_kit(),
                "left over": _leftovers(),
                "the file in /tmp": Path(in_tmp.name).read_text(),
            }

        peaceful = _grade(folder / "peaceful", [(a, False) for a in attacks], canaries, 1)
        before = outside()
        attacked = _grade(folder / "attacked", [(a, True) for a in attacks], canaries, 1)
        after = outside()
    changed = {
        what: (before.get(what), after.get(what))
        for what in before | after
        if before.get(what) != after.get(what)
    }
    home = folder / "attacked" / "home"
    if (home / "canary").read_text() != canaries["home"]:
        changed["the file in $HOME"] = canaries["home"], (home / "canary").read_text()
    # PyTorch makes a folder there by itself.
    in_tmpdir = [sorted(os.listdir(folder / run / "tmp")) for run in ("peaceful", "attacked")]
    if in_tmpdir[0] != in_tmpdir[1]:
        changed["$TMPDIR"] = tuple(in_tmpdir)
    if listening.arrived:
        changed["what arrived from inside"] = [], listening.arrived
    return Runs(attacked, peaceful, canaries, changed)


def _students(graded, attack):
    """Those who handed it in, first one first."""
    students = [student for student in graded.rows if student[4:] == attack.name]
    assert len(students) == attack.times, graded.said
    return students


def _neighbours(graded):
    return [student for student in graded.rows if student.endswith("-neighbour")]


# --- Of each attack ------------------------------------------------------------------------------


@each_attack
def test_its_outcome_is_the_expected_one(runs, attack):
    for student in _students(runs.attacked, attack):
        rows = [r for r in runs.attacked.rows[student] if r["lesson"] == attack.all("lesson")[-1]]
        expected = attack.expected
        assert set(expected) <= {"all", *(row["exercise"] for row in rows)}
        for row in rows:
            right = expected.get(row["exercise"], expected.get("all", {"todo"}))
            assert row["outcome"] in right, row


@each_attack
def test_it_gains_no_point_that_is_not_its_due(runs, attack):
    for student in _students(runs.attacked, attack):
        gained = {r["exercise"]: r["points"] for r in runs.attacked.rows[student] if r["points"]}
        assert sum(gained.values()) <= attack.points, gained


@each_attack
def test_it_does_not_get_what_it_wanted(runs, attack):
    for student in _students(runs.attacked, attack):
        printed = runs.attacked.printed[student]
        assert not [line for line in printed.splitlines() if line.startswith("SUCCEEDED")]


@each_attack
def test_it_reads_nothing_secret(runs, attack):
    own = attack.path.read_text("utf-8")
    known = "".join(path.read_text("utf-8") for path in (ROOT / "exercises").glob("*.py")) + own
    telling = {
        line.strip()
        for path in (ROOT / "solutions").glob("lesson*.py")
        for line in path.read_text("utf-8").splitlines()
        if len(line.strip()) > 35 and line.strip() not in known
    }
    assert len(telling) > 40
    for student in _students(runs.attacked, attack):
        shown = runs.attacked.printed[student] + json.dumps(runs.attacked.rows[student])
        assert not [secret for secret in runs.secrets.values() if secret in shown]
        assert not [line for line in telling if line in shown]


@each_attack
def test_the_neighbours_before_and_after_are_graded_as_without_it(runs, attack):
    for student in _students(runs.attacked, attack):
        number = int(student[:3])
        for neighbour in (f"{number - 1:03}-neighbour", f"{number + 1:03}-neighbour"):
            assert runs.attacked.rows[neighbour] == runs.peaceful.rows[neighbour]
            outcomes = {row["outcome"] for row in runs.attacked.rows[neighbour]}
            assert outcomes == {"passed", "todo"}


@each_attack
def test_it_ends_within_its_limits(runs, attack):
    for student in _students(runs.attacked, attack):
        before = runs.attacked.order[runs.attacked.order.index(student) - 1]
        took = runs.attacked.until[student] - runs.attacked.until[before]
        assert took.total_seconds() <= attack.seconds + 1  # it is kept in whole seconds


@each_attack
def test_its_file_says_what_must_happen(attack):
    assert attack.first("kind") in KINDS
    assert attack.all("lesson")
    assert attack.expected
    outcomes = {"passed", "wrong", "todo", "error", "timeout", "memory", "blocked"}
    for exercise, expected in attack.expected.items():
        assert expected <= outcomes
        assert "passed" not in expected or attack.points, exercise
    if attack.points:
        assert re.fullmatch(r"\d+ \(.+\)", attack.first("points"))


# --- Of the whole run ----------------------------------------------------------------------------


def test_every_kind_of_attack_is_there():
    kinds = Counter(attack.first("kind") for attack in ATTACKS)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 10
    assert len(ATTACKS) >= 55


def test_the_run_ends_well_and_in_time(runs, attacks):
    attacked = runs.attacked
    assert attacked.code == 0, attacked.said
    assert "Not graded" not in attacked.said
    allowed = sum((attack.seconds - SLACK + 1) * attack.times for attack in attacks)
    assert attacked.seconds <= runs.peaceful.seconds + allowed


def test_every_neighbour_is_graded_as_without_attacks(runs, attacks):
    neighbours = _neighbours(runs.peaceful)
    assert len(neighbours) == sum(attack.times for attack in attacks) + len(SOLVED)
    assert _neighbours(runs.attacked) == neighbours
    for neighbour in neighbours:
        assert runs.attacked.rows[neighbour] == runs.peaceful.rows[neighbour]


def test_nothing_outside_has_changed(runs):
    assert runs.changed == {}


def test_no_process_is_left(runs):
    assert runs.attacked.left == []


def test_the_graders_memory_stays_bounded(runs):
    assert runs.attacked.peak - runs.peaceful.peak < MEMORY


def test_the_search_for_processes_finds_daemons():
    left = []
    with _adopting(left):
        daemon = "import os, time; os.setsid(); os.fork() and os._exit(0); time.sleep(60)"
        subprocess.run([sys.executable, "-S", "-c", daemon], check=True)
    assert len(left) == 1
    assert "time.sleep(60)" in left[0]


@pytest.mark.thorough
def test_attacks_in_one_job_change_nothing_in_another(runs, tmp_path):
    attacks = [attack for attack in ATTACKS if attack.name in OTHER_JOB]
    assert len(attacks) == len(OTHER_JOB)
    attacked = _grade(tmp_path, [(attack, True) for attack in attacks], runs.secrets, jobs=2)
    assert attacked.code == 0, attacked.said
    assert attacked.left == []
    # The neighbours with one lesson are all alike.
    alike = {
        _lesson(rows): rows for rows in map(runs.peaceful.rows.get, _neighbours(runs.peaceful))
    }
    for neighbour in _neighbours(attacked):
        rows = attacked.rows[neighbour]
        for row, without in zip(rows, alike[_lesson(rows)], strict=True):
            assert row == {**without, "student": neighbour}
    for attack in attacks:
        for student in _students(attacked, attack):
            assert not any(row["points"] for row in attacked.rows[student])
            assert "SUCCEEDED" not in attacked.printed[student]


def _lesson(rows):
    return rows[0]["lesson"]
