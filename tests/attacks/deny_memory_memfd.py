"""Puts memory into files that no process maps, where no limit of a process counts it.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    refusal = None
    for name, number in (("memfd_create", 319), ("memfd_secret", 447), ("userfaultfd", 323)):
        made = libc.syscall(number, b"attack" if number == 319 else 0, 0)
        if made >= 0:
            print(f"SUCCEEDED: {name}")
            os.close(made)
        refusal = OSError(ctypes.get_errno(), name)
    for _ in range(100):
        descriptor = os.memfd_create("attack")
        os.ftruncate(descriptor, 30_000_000)
        os.write(descriptor, b"\1" * 30_000_000)
    raise refusal
