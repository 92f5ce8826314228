"""What a fork of the sandbox's server gives up before it runs a student's code.

The server itself runs in bubblewrap (`grader.classroom.isolation`): no network, a read-only file
system. This adds what one submission must not share with the next: processes, /tmp, memory, system
calls. Linux only, but for the limits.

Numbers of system calls are from the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and
`include/uapi/asm-generic/unistd.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

NEWNS, NEWIPC, NEWPID = 0x0002_0000, 0x0800_0000, 0x2000_0000
ANY_NAMESPACE = 0x7E02_0080  # every CLONE_NEW* flag, CLONE_NEWTIME included
READ_ONLY, NOSUID, NODEV, NOEXEC, BIND_ALL = 1, 2, 4, 8, 4096 | 16384


@dataclass(frozen=True)
class Limits:
    """For one submission at a time; memory and processes beyond those of the warm server."""

    seconds: float = 10.0  # of processor time for one exercise, and for importing one lesson
    memory: int = 2_000_000_000  # bytes
    processes: int = 40  # threads count, too
    files: int = 128  # open at a time; what sockets hold is nobody's memory
    file_size: int = 32_000_000  # bytes of one file
    tmp: int = 64_000_000  # bytes in /tmp
    printed: int = 20_000  # bytes kept of what one lesson prints

    @property
    def wall(self) -> float:
        """The same on the clock: on a busy machine nobody fails for having waited."""
        return 3 * self.seconds


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def fork_apart() -> int:
    """`os.fork`, into new namespaces for processes and System V IPC. The child is the first process
    of its own: when it goes, all that it started goes."""
    libc = _libc()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _must(libc.unshare(NEWPID | NEWIPC), "unshare")
        pid = os.fork()
        if pid:
            _must(libc.setns(own, NEWPID), "setns")  # where the next one is forked from
        return pid
    finally:
        os.close(own)


def private_files(limits: Limits, keep: list[str]) -> None:
    """A /tmp, a /dev/shm and a /proc of its own. `keep`: folders in /tmp that stay."""
    libc = _libc()
    _must(libc.unshare(NEWNS), "unshare")

    def mount(kind: bytes, where: bytes, flags: int, options: bytes | None = None) -> None:
        _must(libc.mount(kind, where, kind, flags, options), f"mount {where.decode()}")

    tmp = b"size=%d,nr_inodes=4096,mode=1777" % limits.tmp
    # To be read only: some of the kernel's settings are the network namespace's root's to change.
    mount(b"proc", b"/proc", NOSUID | NODEV | NOEXEC | READ_ONLY)
    mount(b"tmpfs", b"/dev/shm", NOSUID | NODEV | NOEXEC, b"size=16m,nr_inodes=256,mode=1777")
    mount(b"tmpfs", b"/dev/pts", NOSUID | NODEV | NOEXEC | READ_ONLY)  # counted by machine
    kept = [(folder, os.open(folder, os.O_PATH | os.O_DIRECTORY)) for folder in keep]
    mount(b"tmpfs", b"/tmp", NOSUID | NODEV, tmp)
    for folder, as_it_was in kept:
        os.makedirs(folder, mode=0o755)
        source = b"/proc/self/fd/%d" % as_it_was
        _must(libc.mount(source, folder.encode(), None, BIND_ALL, None), f"mount {folder}")
        os.close(as_it_was)


def limit(limits: Limits, turns: int) -> None:
    """`turns`: how many times the seconds may be needed in one fork."""
    import resource  # not on Windows, where `grader doctor` still has something to say

    seconds = int(limits.seconds * turns) + 1
    for what, most in (
        (resource.RLIMIT_AS, _virtual_memory() + limits.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_CORE, 1),  # with 0 a program of the machine's is still told of a crash
        *_counted_by_user(resource),
    ):
        try:
            _, hard = resource.getrlimit(what)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS does not take every one of them
            continue


def _counted_by_user(resource: Any) -> Iterator[tuple[int, int]]:
    """Limits on what the kernel keeps of a user, however many processes it is for."""
    for name, most in (
        ("SIGPENDING", 256),  # POSIX timers, too
        ("MSGQUEUE", 0),
        ("MEMLOCK", 65_536),
    ):
        if hasattr(resource, f"RLIMIT_{name}"):
            yield getattr(resource, f"RLIMIT_{name}"), most


def first_to_go() -> None:
    """Where the machine's memory runs out, the kernel takes this one, and not the grader."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def _virtual_memory() -> int:
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def drop_rights(uid: int | None) -> None:
    """No capability, and no way to get one. `uid`: who to become, where the server is root."""
    libc = _libc()
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; fails beyond the last one there is
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: else its own /proc/self is root's
    version_3, no_capabilities = struct.pack("=Ii", 0x2008_0522, 0), bytes(24)
    _must(libc.capset(version_3, no_capabilities), "capset")
    _must(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")  # PR_SET_NO_NEW_PRIVS
    _filter_system_calls(libc)


# --- System calls --------------------------------------------------------------------------------

# name: (x86_64, aarch64). What no exercise needs and what reaches past namespaces and limits.
_REFUSED = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "kexec_load": (246, 104),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "personality": (135, 92), "quotactl": (179, 60), "syslog": (103, 116),
    # Memory that belongs to no process, and so is not counted. A pipe that is given a byte of a
    # huge page holds all of that page.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "vmsplice": (278, 75),
    # Counted by user or by machine, so that one submission could leave none to others.
    "inotify_init": (253, 26), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "io_setup": (206, 0),
    "io_submit": (209, 2),
    # To leave the processors of its own job, or to be served by the disk before others.
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _FLOCK, _FCNTL = (56, 220), (435, 435), (41, 198), (73, 32), (72, 25)
_MMAP, _SETSOCKOPT, _SIGACTION = (9, 222), (54, 208), (13, 134)
_LOCK_COMMANDS = (6, 7, 37, 38)  # of fcntl: F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
# F_SETLEASE, F_NOTIFY: whoever opens the file then waits for it. F_SETPIPE_SZ: counted by user.
_REFUSED_COMMANDS = (1024, 1026, 1031)
# AF_UNIX; AF_INET, AF_INET6. Others, as AF_VSOCK, know no namespaces.
_UNIX, _INTERNET = 1, (2, 10)
_BUFFER_SIZES = (7, 8)  # SO_SNDBUF, SO_RCVBUF
_SHARED_AND_ANONYMOUS = (0x01, 0x20)  # MAP_SHARED, MAP_ANONYMOUS
_SIGCHLD = 17
_ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data, and of an argument's lower half.
_NUMBER, _ARCHITECTURE = 0, 4
_ARGUMENT = [16 + 8 * i for i in range(6)]
Instructions = list[tuple[int, int, int, int]]


def has_filter() -> bool:
    return platform.machine() in _ARCHITECTURES


def _filter_program() -> bytes:
    """Classic BPF for `seccomp(2)`: an error for what is refused, anything else goes through."""
    audit, column = _ARCHITECTURES[platform.machine()]
    allow: Instructions = [(_RETURN, 0, 0, _ALLOW)]
    as_if_done = _error(0)
    refuse = _error(errno.EPERM)
    program: Instructions = [(_LOAD, 0, 0, _ARCHITECTURE)]
    program += [(_EQUAL, 1, 0, audit), *refuse]  # other ABIs have other numbers
    program.append((_LOAD, 0, 0, _NUMBER))
    program += _where(_AT_LEAST, [0x4000_0000], refuse)  # x32, one of them
    program += _where(_EQUAL, sorted({both[column] for both in _REFUSED.values()}), refuse)
    # glibc falls back to clone, whose flags can be read.
    program += _where(_EQUAL, [_CLONE3[column]], _error(errno.ENOSYS))

    def where_called(call: tuple[int, int], then: Instructions) -> None:
        program.extend(_where(_EQUAL, [call[column]], [*then, *allow]))

    where_called(_CLONE, [_argument(0), *_where(_ANY_BIT, [ANY_NAMESPACE], refuse)])
    where_called(
        _SOCKET,
        [
            _argument(0),
            *_where(_EQUAL, [_UNIX], allow),
            # There is no network, and what a connection within holds is no process's memory.
            *_where(_EQUAL, _INTERNET, _error(errno.ENETUNREACH)),
            *_error(errno.EAFNOSUPPORT),
        ],
    )
    larger = _where(_EQUAL, _BUFFER_SIZES, as_if_done)
    where_called(
        _SETSOCKOPT,
        [_argument(1), *_where(_EQUAL, [1], [_argument(2), *larger])],  # SOL_SOCKET
    )
    # Memory shared under no name stays as long as a byte of it is mapped, and only what is mapped
    # is counted. Who asks for much of it is told that there is none, as of any other memory.
    none = [_argument(1), *_where(_AT_LEAST, [1 << 20], _error(errno.ENOMEM)), *refuse]
    shared, anonymous = _SHARED_AND_ANONYMOUS
    both = _where(_ANY_BIT, [shared], _where(_ANY_BIT, [anonymous], none))
    where_called(_MMAP, [_argument(3), *both])
    # A lock is the whole machine's, also on a file that can only be read: here everybody is told
    # that they have it, and nobody does.
    where_called(_FLOCK, as_if_done)
    where_called(
        _FCNTL,
        [
            _argument(1),
            *_where(_EQUAL, _LOCK_COMMANDS, as_if_done),
            *_where(_EQUAL, _REFUSED_COMMANDS, refuse),
        ],
    )
    # The time of children that nobody waits for would be lost if their end were ignored. Asking
    # what is done with it (no new action, in either half of the pointer) goes through.
    asks = _where(_EQUAL, [0], [(_LOAD, 0, 0, _ARGUMENT[1] + 4), *_where(_EQUAL, [0], allow)])
    where_called(
        _SIGACTION,
        [_argument(0), *_where(_EQUAL, [_SIGCHLD], [_argument(1), *asks, *as_if_done])],
    )
    program += allow
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _argument(n: int) -> tuple[int, int, int, int]:
    return _LOAD, 0, 0, _ARGUMENT[n]


def _error(number: int) -> Instructions:
    return [(_RETURN, 0, 0, _ERRNO | number)]


def _where(test: int, values: Sequence[int], then: Instructions) -> Instructions:
    """If the test holds for one of the values, do that; else go on after it."""
    last = len(values) - 1
    jumps = [
        (test, last - i, 0 if i < last else len(then), value) for i, value in enumerate(values)
    ]
    return [*jumps, *then]


def _filter_system_calls(libc: ctypes.CDLL) -> None:
    program = ctypes.create_string_buffer(_filter_program())
    # struct sock_fprog: how many instructions, and where they are
    described = struct.pack("HP", (len(program) - 1) // 8, ctypes.addressof(program))
    _must(libc.prctl(22, 2, described, 0, 0), "seccomp")  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
