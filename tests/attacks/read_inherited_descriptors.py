"""Uses file descriptors that may have been left open for it: sockets, files, folders of the server.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import os
import socket

OPEN = [number for number in range(4096) if os.path.exists(f"/proc/self/fd/{number}")]
NAMES = [os.readlink(f"/proc/self/fd/{n}") for n in OPEN if os.path.islink(f"/proc/self/fd/{n}")]
ELSEWHERE = [
    n for n in NAMES if not n.startswith(("/dev/null", "pipe:", "socket:", "/tmp/exercises"))
]


def perplexity(log_probs):
    print(OPEN, NAMES)
    if ELSEWHERE or sum(name.startswith("socket:") for name in NAMES) > 1:
        print(f"SUCCEEDED: {NAMES}")
    for number in range(4, 64):
        try:
            kind = os.fstat(number)
            print(number, kind)
            other = socket.socket(fileno=number)
            print(f"SUCCEEDED: {other.getpeername()}")
            other.detach()
        except OSError:
            continue
