"""Maps anonymous memory, up to four gigabytes.

kind: denial
lesson: lesson3_logits
expect: perplexity memory
"""

import mmap


def perplexity(log_probs):
    kept = []
    for _ in range(400):
        kept.append(mmap.mmap(-1, 10_000_000))
    print("SUCCEEDED: four gigabytes")
