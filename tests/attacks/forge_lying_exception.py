"""Raises exceptions that lie about their type, and fail or talk without end when they are printed.

kind: forging
lesson: lesson3_logits
expect: perplexity error|todo
expect: entropy error
expect: softmax error
"""


class Meta(type):
    @property
    def __name__(cls):
        raise ValueError("no name")

    def __instancecheck__(cls, other):
        return True


class Passed(Exception, metaclass=Meta):
    __class__ = NotImplementedError

    def __str__(self):
        raise Passed


class Talks(Exception):
    def __str__(self):
        return "passed 10/10 " * 1_000_000


def perplexity(log_probs):
    raise Passed


def entropy(logits):
    raise Talks


def softmax(x, dim):
    raise BaseExceptionGroup("all", [Talks(), SystemExit(0), Passed()])  # noqa: F821
