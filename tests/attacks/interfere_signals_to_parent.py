"""Signals its parent, its parent's group and session, by every number that it can learn.

kind: interference
lesson: lesson3_logits
expect: perplexity wrong
"""

import os
import signal


def perplexity(log_probs):
    with open("/proc/self/status") as status:
        told = [line for line in status if line.startswith(("PPid", "TracerPid", "NS"))]
    print(told)
    for pid in {os.getppid(), os.getpgid(0), os.getsid(0)} - {0, os.getpid()}:
        try:
            os.kill(pid, signal.SIGURG)
            print(f"SUCCEEDED: {pid}")
        except OSError as refusal:
            print(refusal)
