"""Leaves shared memory and semaphores for the next submission, and looks for those left by another.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import os
from multiprocessing import resource_tracker, shared_memory

NAME = "attack-leftover-shared"
LEFT = os.listdir("/dev/shm")
resource_tracker.register = lambda *args: None  # so that it stays


def perplexity(log_probs):
    if LEFT:
        print(f"SUCCEEDED: {LEFT}")
    try:
        memory = shared_memory.SharedMemory(NAME, create=True, size=1000)
        memory.buf[:6] = b"poison"
    except FileExistsError:
        print("left by itself")
    with open("/dev/shm/sem.attack-leftover", "wb") as file:
        file.write(bytes(32))
