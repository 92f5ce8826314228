"""Looks for the gradebook, to read it and to give itself points.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import glob
import os
import sqlite3


def perplexity(log_probs):
    paths = glob.glob("/proc/*/fd/*") + glob.glob("/tmp/**/*.sqlite*", recursive=True)
    paths += [*glob.glob("/*.sqlite*"), "/proc/1/cwd/gradebook.sqlite", "gradebook.sqlite"]
    for path in paths:
        try:
            print(path, os.path.realpath(path))
            if not os.path.isfile(path):
                continue
            with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as book:
                book.execute("UPDATE results SET outcome = 'passed', points = max_points")
                print(f"SUCCEEDED: {path}")
        except (OSError, sqlite3.Error) as refusal:
            print(refusal)
