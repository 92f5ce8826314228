"""What `most_common_pair` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from grader.checks.lesson1_tokens.shared import word_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

most_common_pair = Exercise(
    "most_common_pair",
    hints=(
        "What are the pairs of one word? Begin there, and mind words of one token or none.",
        "Count in a dictionary, or a Counter: both keep their keys in the order in which they "
        "came. `zip` of a word with the same word from its second token on gives the pairs.",
        "Of several keys with equal counts `max` returns the first. It takes a `key` to compare "
        "by, and a `default` for when there is nothing.",
    ),
)


@most_common_pair.check(points=4)
def counts_neighbours(draw: Draw) -> Cases:
    """The pair of neighbours that occurs most often, over all words."""
    yield Case([[b"t", b"h", b"e"], [b"h", b"e"]])
    yield Case([[b"a", b"a", b"a", b"a"], [b"b", b"c"], [b"b", b"c"]])
    yield Case([[b"b", b"c"], [b"a", b"a", b"a"]])
    # Two pairs that spell the same are two pairs.
    yield Case([[b"a", b"bc"], [b"ab", b"c"], [b"x", b"y"], [b"x", b"y"]])
    for size in (3, 8, 30):
        yield Case([word_of(draw, "abcd", 1, 7) for _ in range(size)])


@most_common_pair.check(points=2)
def within_words_only(draw: Draw) -> Cases:
    """The end of one word and the start of the next are no pair."""
    yield Case([[b"a"], [b"b"], [b"a"], [b"b"], [b"c", b"d"]])
    yield Case([[b"a", b"b"], [b"c", b"d"], [b"c", b"d"], [b"a"], [b"b"], [b"a"], [b"b"]])
    yield Case([[b"x", b"y", b"a"], [b"b", b"a"], [b"b"], [b"y", b"z"], [b"y", b"z"]])


@most_common_pair.check(points=3)
def ties_go_to_the_first(draw: Draw) -> Cases:
    """Among equally frequent pairs the one that occurs first wins."""
    first, low, high = [b"b", b"c"], [b"a", b"b"], [b"d", b"e"]
    yield Case([first, high, low])
    yield Case([first, low, high, high, first, low])
    letters = [letter.encode() for letter in draw.shuffled("stuvwxyz")]
    yield Case([letters[:2], letters[2:4]])
    yield Case([letters[:3], letters[3:5], letters[3:5], letters[1:3]])
    yield Case([[*letters[:4]], letters[2:4], letters[0:2]])
    yield Case([letters[i : i + 2] for i in (6, 4, 2, 0, 2, 4)])


@most_common_pair.check(points=1)
def none_without_pairs(draw: Draw) -> Cases:
    """None where no word has two tokens, and only there."""
    yield Case([])
    yield Case([[b"the"], [], [b"a"]])
    yield Case([[b"the"], [], [b"a", b"b"]])


@most_common_pair.misconception
def ties_to_the_last(words):
    """Ties that go to the last pair, not to the first.

    Of two equally frequent pairs, the one that was seen first should stay the best. What does a
    comparison do with a count that is just as high?
    """
    counts = {}
    for word in words:
        for pair in pairwise(word):
            counts[pair] = counts.get(pair, 0) + 1
    best = None
    for pair in counts:
        if best is None or counts[pair] >= counts[best]:
            best = pair
    return best


# courses: some ask for this rule
@most_common_pair.misconception
def ties_to_the_greatest(words):
    """Ties that go to the greatest pair in the order of the alphabet.

    Some courses and libraries break ties so, and get other merges for it. Which pair should win
    here, and does your maximum look at anything but the count?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return max(counts, key=lambda pair: (counts[pair], pair), default=None)


@most_common_pair.misconception
def across_words(words):
    """Pairs counted across the borders of words.

    The end of one word and the start of the next are no neighbours. What happens to the borders
    when all words go into one list?
    """
    tokens = [token for word in words for token in word]
    counts = Counter(pairwise(tokens))
    return max(counts, key=counts.get, default=None)


@most_common_pair.misconception
def maximum_of_nothing(words):
    """max of no pairs at all.

    Words of one token have no pairs, and max of nothing raises. What should come back then?
    """
    counts = Counter()
    for word in words:
        for pair in pairwise(word):
            counts[pair] += 1
    return max(counts, key=counts.get)


@most_common_pair.misconception
def first_of_no_pairs(words):
    """The first item taken of a ranking that can be empty.

    Words of one token have no pairs, and a ranking of none has no first place. What should come
    back then?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return counts.most_common(1)[0][0]


# issues: a trainer that skips each pair overlapping an equal one
@most_common_pair.misconception
def overlapping_pairs_counted_once(words):
    """Overlapping pairs counted once.

    In a run of three equal tokens the middle one has a neighbour on either side. Merging can use
    it only once, but how many pairs are there to count?
    """
    counts = {}
    for word in words:
        previous = None
        for pair in pairwise(word):
            if pair == previous:
                previous = None
                continue
            counts[pair] = counts.get(pair, 0) + 1
            previous = pair
    return max(counts, key=counts.get, default=None)


# course forks: a dictionary of words without their frequencies
@most_common_pair.misconception
def repeated_words_counted_once(words):
    """Repeated words counted once.

    A word that occurs a hundred times brings each of its pairs a hundred times. What gets lost
    when words become the keys of a dictionary, or a set?
    """
    counts = Counter()
    for word in dict.fromkeys(tuple(word) for word in words):
        counts.update(pairwise(word))
    return max(counts, key=counts.get, default=None)
