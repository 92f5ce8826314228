"""Changes what a process hands on: priority, processors, folder, mask, limits, signals, name.

kind: interference
lesson: lesson3_logits
times: 2
expect: entropy wrong|error|blocked
"""

import os
import resource
import signal

BEGUN = os.nice(0) > 5, os.getcwd(), os.umask(0o22), len(os.sched_getaffinity(0)) < 1


def entropy(logits):
    if BEGUN != (False, "/tmp", 0o22, False):
        print(f"SUCCEEDED: {BEGUN}")
    os.nice(19)
    os.umask(0o777)
    os.chdir("/")
    try:
        os.sched_setaffinity(0, {0})
        print("SUCCEEDED: sched_setaffinity")
    except OSError as refusal:
        print(refusal)
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
        for raised in (resource.RLIM_INFINITY, 1 << 30):
            try:
                resource.setrlimit(limit, (raised, raised))
                print(f"SUCCEEDED: limit {limit} raised")
            except (OSError, ValueError) as refusal:
                print(refusal)
        resource.setrlimit(limit, (0, 0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
