"""Its children declare themselves secret, so that nobody may look at their memory; 3.6 GB.

kind: denial
lesson: lesson3_logits
seconds: 12 (it waits for what it has begun)
expect: perplexity memory
"""

import ctypes
import os
import time

SET_DUMPABLE = 4


def perplexity(log_probs):
    for _ in range(4):
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
            kept = b"\1" * 900_000_000
            print(f"holding {len(kept):,}", flush=True)
            time.sleep(8)
            os._exit(0)
    time.sleep(9)
