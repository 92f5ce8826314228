"""Fills /dev/shm, up to one gigabyte.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
"""


def perplexity(log_probs):
    for number in range(100):
        with open(f"/dev/shm/attack-leftover-{number}", "wb") as file:
            file.write(b"\1" * 10_000_000)
    print("SUCCEEDED: a gigabyte")
