"""The sandbox: what a fork can see and do, and that every turn comes to an end."""

import errno
import os
import select
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from grader import lessons
from grader.classroom import examine, isolation, sandbox
from grader.classroom.sandbox import Ended, Patience, Sandbox, Setup
from grader.inside import reference, wire
from grader.inside.confine import Limits
from grader.inside.fixtures import Fixtures
from grader.inside.plain import Pairs
from grader.inside.run import Raised
from grader.intake.submissions import Submission
from grader.lessons import KIT as ROOT
from grader.notebooks.script import Source
from grader.verdict import load
from handin import needs_isolation

SECONDS = 1.0  # of processor time
PATIENCE = 120.0  # for what is sure to come


@pytest.fixture(scope="module", params=["bubblewrap", "none"])
def box(request):
    walls = None
    if request.param == "bubblewrap":
        try:
            walls = isolation.bubblewrap()
        except isolation.CannotIsolate as why:
            pytest.skip(str(why))  # this machine has no sandbox, and says why
    with started(walls, SECONDS) as box:
        yield box


@pytest.fixture(scope="module")
def patient_box():
    """Where what is slow on a busy machine is still not too slow."""
    with started(isolation.bubblewrap(), PATIENCE) as box:
        yield box


@contextmanager
def started(walls, seconds):
    setup = Setup(
        walls, reference.TINY, "cpu", ["bos_tokenizer", "reference", "tokenizer"], [], [torch.ones(3)], [ROOT],
        Limits(seconds=seconds, memory=1_000_000_000), 10,
    )  # fmt: skip
    box = Sandbox(setup, 0, 1)
    box.start()
    yield box
    box.close()


def ask(turn, wait=PATIENCE, **request):
    patience = Patience(wait)
    answer = wire.decode(turn.ask(wire.encode(request), patience))
    while request["do"] == "load" and isinstance(answer, int):  # a line that is about to be run
        answer = wire.decode(turn.answer(patience))
    return answer


def load_in(turn, source, cells=()):
    ask(turn, do="files", files={"lesson1_tokens": source})
    return ask(
        turn, do="load", lesson="lesson1_tokens", cells=list(cells), skip=[], exercises=["f"]
    )


def as_dicts(value):
    """What is read of a stranger as pairs, here to be looked at."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(as_dicts, value))
    return {k: as_dicts(v) for k, v in value.items} if isinstance(value, Pairs) else value


def observe_in(turn, exercise, *args, wait=PATIENCE):
    return as_dicts(ask(turn, wait, do="observe", lesson="lesson1_tokens", exercise=exercise, observer="result",
               forbids=[[], []], args=list(args), kwargs={}))  # fmt: skip


def call(box, source, *args, wait=PATIENCE):
    """What a function `f` returns there; what was printed."""
    with box.turn() as turn:
        load_in(turn, source)
        return observe_in(turn, "f", *args, wait=wait), turn.printed()


def test_it_answers_what_a_function_does(box):
    source = "import torch\ndef f(x, y):\n    print('seen', flush=True)\n    return x + y, (1, 'a')"
    seen, printed = call(box, source, torch.ones(2), 1)
    assert torch.equal(seen[0], torch.full((2,), 2.0))
    assert seen[1] == (1, "a")
    assert printed == "seen\n"


def test_an_exception_comes_with_the_students_own_lines(box):
    seen, _ = call(box, "import json\n\ndef f():\n    return json.loads('{')\n")
    assert isinstance(seen, Raised)
    assert seen.kind == "JSONDecodeError"
    assert [(frame.file, frame.line, frame.text) for frame in seen.frames] == [
        ("lesson1_tokens.py", 4, "return json.loads('{')")
    ]


def test_time_in_which_the_grader_stood_still_is_nobodys():
    patience = Patience(1)
    patience.spend(asked=0.25, took=30)  # it was not run for half a minute
    assert patience.left == 0.75
    patience.spend(asked=0.25, took=0.05)
    assert patience.left == pytest.approx(0.7)


def test_an_answer_that_is_there_counts_also_where_patience_is_at_an_end(box):
    with box.turn() as turn:
        load_in(turn, "def f(): return 1")
        request = wire.encode({"do": "observe", "lesson": "lesson1_tokens", "exercise": "f",
                               "observer": "result", "forbids": [[], []], "args": [], "kwargs": {}})  # fmt: skip
        turn._send(request, Patience(PATIENCE))
        while not select.select([turn._channel], [], [], PATIENCE)[0]:
            pass
        assert wire.decode(turn.answer(Patience(-1))) == 1
        with pytest.raises(Ended, match="exit code"):
            turn.answer(Patience(-1))


def test_a_statement_that_ends_a_turn_is_told_by_its_line(box):
    source = "def f():\n    return 1\n\nimport os\nos._exit(3)\n"
    request = {"do": "load", "lesson": "lesson1_tokens", "cells": [], "skip": [], "exercises": []}
    with box.turn() as turn:
        ask(turn, do="files", files={"lesson1_tokens": source})
        turn._send(wire.encode(request), Patience(PATIENCE))
        assert [wire.decode(turn.answer(Patience(PATIENCE))) for _ in range(3)] == [1, 4, 5]
        with pytest.raises(Ended, match="exit code 3"):
            turn.answer(Patience(PATIENCE))


def test_what_one_submission_does_is_gone_in_the_next(box):
    source = """
import builtins, os, torch
def f():
    seen = getattr(builtins, "mine", 0), sorted(os.listdir(os.getcwd())), torch.get_default_dtype()
    builtins.mine = 1
    open("left", "w").close()
    torch.set_default_dtype(torch.float64)
    return seen
"""
    first, second = call(box, source)[0], call(box, source)[0]
    assert first == second


def test_a_fork_reads_the_source_without_running_it(box):
    source = "import torch, os\ndef s(x):\n    return torch.softmax(x, 0)\nos._exit(0)\n"
    with box.turn() as turn:
        ask(turn, do="files", files={"lesson1_tokens": source})
        forbids = {"s": [["softmax"], []]}
        [[name, call]] = ask(turn, do="read", lesson="lesson1_tokens", cells=[], forbids=forbids)
        assert (name, call.what) == ("s", "torch.softmax")
        with pytest.raises(Ended):
            load_in(turn, source)


@pytest.mark.parametrize(
    "second",
    [
        "def s(x):\n    return x\n    nonlocal nowhere",
        "def s(x):\n    return x +",
        "<<<<<<< here\ndef s(x):\n    return x\n=======\ndef s(x):\n    return 1\n>>>>>>> there",
    ],
)
@pytest.mark.parametrize("cells", [[], [1, 4]])
def test_what_does_not_compile_is_not_read(box, second, cells):
    """Else the honest function in it would stand for the one that runs."""
    source = f"import torch\ndef s(x):\n    return torch.softmax(x, 0)\n{second}\n"
    with box.turn() as turn:
        ask(turn, do="files", files={"lesson1_tokens": source})
        forbids = {"s": [["softmax"], []]}
        calls = ask(turn, do="read", lesson="lesson1_tokens", cells=cells, forbids=forbids)
        assert [(name, call.what) for name, call in calls] == [("s", "torch.softmax")]


def test_statements_run_whatever_became_of_those_before(box):
    cells = ["from __future__ import annotations", "import nowhere", "def f(x: Undefined):\n    return 1",
             "1 +", "print(2)"]  # fmt: skip
    starts, line = [], 1
    for cell in cells:
        starts.append(line)
        line += cell.count("\n") + 1
    with box.turn() as turn:
        loaded = load_in(turn, "\n".join(cells), starts)
        assert loaded.get("there") == ["f"]
        assert [(line, names) for line, names, *_ in loaded.get("failed")] == [
            (2, ["nowhere"]),
            (5, []),
        ]
        assert turn.printed() == "2\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", "cpu"),
        ("import time; time.sleep(100)", "timeout"),
        ("import os; os._exit(3)", "ended"),
        ("import ctypes; ctypes.string_at(0)", "ended"),
        ("import os; os.fork(); os.fork(); import time; time.sleep(100)", "timeout"),
        ("import os; os.close(3)", "ended"),
    ],
)
def test_a_turn_that_gives_no_answer_ends_and_the_next_one_works(box, body, reason):
    with pytest.raises(Ended) as end:
        call(box, f"def f():\n    {body}", wait=1.0 if reason == "timeout" else PATIENCE)
    assert end.value.reason == reason
    assert call(box, "def f(): return 5")[0] == 5


def test_printing_without_end_holds_up_nobody(box):
    source = (
        "import os\ndef f():\n    for _ in range(300): os.write(1, b'x' * 100_000)\n    return 1"
    )
    seen, printed = call(box, source)
    assert seen == 1
    assert len(printed) < 30_000
    assert printed.endswith("... (cut)")


def test_what_is_too_large_to_come_back_is_an_observation(box):
    seen, _ = call(
        box,
        "import torch\ndef f(): return torch.zeros(15_000_000, dtype=torch.float64)",
    )
    assert isinstance(seen, Raised)
    assert "too large" in seen.text


def test_a_copy_of_the_process_answers_nothing(box):
    source = "import os\ndef f():\n    os.fork()\n    return 1\ndef g(): return 2"
    with box.turn() as turn:
        load_in(turn, source)
        for exercise, answer in [("f", 1), ("g", 2), ("g", 2)]:
            assert observe_in(turn, exercise) == answer


def test_large_arguments_are_fresh_each_time(box):
    source = "def f(x):\n    x += 1\n    return x.sum().item()"
    request = wire.encode(
        {"do": "observe", "lesson": "lesson1_tokens", "exercise": "f", "observer": "result",
            "forbids": [[], []],
         "args": [torch.ones(3)], "kwargs": {}},
        lambda x: "large 0 cpu" if isinstance(x, torch.Tensor) else None,
    )  # fmt: skip
    with box.turn() as turn:
        load_in(turn, source)
        assert [wire.decode(turn.ask(request, Patience(PATIENCE))) for _ in range(2)] == [
            6.0,
            6.0,
        ]


def test_a_server_that_goes_down_is_started_again(box):
    box._process.kill()
    box._process.wait()
    with pytest.raises(Ended) as end:
        call(box, "def f(): return 5")
    assert end.value.reason == "gone"
    assert call(box, "def f(): return 5")[0] == 5


LOOK = """
import os
import select
def f():
    def tree(top):
        return [os.path.join(where, file) for where, _, files in os.walk(top) for file in files]
    return {
        "kit": sorted(p for p in tree("/kit") if "__pycache__" not in p),
        "environment": dict(os.environ),
        "processes": sorted(p for p in os.listdir("/proc") if p.isdigit()),
        "who": [os.getuid(), os.getpid()],
        "descriptors": len(os.listdir("/proc/self/fd")),
        "solutions": [p for p in tree("/kit") + tree(PACKAGES) if "/solutions/" in p or "/grader/" in p and "/kit/" not in p],
        "kit folder": os.path.exists(ROOT + "/solutions"),
    }
"""


@needs_isolation
def test_inside_is_what_must_be_and_no_more(box, monkeypatch):
    if box.setup.walls is None:
        pytest.skip("nothing is hidden without isolation")  # there is nothing to be tested
    packages = next(p for p in sys.path if p.endswith("site-packages"))
    seen, _ = call(box, f"PACKAGES = {packages!r}\nROOT = {str(ROOT)!r}\n{LOOK}")
    assert not isinstance(seen, Raised), seen
    inside = [f"/kit/grader/inside/{p.name}" for p in (ROOT / "grader" / "inside").glob("*.py")]
    names = ("__init__", "problem", "reference", "statements")
    at_the_root = [f"/kit/grader/{name}.py" for name in names]
    assert seen["kit"] == sorted(inside + at_the_root)
    assert seen["solutions"] == []
    assert seen["kit folder"] is False
    assert seen["processes"] == ["1"]
    assert seen["who"][1] == 1
    assert not isolation.is_root() or seen["who"][0] == isolation.user_of(0)
    assert seen["descriptors"] <= 5  # in, out, error, the channel, and the folder being listed
    passed_on = {
        *isolation.VARIABLES,
        *isolation.PASSED_ON,
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "PYTHONPATH",
    }
    # PWD and what Python and its packages set by themselves.
    assert set(seen["environment"]) - passed_on <= {"PWD", "LC_CTYPE", "KMP_INIT_AT_FORK",
                                                    "KMP_DUPLICATE_LIB_OK", "TORCHINDUCTOR_CACHE_DIR"}  # fmt: skip


@needs_isolation
@pytest.mark.parametrize(
    "body",
    [
        "open('/kit/grader/inside/wire.py', 'a')",
        "open('/usr/lib/x', 'w')",
        "open('/x', 'w')",
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)",
        "import socket; socket.socket(40, socket.SOCK_STREAM)",
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); r = c.unshare(0x10000000); raise OSError(ctypes.get_errno(), 'x')",
        "import os; os.kill(2, 9)",
        "import os; os.setuid(1)",
    ],
)
def test_what_is_not_allowed_is_refused(box, body):
    if box.setup.walls is None:
        pytest.skip("nothing is refused without isolation")  # there is nothing to be tested
    seen, _ = call(box, f"def f():\n    {body}")
    assert isinstance(seen, Raised)
    assert seen.errno is not None


@needs_isolation
@pytest.mark.parametrize(
    "body",
    [
        "torch.ones(400_000_000)",
        "b'x' * 2_000_000_000",
        "[bytearray(10_000_000) for _ in range(200)]",
    ],
)
def test_memory_in_one_piece_or_in_many_is_limited(patient_box, body):
    try:
        seen, _ = call(patient_box, f"import torch\ndef f():\n    {body}")
    except Ended as end:
        seen = end
    assert getattr(seen, "reason", "memory") == "memory"
    assert getattr(seen, "kind", "MemoryError") in ("MemoryError", "RuntimeError")
    assert isinstance(seen, (Ended, Raised))


@needs_isolation
def test_memory_of_many_processes_is_counted_together(patient_box):
    body = """
import os, time
def f():
    for _ in range(20):
        if not os.fork():
            held = bytearray(os.urandom(1000)) * 100_000
            time.sleep(60)
    time.sleep(60)
"""
    with pytest.raises(Ended) as end:
        call(patient_box, body)
    assert end.value.reason == "memory"


def test_without_bubblewrap_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(isolation, "_find", lambda: None)
    with pytest.raises(isolation.CannotIsolate) as why:
        isolation.bubblewrap()
    assert "apt install bubblewrap" in str(why.value)
    assert "--isolation none" in str(why.value)
    monkeypatch.setattr(isolation, "_find", lambda: "/bin/false")
    with pytest.raises(isolation.CannotIsolate):
        isolation.bubblewrap()
    monkeypatch.setattr(isolation.platform, "system", lambda: "Darwin")
    with pytest.raises(isolation.CannotIsolate, match="Linux"):
        isolation.bubblewrap()
    assert isolation.chosen("none") is None
    monkeypatch.delattr(os, "fork")
    with pytest.raises(isolation.CannotIsolate, match="WSL"):
        isolation.chosen("none")


def test_a_server_that_does_not_start_says_why_in_one_line(tmp_path):
    setup = Setup(None, tmp_path, "cpu", ["reference"], [], [], [], Limits(), 1)
    with pytest.raises(sandbox.Failed) as why:
        Sandbox(setup, 0, 1).start()
    assert "\n" not in str(why.value)
    assert "config.json" in str(why.value)


def test_the_kit_is_covered_also_where_it_lies_within_what_is_shown(tmp_path, monkeypatch):
    """As in /usr/local/src, or installed beside the packages."""
    packages = tmp_path / "lib" / "site-packages"
    for package in isolation.KIT_PACKAGES:
        (packages / package).mkdir(parents=True)
    secret = tmp_path / "lib" / "gradebook"
    secret.touch()
    monkeypatch.setattr(isolation, "_packages", lambda: [packages])
    monkeypatch.setattr(isolation, "_python", lambda: [tmp_path / "lib"])
    walls = isolation.within(isolation.Bubblewrap("bwrap", ""), [], reference.TINY, [secret], "cpu")
    pairs = list(zip(walls.command, walls.command[1:], strict=False))
    shown = pairs.index(("--ro-bind", str(tmp_path / "lib")))
    for package in isolation.KIT_PACKAGES:
        covered = pairs.index(("--tmpfs", str(packages / package)))
        assert covered > shown
        # Else a fork might leave there what it likes, where the grader is not root.
        assert pairs.index(("--remount-ro", str(packages / package))) > covered
    assert pairs.index(("/dev/null", str(secret))) > shown


@needs_isolation
def test_what_lies_beside_the_gradebook_is_covered_as_it_is(tmp_path, monkeypatch):
    """Also what comes to be later, and where the gradebook lies within what is shown."""
    shown, folder = isolation._python(), tmp_path / "shown"
    (folder / "class" / "ada").mkdir(parents=True)
    (folder / "other").write_text("fine")
    book, seed = folder / "class.sqlite", folder / "seed"
    first = [book, seed, Path(f"{book}-wal"), folder / ".class.sqlite.part"]
    later = [Path(f"{book}{ending}") for ending in ("-shm", "-journal", ".lock")]
    for path in first:
        path.write_text("secret")
    monkeypatch.setattr(isolation, "_python", lambda: [*shown, folder])
    setup = Setup(isolation.bubblewrap(), reference.TINY, "cpu", [], [], [],
                  [folder / "class", book, seed], Limits(seconds=SECONDS), 10)  # fmt: skip
    source = f"""
import os
def f():
    seen, refused = {{}}, 0
    for folder, _, files in os.walk({str(folder)!r}):
        for name in files:
            try:
                seen[name] = open(folder + "/" + name).read()
            except OSError:
                seen[name] = ""
        try:
            open(folder + "/mine", "w")
        except OSError:
            refused += 1
    return seen, refused
"""
    box = Sandbox(setup, 0, 1)
    box.start()
    for path in later:
        path.write_text("secret")
    try:
        assert call(box, source)[0] == ({"class.sqlite": "", "other": "fine", "seed": ""}, 2)
    finally:
        box.close()


@needs_isolation
def test_packages_in_a_folder_that_is_closed_to_others_are_read_all_the_same(tmp_path, monkeypatch):
    """As a virtual environment made by `mktemp -d`, with the grader as root."""
    closed, shown = tmp_path / "closed", isolation._python()
    (closed / "within").mkdir(parents=True)
    (closed / "within" / "module.py").write_text("x = 5")
    (closed / "link").symlink_to("within")
    (closed / "secret").touch()
    closed.chmod(0o700)
    monkeypatch.setattr(isolation, "_python", lambda: [*shown, closed])
    setup = Setup(isolation.bubblewrap(), reference.TINY, "cpu", [], [], [], [closed / "secret"],
                  Limits(seconds=SECONDS), 10)  # fmt: skip
    source = f"""
from contextlib import contextmanager
from pathlib import Path
def f():
    closed = Path({str(closed)!r})
    return [(closed / name).read_text() for name in ("within/module.py", "link/module.py")], (
        (closed / "secret").is_file())
"""
    box = Sandbox(setup, 0, 1)
    box.start()
    try:
        assert call(box, source)[0] == (["x = 5", "x = 5"], False)
    finally:
        box.close()


def test_packages_that_are_closed_to_others_are_said_in_one_line(tmp_path, monkeypatch):
    module = tmp_path / "packages" / "torch.py"
    module.parent.mkdir()
    module.touch()
    monkeypatch.setattr(isolation, "_python", lambda: [tmp_path])
    monkeypatch.setattr(isolation.os, "__file__", str(module))
    tmp_path.chmod(0o700)
    assert isolation._closed() is None
    module.chmod(0o600)
    assert isolation._closed() == module
    module.parent.chmod(0o700)
    module.chmod(0o644)
    assert isolation._closed() == module.parent


@needs_isolation
def test_root_is_told_how_to_open_what_is_closed(monkeypatch):
    closed = Path("/opt/python/torch")
    monkeypatch.setattr(isolation, "_closed", lambda: closed)
    monkeypatch.setattr(isolation, "is_root", lambda: True)
    monkeypatch.setattr(isolation, "_namespaces", lambda: ["--unshare-user"])
    with pytest.raises(isolation.CannotIsolate, match="chmod -R go") as why:
        isolation.bubblewrap()
    assert str(closed) in str(why.value)
    assert "\n" not in str(why.value)


@needs_isolation
def test_a_fork_that_does_not_come_up_is_no_fault_of_the_students(monkeypatch):
    def within(*given):
        walls = real(*given)
        return isolation.Walls(walls.command, [*walls.in_tmp, "/tmp/is-not-there"])

    real = isolation.within
    monkeypatch.setattr(isolation, "within", within)
    setup = Setup(isolation.bubblewrap(), reference.TINY, "cpu", [], [], [], [], Limits(), 10)
    box = Sandbox(setup, 0, 1)
    submission = Submission({"lesson1_tokens": Source("")}, {}, (), "")
    examiner = examine.Examiner(
        box, examine.Exams(["lesson1_tokens"], Fixtures("gpt2-tiny")), submission
    )
    try:
        with pytest.raises(sandbox.Failed, match="is-not-there"):
            list(examiner.grade(["lesson1_tokens"]))
    finally:
        box.close()


def test_a_control_group_is_made_where_it_may_be(tmp_path):
    own = next(
        x[3:].lstrip("/")
        for x in Path("/proc/self/cgroup").read_text().splitlines()
        if x.startswith("0::")
    )
    parent = tmp_path / own
    parent.mkdir(parents=True, exist_ok=True)
    with isolation.control_group(Limits(), "0", tmp_path) as group:
        assert group is None  # no controllers there
    (parent / "cgroup.controllers").write_text("cpu memory pids\n")
    (parent / "cgroup.subtree_control").touch()
    with isolation.control_group(Limits(memory=5, processes=7), "0", tmp_path) as group:
        assert group.parent == parent
        assert (parent / "cgroup.subtree_control").read_text() == "+memory +pids"
        assert (group / "pids.max").read_text() == "23"
        assert (group / "memory.max").read_text() == "4000000005"
        ran = subprocess.run(
            isolation.in_group(group, ["sh", "-c", "echo $$"]), capture_output=True
        )
        assert (group / "cgroup.procs").read_bytes() == ran.stdout
        for file in group.iterdir():
            file.unlink()
    assert not group.exists()


SYSTEMD_RUN = """#!/bin/sh
echo "$@" >> {said}
while [ "$1" != -- ]; do
  case $1 in --property=MemoryMax=*) echo $((${{1##*=}} / 4096 * 4096)) > {group}/memory.max;; esac
  case $1 in --property=TasksMax=*) echo ${{1##*=}} > {group}/pids.max;; esac
  shift
done
shift
exec "$@"
"""


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """A stand-in for systemd-run that puts what was asked for where the kernel would; its folder."""
    own = isolation._group_of("self")
    if own is None or os.name != "posix":
        pytest.skip("no control groups here")
    folder = tmp_path / "systemd"
    group = folder / own
    group.mkdir(parents=True, exist_ok=True)
    program = folder / "systemd-run"
    program.write_text(SYSTEMD_RUN.format(said=folder / "said", group=group))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(isolation, "CGROUPS", folder)
    isolation.systemd_scope.cache_clear()
    yield folder
    isolation.systemd_scope.cache_clear()


@needs_isolation
def test_systemd_is_asked_where_what_it_starts_is_limited_as_asked(systemd):
    limits = Limits(memory=5, processes=7)
    with isolation.counted(limits, "0", ["echo", "5"]) as command:
        assert subprocess.run(command, capture_output=True, text=True).stdout == "5\n"
    real = (systemd / "said").read_text().splitlines()[-1]
    assert ("--user" in real) == (os.geteuid() != 0)
    assert real.endswith("-- echo 5")
    assert "--property=MemoryMax=4000000005 " in real
    assert "--property=TasksMax=23 " in real
    assert isolation.counter(limits) == "the kernel, by systemd"


@needs_isolation
@pytest.mark.parametrize(
    "program", ["exit 1", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "exec sleep 60"]
)
def test_a_systemd_that_does_not_do_it_is_not_relied_on(systemd, monkeypatch, program):
    """Not running, without a right to memory (it starts the program and says nothing), or hanging."""
    (systemd / "systemd-run").write_text(f"#!/bin/sh\n{program}\n")
    monkeypatch.setattr(isolation, "TRIAL", 0.5)
    with isolation.counted(Limits(), "0", ["echo", "5"]) as command:
        assert command == ["echo", "5"]
    assert isolation.counter(Limits()) == "the grader, twenty times a second"


@needs_isolation
def test_what_the_kernel_says_of_a_group_counts(tmp_path, monkeypatch):
    """Here a file in its place, which says of a second each time that it is asked again."""
    own = isolation._group_of("self")
    group = tmp_path / "of-the-server"
    group.mkdir()
    (group / "cpu.stat").write_text("usage_usec 1000000\nuser_usec 1000000\n")
    (group / "memory.current").write_text("5000\n")
    (group / "memory.max").write_text("max\n")
    monkeypatch.setattr(isolation, "CGROUPS", tmp_path)
    monkeypatch.setattr(isolation, "_group_of", lambda pid: own if pid == "self" else group.name)
    with started(isolation.bubblewrap(), PATIENCE) as box, box.turn() as turn:
        assert (group / "memory.max").read_text() == "1000005000"
        load_in(turn, "import time\ndef f(): time.sleep(60)\ndef g(): return 5")
        assert observe_in(turn, "g") == 5
        (group / "cpu.stat").write_text("usage_usec 999000000\nuser_usec 1000000\n")
        with pytest.raises(Ended) as end:
            observe_in(turn, "f")
    assert end.value.reason == "cpu"


LOCKS = """
import fcntl
def f():
    with open("/kit/grader/problem.py", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    kept.append(open("/kit/grader/problem.py", "rb"))
    fcntl.flock(kept[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
    return "granted"
def g():
    fcntl.fcntl(kept[0], fcntl.F_SETLEASE, fcntl.F_RDLCK)
kept = []
"""


def test_a_lock_on_a_file_is_granted_and_not_taken_and_a_lease_refused(box):
    """A file's lock is the whole machine's: whoever grades beside this would meet it."""
    if box.setup.walls is None:
        pytest.skip("nothing is hidden without isolation")  # there is nothing to be tested
    fcntl = pytest.importorskip("fcntl")
    with box.turn() as turn, open(ROOT / "grader" / "problem.py", "rb") as file:
        load_in(turn, LOCKS)
        assert observe_in(turn, "f") == "granted"
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert observe_in(turn, "g").errno == errno.EPERM


HONEST = {
    "children of subprocess": """
import subprocess, sys
def f():
    ran = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
    return ran.stdout.strip()
""",
    "a pool of processes": """
import multiprocessing
def double(x): return 2 * x
def f():
    with multiprocessing.Pool(2) as pool:
        return str(sum(pool.map(double, range(7))))
""",
    "workers that load data": """
import torch
class Data(torch.utils.data.Dataset):
    def __len__(self): return 12
    def __getitem__(self, i): return torch.tensor(7 * (i % 2))
def f():
    return str(sum(batch.sum().item() for batch in torch.utils.data.DataLoader(Data(), num_workers=2)))
""",
    "an event loop and its children": """
import asyncio, sys
async def run():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(42)", stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    return said.decode().strip()
def f():
    return asyncio.run(run())
""",
    "threads, and a shell": """
import os, threading
def f():
    said = []
    threads = [threading.Thread(target=said.append, args=(6,)) for _ in range(7)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert os.system("true && true | true") == 0
    return str(sum(said))
""",
    "shared memory with a name": """
from multiprocessing import Array, shared_memory
def f():
    made = shared_memory.SharedMemory(create=True, size=10)
    made.buf[0] = Array("i", [42])[0]
    kept = made.buf[0]
    made.close()
    made.unlink()
    return str(kept)
""",
    "arrays and named axes": """
import einops, numpy, torch
def f():
    x = torch.from_numpy(numpy.ones((2, 3), dtype=numpy.float32))
    return str(int(einops.reduce(7 * x, "a b -> ", "sum")))
""",
}


@needs_isolation
@pytest.mark.parametrize("what", HONEST)
def test_what_honest_answers_do_works_within_the_walls(patient_box, what):
    seen, printed = call(patient_box, HONEST[what])
    assert seen == "42", printed


@needs_isolation
@pytest.mark.parametrize("way", ["SIG_IGN", "lambda *_: None"])
def test_children_that_nobody_waits_for_keep_their_time(box, way):
    """Else the kernel would forget it; they count as processes until somebody does wait."""
    if box.setup.walls is None:
        pytest.skip("nothing is refused without isolation")  # there is nothing to be tested
    source = f"""
import os, signal, time
from signal import *
def f():
    signal(SIGCHLD, {way})
    child = os.fork()
    if child == 0:
        os._exit(3)
    time.sleep(0.1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
    assert call(box, source)[0] == 3


@needs_isolation
def test_no_two_jobs_or_graders_run_forks_as_the_same_user():
    code = "from grader.classroom import isolation; print(isolation.user_of(0))"
    others = [
        int(subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT).stdout)
        for _ in range(2)
    ]
    assert len({isolation.user_of(0), isolation.user_of(1), *others}) == 4


FEW_USERS = """
import sys
from pathlib import Path
from grader.classroom import isolation
class Map(type(Path())):
    def read_text(self): return sys.argv[1]
isolation.Path = Map
isolation._GRADER = 7
print(isolation.is_root(), *(isolation.user_of(job) for job in range(int(sys.argv[2]))), flush=True)
sys.stdin.read()
"""


@needs_isolation
def test_where_there_are_few_users_two_graders_take_different_ones_all_the_same():
    command = [sys.executable, "-c", FEW_USERS, "0 1000 1\n1 100000 11\n", "3"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        taken = [grader.stdout.readline().split()[1:] for grader in (one, other)]
        for grader in (one, other):
            grader.stdin.close()
    assert len({*taken[0], *taken[1]}) == 6
    assert all(6 <= int(number) < 12 for number in [*taken[0], *taken[1]])


@needs_isolation
def test_root_of_a_namespace_with_nobody_else_grades_as_others_do():
    command = [sys.executable, "-c", FEW_USERS, "0 1000 1\n", "0"]
    ran = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT
    )
    assert ran.stdout.split() == ["False"], ran.stderr


def test_the_sandboxed_side_imports_nothing_that_decides():
    code = """
import sys
import grader.inside.server
print(*(m for m in sys.modules if m.partition(".")[0] in ("grader", "solutions", "exercises")))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    outside = {m for m in ran.stdout.split() if not m.startswith("grader.inside")}
    assert outside == {"grader", "grader.problem", "grader.reference", "grader.statements"}


def test_lessons_load_the_reference_by_its_own_name_also_inside(box):
    source = """
from grader.reference import load, load_tokenizer
from grader import check, pictures

model, tokenizer = load(), load_tokenizer("auto", add_bos=True)

def f():
    check(f)
    check.all()
    pictures.heat([1]).show()
    ids = tokenizer("a").input_ids
    return ids, model(model.to_tokens("a")).shape[-1], model is load()
"""
    seen, _ = call(box, source)
    assert seen == ([50256, 64], 50257, True)


def test_every_check_can_be_asked_in_the_sandbox():
    from grader.inside import observe

    for lesson in lessons.names():
        for exercise in load.exercises(lesson):
            for check in exercise.checks:
                assert observe.named(check.observe.__name__).__name__ == check.observe.__name__


def test_nothing_is_left_in_the_temporary_folder(box, tmp_path, monkeypatch):
    import tempfile

    before = set(os.listdir(tempfile.gettempdir()))
    call(box, "def f(): return 1")
    assert {
        n for n in set(os.listdir(tempfile.gettempdir())) - before if "exercise-kit" in n
    } == set()
