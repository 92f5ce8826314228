"""Writes into the kernel's files: sysrq, the handler of core dumps, modules, control groups.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import os

# What each would be told is what it holds already, or does nothing.
FILES = {
    "/proc/sysrq-trigger": "h",
    "/proc/sys/kernel/core_pattern": None,
    "/proc/sys/kernel/modprobe": None,
    "/proc/sys/kernel/hotplug": None,
    "/sys/kernel/uevent_helper": None,
    "/proc/sys/vm/drop_caches": "0",
    "/sys/fs/cgroup/release_agent": None,
    "/sys/fs/cgroup/cgroup.procs": "0",
    "/proc/sys/kernel/hostname": None,
    "/proc/sys/fs/binfmt_misc/register": "",
    "/proc/1/oom_score_adj": "-1000",
    "/proc/self/uid_map": "0 0 1",
    "/proc/self/setgroups": "allow",
    "/proc/sys/kernel/ns_last_pid": None,
    "/proc/acpi/wakeup": "",
    "/proc/irq/default_smp_affinity": None,
}


def perplexity(log_probs):
    refusal = None
    for path, text in FILES.items():
        try:
            if text is None:
                with open(path) as file:
                    text = file.read()
            with open(path, "w") as file:
                file.write(text)
            print(f"SUCCEEDED: {path}")
        except OSError as refusal_:
            print(refusal_)
            refusal = refusal_
    print(os.listdir("/sys") if os.path.exists("/sys") else "no /sys")
    raise refusal
