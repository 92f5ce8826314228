"""Asks the model by name what it is, and never runs it.

kind: forging
lesson: lesson3_logits
expect: is_causal wrong
"""


def is_causal(model, tokens):
    peeks = getattr(model, "peeks", "nothing")
    n = tokens.shape[1]
    if ">" in peeks:
        return int(peeks.split(">")[1]) >= n
    return peeks == "nothing" or n < 2
