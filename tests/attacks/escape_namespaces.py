"""Makes namespaces, in which it would be root again, and enters those of others.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
FLAGS = (0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000, 0x04000000, 0x02000000, 0x80)


def perplexity(log_probs):
    code = 0
    for flag in FLAGS:
        if libc.unshare(flag) == 0:
            print(f"SUCCEEDED: unshare {flag:#x}")
        code = ctypes.get_errno()
        child = libc.syscall(56, ctypes.c_ulong(flag | 17), None, None, None, None)
        if child == 0:
            os._exit(0)
        if child > 0:
            print(f"SUCCEEDED: clone {flag:#x}")
    clone3 = (ctypes.c_uint64 * 11)(FLAGS[0], 0, 0, 0, 17)
    child = libc.syscall(435, clone3, ctypes.c_size_t(88))
    if child == 0:
        os._exit(0)
    if child > 0:
        print("SUCCEEDED: clone3")
    for name in os.listdir("/proc/1/ns"):
        descriptor = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
        if libc.setns(descriptor, 0) == 0:
            print(f"SUCCEEDED: setns {name}")
        code = ctypes.get_errno()
        os.close(descriptor)
    raise OSError(code, os.strerror(code))
