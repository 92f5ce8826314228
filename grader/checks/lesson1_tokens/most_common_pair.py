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
    yield Case([[b"a", b"b"]])
    yield Case([[b"t", b"h", b"e"], [b"h", b"e"]])
    yield Case([[b"a", b"b"], [b"b", b"a"], [b"x", b"y"], [b"x", b"y"]])  # (a, b) is not (b, a)
    # Bytes are bytes, whatever they would be as text, and of any length.
    for pair in [
        [b"o", b"</w>"],
        [b"<|endoftext|>", b"a"],
        [b"a", b" b"],
        [b" ", b"\n"],
        [b"\0", b"1"],
        [b"1", b"2"],
        [b"\xf0", b"\x9f"],
        [b"ab" * 9, b"ab" * 9],
    ]:
        yield Case([[b"x", b"y"], pair, pair])
    yield Case([[*(bytes([b]) for b in range(97, 123)), b"y", b"z"]])  # at the end of a long word
    yield Case([[b"a", b"b"]] * 120 + [[b"c", b"d"]] * 130)
    yield Case([[b"a", b"b", b"c", b"a", b"b"], [b"d", b"e"]])
    yield Case([[b"a", b"b", b"a", b"b", b"a", b"b"], [b"b", b"c"], [b"b", b"c"]])
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
    yield Case([[b"a", b"b"], [b"c", b"d"], [b"c", b"d"], [b"a", b"b"]])
    yield Case([[b"c", b"d"], [b"a", b"b"], [b"a", b"b"], [b"c", b"d"]])
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


@most_common_pair.misconception
def ties_to_the_smallest(words):
    """Ties that go to the smallest pair in the order of the alphabet.

    That is what sorting by (-count, pair) gives. Which pair should win here, and does your
    comparison look at anything but the count?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


# forum: a running maximum, kept while the counts still grow
@most_common_pair.misconception
def first_to_reach_its_count(words):
    """Ties that go to the pair which reaches its count first.

    A best pair kept while counting is the one that got there first. The rule is about where each
    pair was first seen; when do you know all counts?
    """
    counts, best, most = {}, None, 0
    for word in words:
        for pair in pairwise(word):
            counts[pair] = counts.get(pair, 0) + 1
            if counts[pair] > most:
                best, most = pair, counts[pair]
    return best


@most_common_pair.misconception
def joined_bytes_counted(words):
    """Pairs counted by their joined bytes.

    (a, bc) and (ab, c) spell the same and are two pairs. What should the key of the dictionary
    hold?
    """
    counts, first = {}, {}
    for word in words:
        for pair in pairwise(word):
            joined = pair[0] + pair[1]
            counts[joined] = counts.get(joined, 0) + 1
            first.setdefault(joined, pair)
    return first[max(counts, key=counts.get)] if counts else None


@most_common_pair.misconception
def order_ignored(words):
    """The order within a pair ignored.

    "th" and "ht" are made of the same letters. Should the second count for the first?
    """
    counts = {}
    first = {}
    for word in words:
        for pair in pairwise(word):
            either = frozenset(pair)
            counts[either] = counts.get(either, 0) + 1
            first.setdefault(either, pair)
    return first[max(counts, key=counts.get)] if counts else None


@most_common_pair.misconception
def with_its_count(words):
    """The pair together with its count.

    An item of a dictionary is a key and its value. Which half of it is asked for?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return max(counts.items(), key=lambda item: item[1], default=None)


@most_common_pair.misconception
def joined(words):
    """The joined token, not the pair.

    From b"the" nobody can tell which two were neighbours. What does the signature promise?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    pair = max(counts, key=counts.get, default=None)
    return pair and pair[0] + pair[1]


@most_common_pair.misconception
def every_other_pair(words):
    """Only every other pair counted.

    Cutting a word into pieces of two misses the pairs across the cuts. At how many positions of a
    word of four tokens does a pair begin?
    """
    counts = Counter(pair for word in words for pair in zip(word[::2], word[1::2], strict=False))
    return max(counts, key=counts.get, default=None)


@most_common_pair.misconception
def once_per_word(words):
    """Each pair counted once per word.

    A word can hold the same pair several times. What is counted: occurrences, or the words in
    which there are any?
    """
    counts = Counter(pair for word in words for pair in dict.fromkeys(pairwise(word)))
    return max(counts, key=counts.get, default=None)


@most_common_pair.misconception
def last_pair_left_out(words):
    """The last pair of each word left out.

    A word of n tokens has n - 1 pairs. Where does your range of positions end?
    """
    counts = Counter((word[i], word[i + 1]) for word in words for i in range(len(word) - 2))
    return max(counts, key=counts.get, default=None)


@most_common_pair.misconception
def beyond_the_end(words):
    """A neighbour looked for beyond the last token.

    A word of n tokens has n - 1 pairs. What stands to the right of the last token?
    """
    counts = Counter((word[i], word[i + 1]) for word in words for i in range(len(word)))
    return max(counts, key=counts.get, default=None)


@most_common_pair.misconception
def empty_string_for_none(words):
    """An empty string where there is no pair.

    Whoever calls the function asks whether the result is None. What does the signature promise
    besides a pair?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return max(counts, key=counts.get, default="")


@most_common_pair.misconception
def empty_pair_for_none(words):
    """An empty tuple where there is no pair.

    Whoever calls the function asks whether the result is None. What does the signature promise
    besides a pair?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    return max(counts, key=counts.get, default=())


# other trainers: a minimum frequency of 2 is the default of several
@most_common_pair.misconception
def none_that_occurs_once(words):
    """None where no pair occurs twice.

    Several libraries have a minimum frequency of 2, but it is not asked for here. When exactly is
    there no pair at all?
    """
    counts = Counter(pair for word in words for pair in pairwise(word))
    pair = max(counts, key=counts.get, default=None)
    return pair if counts[pair] > 1 else None


@most_common_pair.misconception
def counted_for_each_word(words):
    """Counts begun anew for each word.

    The most common pair of all words need not be that of any one of them. Before which loop should
    the counts be empty?
    """
    best, most = None, 0
    for word in words:
        counts = Counter(pairwise(word))
        for pair, count in counts.items():
            if count > most:
                best, most = pair, count
    return best


@most_common_pair.misconception
def first_word_only(words):
    """Only the first word counted.

    A `return` within a loop ends the loop. After which line are all words counted?
    """
    for word in words:
        counts = Counter(pairwise(word))
        return max(counts, key=counts.get, default=None)
    return None
