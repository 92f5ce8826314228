"""Walks the file system for files whose names or contents tell of grades, seeds and other people.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import os
import re
import time

CANARY = re.compile(rb"canary-[a-z]+-[0-9a-f]{16}|exp = [(]x - x[.]amax")
TELLING = ("gradebook", "hidden", "solutions", ".sqlite", "neighbour", "submission", "canary")
SYSTEM = ("/proc", "/sys", "/usr", "/lib", "/bin", "/sbin")
done = []


def perplexity(log_probs):
    until = time.time() + 1.2
    for folder, folders, files in os.walk("/", followlinks=False) if not done else ():
        if folder.startswith(SYSTEM) or folder.endswith(("site-packages", "/lib", "/.pyenv")):
            folders.clear()
        for name in (*folders, *files):
            if any(word in name for word in TELLING):
                print(f"SUCCEEDED: {os.path.join(folder, name)}")
        for name in files:
            path = os.path.join(folder, name)
            try:
                if time.time() < until and os.path.isfile(path) and os.path.getsize(path) < 10**6:
                    with open(path, "rb") as file:
                        if match := CANARY.search(file.read()):
                            print(f"SUCCEEDED: {path}: {match[0]}")
            except OSError:
                continue
    done.append(True)
    print(
        os.listdir("/"), os.listdir("/tmp"), os.listdir("/root") if os.path.exists("/root") else 0
    )
