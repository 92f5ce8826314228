"""Says lines without end while it is imported: each is small, and none of them is the answer.

kind: forging
lesson: lesson3_logits
expect: all error|timeout
"""

import os

from grader.inside import wire

frames = wire.encode(1 << 70) * 20_000 + wire.encode(1) * 20_000
while True:
    os.write(3, frames)
