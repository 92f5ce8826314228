"""Does nothing at all, which leaves every argument as it was.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
expect: cross_entropy wrong
expect: is_causal wrong
"""


def softmax(x, dim):
    return None


def log_softmax(x, dim):
    return x * 0


def cross_entropy(logits, tokens, attention_mask):
    return logits.mean() * 0


def is_causal(model, tokens):
    return True
