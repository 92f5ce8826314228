"""Returns values of classes whose own methods would say what is right.

kind: forging
lesson: lesson3_logits
expect: softmax wrong
expect: log_softmax wrong
expect: perplexity wrong
"""

import torch


class Meta(type):
    def __hash__(cls):
        print("SUCCEEDED: the hash of a class was asked for")
        return hash(float)

    def __eq__(cls, other):
        print("SUCCEEDED: a class was compared")
        return True


class Name(str):
    def __getitem__(self, part):
        print("SUCCEEDED: a name was cut")
        return "Tensor"


class Answer(torch.Tensor):
    for name in ("detach", "cpu", "clone", "numel", "long", "as_subclass", "resolve_conj"):

        def looked_at(self, *args, name=name, **named):
            print(f"SUCCEEDED: {name} of the value's own class was called")
            return torch.nn.Softmax(-1)(self)

        locals()[name] = looked_at
    shape = property(lambda self: print("SUCCEEDED: its shape was asked for"))


class Number(float, metaclass=Meta):
    __class__ = property(lambda self: print("SUCCEEDED: it was asked for its class"))

    def __float__(self):
        print("SUCCEEDED: it was asked for a float")
        return 1.0


def softmax(x, dim):
    return x.detach().as_subclass(Answer)


def log_softmax(x, dim):
    return type(Name("Odd"), (), {"__array__": lambda self: 1 / 0})()


def perplexity(log_probs):
    return Number(1)
