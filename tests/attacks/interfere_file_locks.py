"""A daemon of its own locks every file that others must read.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import fcntl
import glob
import os
import time

begun = []


def perplexity(log_probs):
    if begun:
        return
    kit = glob.glob("/kit/grader/**/*.py", recursive=True)
    for path in (*glob.glob("/reference/*"), *kit, os.__file__):
        file = open(path, "rb")  # noqa: SIM115
        begun.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"SUCCEEDED: {path} is locked by another")
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            print(f"SUCCEEDED: a lease on {path}")
        except OSError as refusal:
            print(refusal)
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
