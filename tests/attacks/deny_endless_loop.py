"""Loops for ever.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""


def perplexity(log_probs):
    while True:
        pass
