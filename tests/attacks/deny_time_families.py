"""Works in grandchildren whose parents have gone, in children that signal nothing when they end,
and in programs of their own.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout|blocked
expect: entropy timeout|blocked
expect: cross_entropy timeout|blocked
"""

import ctypes
import os
import sys
import time

MOMENT = 0.02  # seconds
MOST = 4.0  # of processor time, where two are allowed
CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]


def spend():
    while time.process_time() < MOMENT:
        pass
    os._exit(0)


def without_end(begin):
    """`begin` says whether somebody is at work."""
    spent, until = 0.0, time.monotonic() + 30
    while time.monotonic() < until:
        spent += MOMENT * begin()
        time.sleep(MOMENT / 2)
        if spent > MOST:
            print(f"SUCCEEDED: {spent:.1f} seconds")


def grandchild():
    child = os.fork()
    if child == 0:
        try:
            if os.fork() == 0:
                spend()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def perplexity(log_probs):
    without_end(grandchild)


def silent():
    """The lowest byte of the flags is the signal at its end: none."""
    child = ctypes.CDLL(None).syscall(CLONE, 0, 0, 0, 0, 0)
    if child == 0:
        spend()
    return child > 0


def entropy(logits):
    without_end(silent)


def program():
    if os.fork() == 0:
        code = f"import time\nwhile time.process_time() < {MOMENT}: pass"
        os.execv(sys.executable, [sys.executable, "-S", "-c", code])
    return True


def cross_entropy(logits, tokens, attention_mask):
    without_end(program)
