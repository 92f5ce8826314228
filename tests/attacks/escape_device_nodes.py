"""Makes device nodes of the memory and the disk, and reads them.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import os
import stat


def perplexity(log_probs):
    refusal = None
    for kind, major, minor in (
        (stat.S_IFCHR, 1, 1), (stat.S_IFBLK, 254, 0), (stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 253, 0),
        (stat.S_IFCHR, 10, 229), (stat.S_IFCHR, 10, 232),
    ):  # fmt: skip
        for folder in ("/tmp", "/dev/shm", "/dev"):
            path = f"{folder}/attack-node-{major}-{minor}"
            try:
                os.mknod(path, kind | 0o666, os.makedev(major, minor))
                with open(path, "rb", 0) as device:
                    print(f"SUCCEEDED: {path}: {device.read(16)!r}")
            except OSError as refusal_:
                refusal = refusal_
    raise refusal
