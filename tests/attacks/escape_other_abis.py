"""Makes system calls by the numbers of other ABIs: 32 bit by int 0x80, and x32.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error|wrong
"""

import ctypes
import mmap
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
# push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx; xor edx, edx; int 0x80; pop rbx; ret
CODE = bytes.fromhex("53 89f8 89f3 89d1 31d2 cd80 5b c3")


def perplexity(log_probs):
    if platform.machine() != "x86_64":
        return
    own = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    page = mmap.mmap(-1, 4096, own, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(CODE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(address)
    code = 0
    for name, number, argument in (("getpid", 20, 0), ("unshare", 310, 0x10000000)):
        result = call(number, argument, 0)
        if result >= 0:
            print(f"SUCCEEDED: int 0x80 {name}: {result}")
        code = -result
    for name, number in (("getpid", 39), ("ptrace", 521), ("unshare", 272)):
        result = libc.syscall(0x40000000 | number, 0)
        if result >= 0:
            print(f"SUCCEEDED: x32 {name}: {result}")
        code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
