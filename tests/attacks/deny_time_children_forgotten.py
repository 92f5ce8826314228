"""Works in children of a moment each, and has the kernel forget their time when they end.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout|blocked
expect: entropy timeout|blocked
"""

import ctypes
import os
import signal
import time

MOMENT = 0.03  # seconds
MOST = 4.0  # of processor time, where two are allowed


class Action(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16),
                ("flags", ctypes.c_int), ("restorer", ctypes.c_void_p)]  # fmt: skip


def work():
    if os.fork() == 0:
        while time.process_time() < MOMENT:
            pass
        os._exit(0)


def work_without_end():
    pace = MOMENT / (2 * len(os.sched_getaffinity(0)))
    for n in range(3000):
        work()
        time.sleep(pace)
        if n * MOMENT > MOST:
            print(f"SUCCEEDED: {n * MOMENT:.1f} seconds")


def perplexity(log_probs):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    work_without_end()


def entropy(logits):
    no_child_waits = 2
    action = Action(handler=0, flags=no_child_waits)
    ctypes.CDLL(None).sigaction(signal.SIGCHLD, ctypes.byref(action), None)
    work_without_end()
