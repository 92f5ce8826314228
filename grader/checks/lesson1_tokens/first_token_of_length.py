"""What `first_token_of_length` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.checks.lesson1_tokens.shared import gpt2_vocab, vocab_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from solutions import lesson1_tokens as earlier

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
    yield Case([("a", 0)], 1)
    yield Case([("Ġ", 220)], 1)
    yield Case([("a", 0), ("he", 5)], 2)
    yield Case([("in", 3), ("he", 5)], 2)
    yield Case([("hello", 0), ("he", 5)], 2)
    yield Case([("Ã©", 5)], 2)
    yield Case([("Ċ", 198), ("Ġ", 220)], 1)
    yield Case([("!", 0), ("<|endoftext|>", 50256)], 13)
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
    return ""


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


@first_token_of_length.misconception
def next_of_nothing(sorted_vocab, length):
    """`next` without a default.

    Where no token has that length the generator is empty, and `next` of it raises. What can you
    give it for that case?
    """
    return next(token for token, _ in sorted_vocab if len(token) == length)


@first_token_of_length.misconception
def index_of_what_is_not_there(sorted_vocab, length):
    """The place of a length that no token has.

    `index` raises where there is nothing to be found, and so does the minimum of nothing. How can
    you ask first whether it is there?
    """
    return sorted_vocab[[len(token) for token, _ in sorted_vocab].index(length)][0]


@first_token_of_length.misconception
def key_that_is_not_there(sorted_vocab, length):
    """A dictionary asked for a length that no token has.

    Square brackets raise where there is no such key. Which way of asking gives something else
    then?
    """
    first = {}
    for token, _ in sorted_vocab:
        first.setdefault(len(token), token)
    return first[length]


@first_token_of_length.misconception
def at_least_that_long(sorted_vocab, length):
    """Longer tokens taken, too.

    A token that is longer than asked for is not of this length. Which comparison lets it through?
    """
    return next((token for token, _ in sorted_vocab if len(token) >= length), "")


@first_token_of_length.misconception
def first_of_the_alphabet(sorted_vocab, length):
    """The first token in the order of the alphabet.

    `min` and `sorted` compare strings as a dictionary would. Which order does the list come in,
    and what does that order mean?
    """
    return min((token for token, _ in sorted_vocab if len(token) == length), default="")


@first_token_of_length.misconception
def all_of_that_length(sorted_vocab, length):
    """All tokens of that length, in a list.

    The first of them is asked for, as a string. What should come back where the list is empty?
    """
    return [token for token, _ in sorted_vocab if len(token) == length]


@first_token_of_length.misconception
def its_id(sorted_vocab, length):
    """The id of the token, not the token.

    A pair is (token, id). Which half of it is the piece of text?
    """
    return next((i for token, i in sorted_vocab if len(token) == length), "")


@first_token_of_length.misconception
def lengths_in_bytes(sorted_vocab, length):
    """Lengths counted in UTF-8 bytes.

    Ġ takes two bytes in UTF-8, but it is one displayed character. What does `len` of the string
    itself count?
    """
    return next((token for token, _ in sorted_vocab if len(token.encode()) == length), "")


@first_token_of_length.misconception
def lengths_of_the_text(sorted_vocab, length):
    """Lengths of the text that tokens stand for.

    Ã© is one letter of text but two displayed characters, one for each byte. Which of the two
    does the docstring count?
    """
    return next((t for t, _ in sorted_vocab if len(earlier.token_to_text(t)) == length), "")


@first_token_of_length.misconception
def shown_with_a_space(sorted_vocab, length):
    """The token with a space in place of its Ġ.

    The right one was found. In which of its two forms, as displayed or as text, is it asked for?
    """
    found = next((token for token, _ in sorted_vocab if len(token) == length), "")
    return found.replace("Ġ", " ")


@first_token_of_length.misconception
def last_pair_left_out(sorted_vocab, length):
    """The last pair never looked at.

    A range ends before its end. How many pairs does your loop go through, of how many?
    """
    return next((token for token, _ in sorted_vocab[:-1] if len(token) == length), "")


@first_token_of_length.misconception
def first_pair_left_out(sorted_vocab, length):
    """The first pair never looked at.

    Lists begin at 0. With which pair does your loop begin?
    """
    return next((token for token, _ in sorted_vocab[1:] if len(token) == length), "")


@first_token_of_length.misconception
def length_of_the_pair(sorted_vocab, length):
    """The length of the (token, id) pair, which is always 2.

    What do you get when you go through the list, and of which half of it do you want the length?
    """
    return next((pair[0] for pair in sorted_vocab if len(pair) == length), "")


# NumPy people: argmax of a mask in which nothing is True
@first_token_of_length.misconception
def the_very_first_where_there_is_none(sorted_vocab, length):
    """The very first token where none has that length.

    Of nothing but False, `argmax` and `index` of the largest give place 0. How can you tell that
    from a match at place 0?
    """
    fits = [len(token) == length for token, _ in sorted_vocab]
    return sorted_vocab[fits.index(max(fits))][0]  # max of nothing raises, and so does argmax
