"""Sets the clock, the name of the machine and swap; each to what it is already.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import ctypes
import os
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    code = 1
    try:
        time.clock_settime(time.CLOCK_REALTIME, time.time())
        print("SUCCEEDED: clock_settime")
    except OSError as refusal:
        print(refusal)
    name = socket.gethostname().encode()
    for call, arguments in (
        ("sethostname", (name, len(name))),
        ("setdomainname", (b"", 0)),
        ("swapoff", (b"/none",)),
        ("acct", (None,)),
        ("nice", (-20,)),
        ("mlockall", (1,)),
        ("ioperm", (0x80, 1, 1)),
        ("iopl", (3,)),
    ):
        if getattr(libc, call)(*arguments) == 0 and call not in ("mlockall", "nice"):
            print(f"SUCCEEDED: {call}")
        code = ctypes.get_errno() or code
    raise PermissionError(1, os.strerror(code))
