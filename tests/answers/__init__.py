"""Answers to the exercises, right and wrong, in the styles that people write them in."""

from collections import defaultdict

right = defaultdict(list)  # exercise -> functions that must pass
wrong = defaultdict(list)  # exercise -> (function, what it must be called: see `is_wrong`)
strategies = {}  # exercise -> a function that gives a Hypothesis strategy for its arguments

# Patterns that many are called by.
ANOTHER_ORDER = "the right entries in another order"
ARGUMENT_CHANGED = "an argument changed"
NEARLY_RIGHT = "nearly right, but not to the precision of its type"
SOME_MISSING = "some entries missing, and the others right"
UNCHANGING = "the same result whatever it is given"
SOME_TOO_MANY = "the right entries, and some that should not be there"


def is_right(exercise):
    return lambda function: right[exercise].append(function) or function


def is_wrong(exercise, named=None):
    """`named`: what the grader must call it: a misconception, by its function name, or a pattern,
    by its name; a set of them, where it is several things at once."""
    return lambda function: wrong[exercise].append((function, named)) or function


def arguments(exercise):
    """Decorator for a function that returns a strategy of tuples of arguments. It may ask for
    `tokenizer` or `reference` by parameter name."""
    return lambda function: strategies.update({exercise: function}) or function


from answers import decoding, embedding, logits, tokens  # noqa: E402, F401 they fill the tables
