"""Types into the terminal that the grader runs in.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import fcntl
import os
import struct

TIOCSTI, TIOCLINUX, TIOCSCTTY = 0x5412, 0x541C, 0x540E


def perplexity(log_probs):
    refusal = None
    descriptors = [0, 1, 2]
    for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/pts/0"):
        try:
            descriptors.append(os.open(path, os.O_RDWR | os.O_NOCTTY))
            print(f"SUCCEEDED: {path}")
        except OSError as refusal_:
            refusal = refusal_
    for descriptor in descriptors:
        for request, argument in (
            (TIOCSTI, b" "),
            (TIOCSCTTY, struct.pack("i", 1)),
            (TIOCLINUX, b"\2"),
        ):
            try:
                fcntl.ioctl(descriptor, request, argument)
                print(f"SUCCEEDED: {request:#x} on {descriptor}")
            except OSError as refusal_:
                refusal = refusal_
    raise refusal
