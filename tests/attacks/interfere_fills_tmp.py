"""Leaves /tmp as full as it can for the next submission.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import os

FREE = os.statvfs("/tmp").f_bavail * os.statvfs("/tmp").f_frsize


def perplexity(log_probs):
    if FREE < 50_000_000:
        print(f"SUCCEEDED: only {FREE} bytes were left")
    for number in range(10):
        try:
            with open(f"/tmp/attack-leftover-{number}", "wb") as file:
                file.write(b"\1" * 10_000_000)
        except OSError as refusal:
            print(refusal)
