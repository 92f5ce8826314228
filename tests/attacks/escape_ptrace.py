"""Traces other processes and writes into their memory.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    code = 0
    here = ctypes.create_string_buffer(16)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(here), 16)
    for process in range(1, 200):
        if libc.ptrace(16, process, None, None) == 0:  # PTRACE_ATTACH
            print(f"SUCCEEDED: ptrace {process}")
        code = ctypes.get_errno()
        for number in (310, 311):  # process_vm_readv, process_vm_writev
            if libc.syscall(number, process, vector, 1, vector, 1, 0) >= 0:
                print(f"SUCCEEDED: system call {number} {process}")
        if libc.syscall(312, process, os.getpid(), 0, 0, 0) >= 0:
            print(f"SUCCEEDED: kcmp {process}")
        descriptor = libc.syscall(434, process, 0)  # pidfd_open
        if descriptor >= 0:
            if process != os.getpid():
                print(f"SUCCEEDED: pidfd_open {process}")
            if libc.syscall(438, descriptor, 3, 0) >= 0:
                print(f"SUCCEEDED: pidfd_getfd {process}")
            os.close(descriptor)
    if libc.ptrace(0, 0, None, None) == 0:
        print("SUCCEEDED: to be traced")
    raise OSError(code, os.strerror(code))
