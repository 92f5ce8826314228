"""What `count_token_lengths` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from grader.checks.lesson1_tokens.shared import gpt2_vocab, vocab_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


count_token_lengths = Exercise(
    "count_token_lengths",
    hints=(
        "The ids play no part here. Which of the two, length or number of tokens, is the key?",
        "Going through a dictionary gives its keys, here the tokens. Keep a dictionary of counts, "
        "and decide what the count of a length is before you have met it.",
        "`collections.Counter` counts whatever you feed it, and is a dictionary. Feed it one "
        "length per token.",
    ),
)


@count_token_lengths.check(points=5)
def displayed_characters(draw: Draw) -> Cases:
    """Lengths are counted in displayed characters: `Ġthe` has 4."""
    yield Case({"he": 258, "Ġthe": 262, "Ã©": 2634})
    for size in (5, 30):
        yield Case(vocab_of(draw, size))


@count_token_lengths.check(points=3)
def gpt2s_own_tokens(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """It works on GPT-2's vocabulary, of which 2,000 tokens are taken."""
    yield Case(gpt2_vocab(tokenizer))


@count_token_lengths.check(points=2)
def only_lengths_that_occur(draw: Draw) -> Cases:
    """A length that no token has is no key."""
    yield Case({})
    yield Case({"a": 0, "Ġ" * draw.integer(5, 9): 1})


@count_token_lengths.misconception
def lengths_in_bytes(vocab):
    """Lengths counted in UTF-8 bytes.

    Ġ takes two bytes in UTF-8, but it is one displayed character. What does `len` of the string
    itself count?
    """
    return dict(Counter(len(token.encode("utf-8")) for token in vocab))


@count_token_lengths.misconception
def space_not_counted(vocab):
    """Lengths that leave out the leading space, Ġ.

    A displayed Ġ is a character like the others here. How long is `Ġthe` then?
    """
    return dict(Counter(len(token.replace("Ġ", "")) for token in vocab))


@count_token_lengths.misconception
def zeros_for_the_gaps(vocab):
    """A key for every length up to the longest, with 0 where there is none.

    Only lengths that some token has should be keys. What could you go through instead of a range
    of lengths?
    """
    longest = max((len(token) for token in vocab), default=0)
    return {n: sum(len(token) == n for token in vocab) for n in range(1, longest + 1)}


@count_token_lengths.misconception
def length_of_the_pair(vocab):
    """The length of the (token, id) pair, which is always 2.

    What do you get when you go through a dictionary's items, and of which part do you want the
    length?
    """
    counts = {}
    for token in vocab.items():
        counts[len(token)] = counts.get(len(token), 0) + 1
    return counts


@count_token_lengths.misconception
def first_one_not_counted(vocab):
    """The first token of each length not counted.

    A key that you meet for the first time has been met once. What should it begin with?
    """
    counts = {}
    for token in vocab:
        if len(token) in counts:
            counts[len(token)] += 1
        else:
            counts[len(token)] = 0
    return counts


@count_token_lengths.misconception
def key_not_there_yet(vocab):
    """A key looked up that is not there.

    The keys of `vocab` are tokens, and a dictionary of counts has no keys at all at the start:
    adding one to a count reads it first. What is in the dictionary when you first look into it?
    """
    counts = {}
    for token in vocab:
        counts[len(token)] += 1
    return counts


@count_token_lengths.misconception
def length_of_each_token(vocab):
    """The length of each token, not the number of tokens of each length.

    The keys of the result are lengths. Which question does one entry of it answer?
    """
    return {token: len(token) for token in vocab}
