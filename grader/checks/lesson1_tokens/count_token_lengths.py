"""What `count_token_lengths` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from grader.checks.lesson1_tokens.shared import gpt2_vocab, vocab_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from solutions import lesson1_tokens as earlier

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
    yield Case({"a": 64})
    yield Case({"he": 258, "in": 259})
    yield Case({"Ã©": 2634})
    yield Case({"aĠ": 5, "b": 6})
    yield Case({"he": 258, "Ġthe": 262, "Ã©": 2634})
    yield Case({"He": 1544, "he": 258})
    yield Case({"<|endoftext|>": 50256, "!": 0})  # a token like the others here
    yield Case({"-" * 64: 1, "=" * 128: 2})
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
def stripped(vocab):
    """Lengths without the Ġ at either end, as if they were spaces.

    A displayed Ġ is a character like the others here, however many there are. How long is `Ġthe`
    then, and what does `strip` leave of it?
    """
    return dict(Counter(len(token.strip("Ġ")) for token in vocab))


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


@count_token_lengths.misconception
def lengths_of_the_text(vocab):
    """Lengths of the text that tokens stand for.

    Ã© is one letter of text but two displayed characters, one for each byte. Which of the two
    does the docstring count?
    """
    return dict(Counter(len(earlier.token_to_text(token)) for token in vocab))


@count_token_lengths.misconception
def tokens_listed(vocab):
    """The tokens of each length, not how many they are.

    Grouping them is a good first step. What does one entry of the result say about its group?
    """
    groups = {}
    for token in vocab:
        groups.setdefault(len(token), []).append(token)
    return groups


@count_token_lengths.misconception
def lengths_of_the_ids(vocab):
    """Digits of the ids counted, not characters of the tokens.

    A dictionary's values are the ids here. Which half of an entry is the token?
    """
    return dict(Counter(len(str(i)) for i in vocab.values()))


@count_token_lengths.misconception
def one_for_each_length(vocab):
    """A 1 for each length that occurs, however often it does.

    Assigning to a key replaces what stood there. What should happen to a count that is there
    already?
    """
    return {len(token): 1 for token in vocab}


@count_token_lengths.misconception
def ids_added_up(vocab):
    """The ids of each length added up.

    An id is a number, but only a name: it says nothing of how many. What does each token add to
    the count of its length?
    """
    sums = Counter()
    for token, i in vocab.items():
        sums[len(token)] += i
    return dict(sums)


@count_token_lengths.misconception
def special_tokens_left_out(vocab):
    """<|endoftext|> left out.

    It is special to the model, but in the vocabulary it is a token with a length like all others.
    Which tokens are to be counted?
    """
    return dict(Counter(len(token) for token in vocab if token != "<|endoftext|>"))


@count_token_lengths.misconception
def space_in_front_not_counted(vocab):
    """Lengths without the Ġ in front.

    A displayed Ġ is a character like the others here. How long is `Ġthe` then?
    """
    return dict(Counter(len(token.lstrip("Ġ")) for token in vocab))


@count_token_lengths.misconception
def zeros_from_0_on(vocab):
    """A key for 0 and for every length up to the longest.

    Only lengths that some token has should be keys. What could you go through instead of a range
    of lengths?
    """
    longest = max((len(token) for token in vocab), default=-1)
    return {n: sum(len(token) == n for token in vocab) for n in range(longest + 1)}


@count_token_lengths.misconception
def maximum_of_nothing(vocab):
    """max of the lengths of no tokens at all.

    A vocabulary can be empty, and max of nothing raises. Do you need the longest?
    """
    lengths = [len(token) for token in vocab]
    return {n: lengths.count(n) for n in range(max(lengths) + 1) if n in lengths}


@count_token_lengths.misconception
def returned_after_one_token(vocab):
    """Only the first token counted.

    A `return` within a loop ends the loop. After which line are all tokens counted?
    """
    return {len(token): 1 for token in list(vocab)[:1]}
