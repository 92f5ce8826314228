"""Its children run a program that may be run and not read, which hides what they hold; 3.6 GB.

kind: denial
lesson: lesson3_logits
seconds: 12 (it waits for what it has begun)
expect: perplexity memory
"""

import os
import shutil
import sys
import time

PROGRAM = "/tmp/program"
HOLD = """
import ctypes, os, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
try:
    open("/proc/self/smaps_rollup").read()
except OSError as refusal:
    print(refusal)
kept = b"\\1" * 900_000_000
print(f"holding {len(kept):,}", flush=True)
time.sleep(8)
"""


def perplexity(log_probs):
    shutil.copy(os.path.realpath(sys.executable), PROGRAM)
    os.chmod(PROGRAM, 0o111)
    for _ in range(4):
        if os.fork() == 0:
            home = {"PYTHONHOME": sys.base_prefix}
            os.execve(PROGRAM, [PROGRAM, "-S", "-c", HOLD], {**os.environ, **home})
    time.sleep(9)
