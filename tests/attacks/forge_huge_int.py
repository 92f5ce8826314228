"""Returns an integer of twenty million bits, which takes minutes to be written in decimal.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
expect: entropy wrong|error
"""


def perplexity(log_probs):
    return 1 << 20_000_000


def entropy(logits):
    return [{"a": -(1 << 20_000_000)}, 1 << 300, float("inf")]
