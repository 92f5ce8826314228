"""Makes a hundred thousand empty files.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
"""

import os


def perplexity(log_probs):
    os.makedirs("/tmp/attack-leftover", exist_ok=True)
    for number in range(100_000):
        os.close(os.open(f"/tmp/attack-leftover/{number}", os.O_CREAT))
    print("SUCCEEDED: a hundred thousand files")
