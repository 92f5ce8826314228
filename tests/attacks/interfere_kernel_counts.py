"""Uses up what the kernel counts by user or by machine, so that others have none left.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import ctypes
import fcntl
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
CALLS = {
    "inotify_init1": (294 if X86 else 26, 0),
    "fanotify_init": (300 if X86 else 262, 0, 0),
    "io_setup": (206 if X86 else 0, 1000, ctypes.byref(ctypes.c_ulong())),
    "mq_open": (240 if X86 else 180, b"attack", 0o102, 0o600, None),
    "keyctl": (250 if X86 else 219, 1, None),
    "ioprio_set": (251 if X86 else 30, 1, 0, 2 << 13),
    "shmget": (29 if X86 else 194, 0, 4096, 0o1600),
}


def tried(name, allowed, use):
    """How often it can be used."""
    for n in range(100_000):
        try:
            use()
        except OSError as refusal:
            print(f"{name}: {n} times, then {refusal}")
            return
        if n >= allowed:
            print(f"SUCCEEDED: {name}, {n} times")
            return


def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def perplexity(log_probs):
    for name, arguments in CALLS.items():
        tried(name, 0, lambda arguments=arguments: call(*arguments))
    timer, event = ctypes.c_void_p(), (ctypes.c_int * 16)(0, 0, signal.SIGUSR1)
    new_timer = 222 if X86 else 107
    tried("timers", 1000, lambda: call(new_timer, 0, event, ctypes.byref(timer)))
    tried("terminals", 0, os.openpty)
    ours, _ = os.pipe()
    tried("a large pipe", 0, lambda: fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 1 << 20))
    folder = os.open("/tmp", os.O_RDONLY)
    tried("F_NOTIFY", 0, lambda: fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_CREATE))
    tried("locked memory", 100, lambda: call(149 if X86 else 228, id(bytes(10**6)), 10**6))
