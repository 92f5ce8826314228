"""Asks for bytes and bytes, up to four gigabytes.

kind: denial
lesson: lesson3_logits
expect: perplexity memory
"""


def perplexity(log_probs):
    return len([bytes(10_000_000) for _ in range(400)])
