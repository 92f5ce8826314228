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
from dataclasses import dataclass

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
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            _, hard = resource.getrlimit(what)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS does not take every one of them
            continue


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
    "personality": (135, 92), "quotactl": (179, 60),
    # Memory that belongs to no process, and so is not counted.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    # To leave the processors of its own job.
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _FLOCK, _FCNTL = (56, 220), (435, 435), (41, 198), (73, 32), (72, 25)
_LOCK_COMMANDS = (6, 7, 37, 38)  # of fcntl: F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
_LEASE_COMMANDS = (1024, 1026)  # F_SETLEASE, F_NOTIFY: whoever opens the file then waits for it
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6. Others, as AF_VSOCK, know no namespaces.
_ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24


def has_filter() -> bool:
    return platform.machine() in _ARCHITECTURES


def _filter_program() -> bytes:
    """Classic BPF for `seccomp(2)`: an error for what is refused, anything else goes through."""
    audit, column = _ARCHITECTURES[platform.machine()]
    refuse = [(_RETURN, 0, 0, _ERRNO | errno.EPERM)]

    def instead(test: int, value: int, then: list[tuple[int, int, int, int]]) -> None:
        """If the test holds, do that; else go on after it."""
        program.append((test, 0, len(then), value))
        program.extend(then)

    program: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _ARCHITECTURE)]
    program += [(_EQUAL, 1, 0, audit), *refuse]  # other ABIs have other numbers
    program.append((_LOAD, 0, 0, _NUMBER))
    instead(_AT_LEAST, 0x4000_0000, refuse)  # x32, one of them
    for numbers in _REFUSED.values():
        instead(_EQUAL, numbers[column], refuse)
    # glibc falls back to clone, whose flags can be read.
    instead(_EQUAL, _CLONE3[column], [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)])
    first_argument, allow = (_LOAD, 0, 0, _FIRST_ARGUMENT), (_RETURN, 0, 0, _ALLOW)
    instead(
        _EQUAL,
        _CLONE[column],
        [first_argument, (_ANY_BIT, 0, 1, ANY_NAMESPACE), *refuse, allow],
    )
    families = [(_EQUAL, len(_FAMILIES) - i, 0, family) for i, family in enumerate(_FAMILIES)]
    no_such_family = (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT)
    instead(_EQUAL, _SOCKET[column], [first_argument, *families, no_such_family, allow])
    # A lock is the whole machine's, also on a file that can only be read: here everybody is told
    # that they have it, and nobody does.
    as_if_done = (_RETURN, 0, 0, _ERRNO)
    instead(_EQUAL, _FLOCK[column], [as_if_done])
    commands = [(_LOAD, 0, 0, _SECOND_ARGUMENT)]
    for command in _LOCK_COMMANDS:
        commands += [(_EQUAL, 0, 1, command), as_if_done]
    for command in _LEASE_COMMANDS:
        commands += [(_EQUAL, 0, 1, command), *refuse]
    instead(_EQUAL, _FCNTL[column], [*commands, allow])
    program.append(allow)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _filter_system_calls(libc: ctypes.CDLL) -> None:
    program = ctypes.create_string_buffer(_filter_program())
    # struct sock_fprog: how many instructions, and where they are
    described = struct.pack("HP", (len(program) - 1) // 8, ctypes.addressof(program))
    _must(libc.prctl(22, 2, described, 0, 0), "seccomp")  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
