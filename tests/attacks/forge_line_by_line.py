"""Says of its import that it comes to one line after the other, and to odd ones, before it hangs.

kind: forging
lesson: lesson3_logits
expect: all timeout|error|todo
"""

import os

from grader.inside import wire

for line in (-1, 0, 2**62, *range(100_000), True, 1.5, [1]):
    os.write(3, wire.encode(line))
while True:
    pass
