"""What `sort_vocab` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.checks.lesson1_tokens.shared import gpt2_vocab, vocab_of
from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


sort_vocab = Exercise(
    "sort_vocab",
    hints=(
        "What do you get when you go through a dictionary's items, and by what are two of them "
        "compared?",
        "`sorted` takes any iterable and returns a new list; its `key` is a function that says "
        "what to compare.",
        "Sort the items, with a key that picks the second half of each.",
    ),
)


@sort_vocab.check(points=5)
def by_id(draw: Draw) -> Cases:
    """The (token, id) pairs come in order of id."""
    yield Case({"a": 3})
    yield Case({"b": 1, "a": 0})  # in the order of the alphabet
    yield Case({"b": 0, "a": 1})  # in the order of the dictionary
    yield Case({"a": 10, "c": 9})
    yield Case({" ": 50258, "<|pad|>": 50257, "<|endoftext|>": 50256, "!": 0})
    for size in (2, 10, 40):
        yield Case(vocab_of(draw, size))
    vocab = vocab_of(draw, 10)
    yield Case(vocab)
    yield Case(dict(zip(draw.shuffled(list(vocab)), vocab.values(), strict=True)))  # other ids
    yield Case({})


@sort_vocab.check(points=3)
def gpt2s_own_tokens(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """It works on GPT-2's vocabulary, of which 2,000 tokens are taken."""
    yield Case(gpt2_vocab(tokenizer))


@sort_vocab.check(points=2, observe=observe.arguments_after)
def leaves_the_vocabulary_alone(draw: Draw) -> Cases:
    """The dictionary it was given still holds what it held."""
    yield Case(vocab_of(draw, 10))


@sort_vocab.misconception
def by_token(vocab):
    """Pairs sorted by token, not by id.

    Pairs are compared by their first half. How do you tell `sorted` which half should count?
    """
    return sorted(vocab.items())


@sort_vocab.misconception
def not_sorted(vocab):
    """Pairs in the dictionary's own order.

    A dictionary keeps the order in which its entries came, which need not be that of the ids.
    Which step is missing?
    """
    return list(vocab.items())


@sort_vocab.misconception
def highest_first(vocab):
    """The highest id first.

    Ids begin at 0, and token 0 should be the first in the list. Which way round do you sort?
    """
    return sorted(vocab.items(), key=lambda item: item[1], reverse=True)


@sort_vocab.misconception
def tokens_only(vocab):
    """The tokens alone, without their ids.

    Going through a dictionary gives its keys. What holds a key and its value together?
    """
    return sorted(vocab, key=vocab.get)


# forum: "how to sort a dictionary by value" mostly ends so
@sort_vocab.misconception
def a_sorted_dictionary(vocab):
    """A sorted dictionary, not a list of pairs.

    The order is right. What type does the signature promise?
    """
    return dict(sorted(vocab.items(), key=lambda item: item[1]))


@sort_vocab.misconception
def id_before_token(vocab):
    """(id, token) in place of (token, id).

    Putting the id first makes sorting easy. Which order should the halves have in the end?
    """
    return sorted((i, token) for token, i in vocab.items())


# forum: what list.sort returns
@sort_vocab.misconception
def what_list_sort_returns(vocab):
    """Nothing returned, or only what list.sort returns.

    list.sort sorts in place and has nothing to give back. What does your `return` hand on, if
    there is one?
    """
    return list(vocab.items()).sort(key=lambda item: item[1])


@sort_vocab.misconception
def ids_sorted_as_text(vocab):
    """Ids sorted as text, 10 before 9.

    Digits are compared from the left once a number is a string. As what should ids be compared?
    """
    return sorted(vocab.items(), key=lambda item: str(item[1]))


@sort_vocab.misconception
def ids_only(vocab):
    """The ids alone, without their tokens.

    A dictionary's values are half of what is asked for. What holds a key and its value together?
    """
    return sorted(vocab.values())


@sort_vocab.misconception
def places_for_ids(vocab):
    """Each token's place in the order in place of its id.

    A vocabulary may be a part of a larger one, and then ids do not count from 0 without a gap.
    Where do you find a token's own id?
    """
    return [(token, place) for place, token in enumerate(sorted(vocab, key=vocab.get))]


@sort_vocab.misconception
def an_id_that_nobody_has(vocab):
    """Ids taken to run from 0 without a gap.

    Counting up and looking for the token of each id meets ids that no token has. Which ids are
    there to go through?
    """
    token_of = {i: token for token, i in vocab.items()}
    return [(token_of[i], i) for i in range(len(vocab))]


@sort_vocab.misconception
def ids_beyond_the_list(vocab):
    """Ids taken for places in a list as long as the vocabulary.

    The highest id can be larger than the number of tokens is. How would you order the pairs
    without a place for each id?
    """
    pairs = [None] * len(vocab)
    for token, i in vocab.items():
        pairs[i] = (token, i)
    return pairs


@sort_vocab.misconception
def vocabulary_used_up(vocab):
    """The dictionary it was given used up.

    Taking out the lowest again and again gives the right order, and leaves the caller without a
    vocabulary. Which dictionary do you take from?
    """
    pairs = []
    while vocab:
        token = min(vocab, key=vocab.get)
        pairs.append((token, vocab.pop(token)))
    return pairs
