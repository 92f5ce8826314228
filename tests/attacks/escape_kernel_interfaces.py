"""Uses parts of the kernel that no exercise needs and that had holes before.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
EPERM, ENOSYS, EFAULT, EINVAL = 1, 38, 14, 22
CALLS = {
    "bpf": (321, 0, None, 0),
    "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"attack", b"x", 1, -3),
    "request_key": (249, b"user", b"attack", None, -3),
    "io_uring_setup": (425, 1, None),
    "io_uring_enter": (426, 0, 0, 0, 0, None),
    "userfaultfd": (323, 0),
    "perf_event_open": (298, None, 0, -1, -1, 0),
    "personality": (135, 0x0040000),
    "kexec_load": (246, 0, 0, None, 0),
    "init_module": (175, None, 0, b""),
    "quotactl": (179, 0, None, 0, None),
    "finit_module": (313, -1, b"", 0),
    "delete_module": (176, b"attack-none", 0),
    "process_vm_readv": (310, 1, None, 0, None, 0, 0),
}


def perplexity(log_probs):
    for name, (number, *arguments) in CALLS.items():
        result = libc.syscall(number, *arguments)
        code = ctypes.get_errno()
        print(name, result, os.strerror(code))
        # Any other refusal was made by the call itself, which has looked at its arguments.
        if result >= 0 or code not in (EPERM, ENOSYS):
            print(f"SUCCEEDED: {name} was let through")
    raise OSError(EPERM, "refused")
