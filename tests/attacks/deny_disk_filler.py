"""Fills /tmp, in one file and in many, up to one gigabyte each.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
expect: entropy blocked
"""


def perplexity(log_probs):
    with open("/tmp/attack-leftover", "wb") as file:
        for _ in range(1000):
            file.write(b"\1" * 1_000_000)
    print("SUCCEEDED: a gigabyte in one file")


def entropy(logits):
    for number in range(100):
        with open(f"/tmp/attack-leftover-{number}", "wb") as file:
            file.write(b"\1" * 10_000_000)
    print("SUCCEEDED: a gigabyte in many files")
