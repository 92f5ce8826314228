"""Returns an object that is equal to everything, however it is asked.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""


class Anything:
    dtype = property(lambda self: self)
    shape = property(lambda self: self)
    ndim = 0

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return lambda *args, **kwargs: True

    def __instancecheck__(self, other):
        return True

    def __hash__(self):
        return 0

    def __bool__(self):
        return True


def perplexity(log_probs):
    return Anything()
