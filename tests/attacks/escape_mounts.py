"""Mounts, unmounts and moves file systems, by the old calls and the new ones.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    os.makedirs("/tmp/here", exist_ok=True)
    code = 0
    for name, arguments in (
        ("mount", (b"none", b"/tmp/here", b"tmpfs", 0, None)),
        ("mount", (b"/", b"/tmp/here", None, 4096, None)),
        ("mount", (None, b"/", None, 32 | 4096, None)),
        ("mount", (b"proc", b"/tmp/here", b"proc", 0, None)),
        ("umount2", (b"/tmp/venv", 2)),
        ("umount2", (b"/proc", 2)),
    ):
        if getattr(libc, name)(*arguments) == 0:
            print(f"SUCCEEDED: {name} {arguments}")
        code = ctypes.get_errno()
    for number, arguments in (
        (428, (-100, b"/", 1)), (430, (b"tmpfs", 0)), (155, (b"/tmp", b"/tmp/here")),
        (442, (-100, b"/", 0, None, 0)), (429, (-100, b"/tmp/here", -100, b"/tmp", 0)),
    ):  # fmt: skip
        if libc.syscall(number, *arguments) >= 0:
            print(f"SUCCEEDED: system call {number}")
        code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
