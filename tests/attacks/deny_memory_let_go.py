"""Fills memory that is shared and lets go of it, so that it is mapped nowhere and yet held.

kind: denial
lesson: lesson3_logits
expect: perplexity memory
"""

import mmap
import os

SIZE = 50_000_000  # sixty times
kept = []


def fill(descriptor):
    shared = mmap.mmap(descriptor, SIZE)
    shared.write(b"\1" * SIZE)
    shared.madvise(mmap.MADV_DONTNEED)
    kept.append(shared)
    print(f"{len(kept) * SIZE:,} bytes are held")
    if len(kept) * SIZE > 2_500_000_000:
        print("SUCCEEDED: they are")


def perplexity(log_probs):
    try:
        zero = os.open("/dev/zero", os.O_RDWR)
        for _ in range(60):
            fill(zero)
    except OSError as refusal:
        print(refusal)
    for _ in range(60):
        fill(-1)
