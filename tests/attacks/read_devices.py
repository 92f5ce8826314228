"""Opens the disk, the machine's memory and the kernel's log as files.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import ctypes
import glob

NODES = ["/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/dev/fuse", "/dev/kvm", "/dev/kmsg"]
NODES += [*glob.glob("/dev/[svhx]d*"), *glob.glob("/dev/nvme*"), *glob.glob("/dev/mapper/*")]


def perplexity(log_probs):
    for node in (*NODES, "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/proc/kpagecount"):
        try:
            with open(node, "rb", 0) as device:
                print(f"SUCCEEDED: {node}: {device.read(64)!r}")
        except OSError as refusal:
            print(refusal)
    log = ctypes.create_string_buffer(4096)
    print(ctypes.CDLL(None).klogctl(3, log, 4096))
