"""Asks for System V and POSIX shared memory, semaphores and queues, which outlive their process.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)
IPC_PRIVATE, IPC_CREAT = 0, 0o1000


def perplexity(log_probs):
    refusal = None
    for name, arguments in (
        ("shmget", (IPC_PRIVATE, ctypes.c_size_t(100_000_000), IPC_CREAT | 0o600)),
        ("semget", (IPC_PRIVATE, 10, IPC_CREAT | 0o600)),
        ("msgget", (IPC_PRIVATE, IPC_CREAT | 0o600)),
        ("mq_open", (b"/attack-leftover", 0o102, 0o600, None)),
    ):
        if getattr(libc, name)(*arguments) >= 0:
            print(f"SUCCEEDED: {name}")
        refusal = OSError(ctypes.get_errno(), name)
    raise refusal
