"""Looks for what others handed in: before it, beside it, and where its own files lie.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import glob
import os
import sys


def perplexity(log_probs):
    own = {"/tmp/exercises/__init__.py", "/tmp/exercises/lesson3_logits.py"}
    for pattern in (
        "/tmp/*/lesson*.py",
        "/tmp/*/*/lesson*.py",
        "/*/*-neighbour*/*",
        "../*/*/lesson*.py",
    ):
        for path in glob.glob(pattern):
            if os.path.realpath(path) not in own:
                print(f"SUCCEEDED: {path}")
    print([name for name in sys.modules if "lesson" in name], os.getcwd(), os.listdir("."))
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            above = os.path.dirname(line.split()[4])
            print(above, os.listdir(above)[:50])
