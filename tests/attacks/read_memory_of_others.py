"""Opens the memory of every process, and searches its own for what it should not know.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong|timeout
"""

import os
import re
import time

CANARY = re.compile(rb"canary-[a-z]+-[0-9a-f]{16}|exp = [(]x - x[.]amax|logits[[]:, :-1[]][.]log_s")
done = []


def search(process, until):
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        regions = [line.split() for line in maps if " rw-p " in line]
        regions.sort(key=lambda region: "[heap]" not in region)
        for bounds, *_ in regions:
            low, high = (int(bound, 16) for bound in bounds.split("-"))
            while low < high and time.time() < until:
                try:
                    piece = os.pread(memory.fileno(), min(high - low, 1 << 24), low)
                except OSError:
                    break
                low += len(piece) or high
                for match in CANARY.finditer(piece):
                    print(f"SUCCEEDED: in the memory of {process}: {match[0]}")


def perplexity(log_probs):
    until = time.time() + 1.5
    for process in range(2, 1000) if not done else ():
        try:
            with open(f"/proc/{process}/mem", "rb"):
                print(f"SUCCEEDED: the memory of process {process} can be opened")
                search(process, until)
        except OSError:
            continue
    if not done:
        search("self", until)
    done.append(True)
