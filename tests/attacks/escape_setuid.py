"""Becomes root: by calls, by programs that run as their owner, by one that it makes.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import glob
import os
import shutil
import stat
import subprocess

begun = []


def perplexity(log_probs):
    refusal = None
    mapped = open("/proc/self/uid_map").read().split() != ["0", "0", "4294967295"]  # noqa: SIM115
    for change in (os.setuid, os.setgid, os.seteuid, lambda _: os.setgroups([0])):
        try:
            change(0)
            if not mapped:
                print(f"SUCCEEDED: {change}")
        except OSError as refusal_:
            refusal = refusal_
    shutil.copy(shutil.which("id"), "/tmp/id")
    try:
        os.chmod("/tmp/id", 0o6755)
    except OSError as refusal_:
        refusal = refusal_
    if not begun:
        begun.append(True)
        for path in [*glob.glob("/usr/bin/*"), *glob.glob("/usr/sbin/*"), "/tmp/id"]:
            if os.path.isfile(path) and os.stat(path).st_mode & stat.S_ISUID:
                ran = subprocess.run(
                    [path, "-c", "id"] if path != "/tmp/id" else [path],
                    capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=1,
                )  # fmt: skip
                print(path, ran.returncode, ran.stdout[:100], ran.stderr[:60])
                if not mapped and ("uid=0" in ran.stdout or "euid=0" in ran.stdout):
                    print(f"SUCCEEDED: {path}")
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(("CapPrm", "CapEff", "CapBnd", "CapAmb")) and int(
                line.split()[1], 16
            ):
                print(f"SUCCEEDED: {line}")
    raise refusal or PermissionError(1, "nothing came of it")
