"""Looks into /proc at other processes: command lines, folders, open files, maps.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import os


def perplexity(log_probs):
    processes = [name for name in os.listdir("/proc") if name.isdigit()]
    others = [name for name in processes if int(name) != os.getpid()]
    if others:
        print(f"SUCCEEDED: there are processes {others}")
    for process in (*others, "1", "self"):
        for name in ("cmdline", "cgroup", "mountinfo", "wchan", "stack", "syscall"):
            try:
                with open(f"/proc/{process}/{name}") as file:
                    print(process, name, file.read(1500).replace("\0", " "))
            except OSError as refusal:
                print(refusal)
        for name in ("cwd", "root", "exe"):
            try:
                print(process, name, os.readlink(f"/proc/{process}/{name}"))
                print(os.listdir(f"/proc/{process}/{name}/"))
            except OSError as refusal:
                print(refusal)
