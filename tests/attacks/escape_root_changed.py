"""Changes its root, and goes up from where roots are seen through /proc and file handles.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)


def perplexity(log_probs):
    refusal = PermissionError(1, "nothing came of it")
    os.makedirs("/tmp/jail", exist_ok=True)
    try:
        os.chroot("/tmp/jail")
        print("SUCCEEDED: chroot")
    except OSError as refusal_:
        refusal = refusal_
    for path in ("/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/proc/2/root", "/.."):
        above = path + "/.." * 20
        try:
            if set(os.listdir(above)) & {"home", "var", "boot", "srv", "work", "opt"}:
                print(f"SUCCEEDED: {above}: {os.listdir(above)}")
        except OSError as refusal_:
            refusal = refusal_
    # The handle of a file system's root is its second inode.
    handle = struct.pack("<Ii", 8, 1) + struct.pack("<II", 2, 0)
    for folder in ("/kit/grader/wire.py", "/usr", "/reference"):
        descriptor = os.open(folder, os.O_RDONLY)
        if libc.open_by_handle_at(descriptor, handle, os.O_RDONLY) >= 0:
            print(f"SUCCEEDED: open_by_handle_at {folder}")
        os.close(descriptor)
    raise refusal
