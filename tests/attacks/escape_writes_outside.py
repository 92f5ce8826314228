"""Writes into every folder and every file that it finds, outside /tmp.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import os
import sys
import time

begun = []
ALLOWED = ("/proc", "/dev/shm", "/dev/pts")


def perplexity(log_probs):
    until = time.time() + 0.6
    refusal = None
    for top in ("/kit", "/reference", "/etc", "/root", "/dev", "/usr/local", sys.prefix, "/"):
        for folder, _, files in os.walk(top) if not begun else ():
            if folder.startswith(ALLOWED) or (folder.startswith("/tmp") and top == "/"):
                continue
            if time.time() > until:
                break
            try:
                os.close(os.open(f"{folder}/attack-leftover", os.O_CREAT | os.O_WRONLY))
                print(f"SUCCEEDED: a file in {folder}")
            except OSError as refusal_:
                refusal = refusal_
            for name in files:
                try:
                    os.close(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_APPEND))
                    if not folder.startswith("/dev"):
                        print(f"SUCCEEDED: {folder}/{name} can be written")
                except OSError as refusal_:
                    refusal = refusal_
    begun.append(True)
    os.close(os.open("/kit/grader/attack-leftover", os.O_CREAT | os.O_WRONLY))
    raise refusal
