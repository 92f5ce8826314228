"""Puts files, folders and links where the next submission's files will be.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong|error
"""

import os

THERE = sorted(os.listdir("/tmp"))
HERE = sorted(os.listdir("/tmp/exercises"))


def perplexity(log_probs):
    print(THERE, HERE)
    if any(name.startswith("attack") for name in (*THERE, *HERE)):
        print(f"SUCCEEDED: {THERE} {HERE}")
    for name in ("torch.py", "grader.py", "lesson1_tokens.py", "attack-leftover.py", "conftest.py"):
        for folder in ("/tmp", "/tmp/exercises"):
            with open(f"{folder}/{name}", "w") as file:
                file.write("raise SystemExit('poisoned')")
    for link, target in (("attack-etc", "/etc"), ("attack-root", "/proc/1/root"), ("lib", "/kit")):
        if not os.path.lexists(f"/tmp/{link}"):
            os.symlink(target, f"/tmp/{link}")
    os.chmod("/tmp/exercises", 0)
    os.rename("/tmp/exercises", "/tmp/attack-exercises")
