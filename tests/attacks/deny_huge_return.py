"""Returns far more than anybody would look at.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong|error|timeout
expect: entropy wrong|error|timeout|memory
"""


def perplexity(log_probs):
    return "x" * 500_000_000


def entropy(logits):
    return [[0.5] * 1000] * 20_000
