"""Wrong answers that make two mistakes at once, each of which shows by itself somewhere."""

from collections.abc import Callable

# (exercise, names of its two misconceptions, function)
PAIRS: list[tuple[str, frozenset[str], Callable]] = []


def pair(exercise, one, other):
    """Decorator. `one`, `other`: the function names of the two misconceptions, in any order."""
    return lambda function: PAIRS.append((exercise, frozenset({one, other}), function)) or function


from answers.pairs import decoding, embedding, logits, tokens  # noqa: E402, F401 they fill the list
