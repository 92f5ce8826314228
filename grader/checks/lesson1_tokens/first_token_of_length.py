"""What `first_token_of_length` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.checks.lesson1_tokens.shared import gpt2_vocab, vocab_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


first_token_of_length = Exercise(
    "first_token_of_length",
    hints=(
        "The list is sorted by id already. What does that say about the first match you meet?",
        "Go through the pairs in order and compare the token's length. Think of what happens after "
        "the last pair, too.",
        "Return the token as soon as one fits, and the empty string only once the loop is over. "
        "`next` with a generator and a default does both.",
    ),
)


@first_token_of_length.check(points=4)
def lowest_id(draw: Draw) -> Cases:
    """Of several tokens of that length it is the first in the list."""
    yield Case([("a", 0), ("he", 5)], 2)
    yield Case([("a", 0), ("-" * 300, 5)], 300)
    yield Case([("Ã©", 5), ("a", 7)], 1)
    for size in (4, 12, 40):
        pairs = sorted(vocab_of(draw, size).items(), key=lambda pair: pair[1])
        for length in {len(token) for token, _ in pairs}:
            yield Case(pairs, length)


@first_token_of_length.check(points=4)
def the_most_frequent_pieces(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """In GPT-2's vocabulary: ing, Ġthe, Ġthat, Ġtheir, Ġpeople for lengths 3 to 7."""
    pairs = sorted(gpt2_vocab(tokenizer).items(), key=lambda pair: pair[1])
    for length in range(3, 8):
        yield Case(pairs, length)


@first_token_of_length.check(points=2)
def empty_where_there_is_none(draw: Draw) -> Cases:
    """Where no token has that length it is the empty string."""
    yield Case([], 3)
    yield Case([("Ã©", 5), ("b", 7)], 3)
    yield Case([("!", 0), ("he", 258)], draw.integer(3, 9))


@first_token_of_length.misconception
def the_last_one(sorted_vocab, length):
    """The last token of that length, not the first.

    A loop that goes on after a match replaces what it found. When is the answer known?
    """
    found = ""
    for token, _ in sorted_vocab:
        if len(token) == length:
            found = token
    return found


@first_token_of_length.misconception
def none_where_there_is_none(sorted_vocab, length):
    """None where no token has that length.

    A function that reaches its end without `return` gives None. What does the docstring ask for
    in that case?
    """
    for token, _ in sorted_vocab:
        if len(token) == length:
            return token
    return None


@first_token_of_length.misconception
def first_of_an_empty_list(sorted_vocab, length):
    """An item looked for where the list has none.

    Where no token has that length, there is nothing at index 0 of those that fit, and a walk
    through all pairs comes to their end. What should come back then?
    """
    fitting = [token for token, _ in sorted_vocab if len(token) == length]
    return fitting[0]


@first_token_of_length.misconception
def only_one_token_looked_at(sorted_vocab, length):
    """A search that gives up after one token.

    A `return` within a loop ends the loop, whatever it returns. When may you say that there is no
    such token?
    """
    for token, _ in sorted_vocab:
        if len(token) == length:
            return token
        return ""
    return None


@first_token_of_length.misconception
def token_and_id(sorted_vocab, length):
    """The token together with its id.

    The list holds pairs. Which half of one is asked for?
    """
    for pair in sorted_vocab:
        if len(pair[0]) == length:
            return pair
    return ""


@first_token_of_length.misconception
def space_not_counted(sorted_vocab, length):
    """Lengths that leave out the leading space, Ġ.

    A displayed Ġ is a character like the others here. How long is `Ġthe` then?
    """
    for token, _ in sorted_vocab:
        if len(token.replace("Ġ", "")) == length:
            return token
    return ""
