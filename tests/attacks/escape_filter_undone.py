"""Undoes what was given up: the filter of system calls, no new privileges, limits, capabilities.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import ctypes
import os
import resource
import struct

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    code = 1
    for name, arguments in (
        ("no_new_privs off", (38, 0, 0, 0, 0)), ("seccomp off", (22, 0, 0, 0, 0)),
        ("ambient capability", (47, 2, 21, 0, 0)), ("securebits", (28, 0, 0, 0, 0)),
    ):  # fmt: skip
        if libc.prctl(*arguments) == 0:
            print(f"SUCCEEDED: {name}")
        code = ctypes.get_errno()
    header = struct.pack("=Ii", 0x20080522, 0)
    if libc.capset(header, struct.pack("=6I", *[1 << 21] * 6)) == 0:
        print("SUCCEEDED: capset")
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC):
        try:
            resource.prlimit(0, limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            print(f"SUCCEEDED: limit {limit} raised")
        except (OSError, ValueError):
            continue
    raise OSError(code or 1, os.strerror(code or 1))
