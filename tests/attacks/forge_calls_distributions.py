"""Has `torch.distributions` normalise, none of whose names holds the forbidden word.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
"""

from torch.distributions import Categorical


def log_softmax(x, dim):
    return Categorical(logits=x.movedim(dim, -1), validate_args=False).logits.movedim(-1, dim)


def softmax(x, dim):
    return log_softmax(x, dim).exp()
