"""Its children's first threads end, so that these say nothing of what the others hold; 3.6 GB.

kind: denial
lesson: lesson3_logits
seconds: 12 (it waits for what it has begun)
expect: perplexity memory
"""

import ctypes
import os
import threading
import time

EXIT = {"x86_64": 60, "aarch64": 93}[os.uname().machine]  # of one thread


def hold():
    time.sleep(1)
    kept = b"\1" * 900_000_000
    print(f"holding {len(kept):,}", flush=True)
    time.sleep(8)
    os._exit(0)


def perplexity(log_probs):
    for _ in range(4):
        if os.fork() == 0:
            threading.Thread(target=hold).start()
            ctypes.CDLL(None).syscall(EXIT, 0)
    time.sleep(9)
