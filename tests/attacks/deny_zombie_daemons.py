"""Leaves daemons behind: forked twice, in sessions of their own, deaf to signals, for a minute.

kind: denial
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import os
import signal
import time


def daemon():
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    until = time.time() + 60
    while time.time() < until:
        time.sleep(0.05)
        with open("/tmp/attack-leftover-daemon", "w") as file:
            file.write("still here")
    os._exit(0)


def perplexity(log_probs):
    if os.path.exists("/tmp/attack-leftover-daemon"):
        print("a daemon of its own is at work")
    for _ in range(5):
        if os.fork() == 0:
            daemon()
