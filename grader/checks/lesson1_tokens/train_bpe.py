"""What `train_bpe` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from grader.checks import texts
from grader.checks.lesson1_tokens.shared import word_of
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from solutions import lesson1_tokens as earlier

train_bpe = Exercise(
    "train_bpe",
    hints=(
        "You have solved the two steps of one round already. What goes in, what comes out of each?",
        "most_common_pair wants all words as lists of single bytes; merge_pair turns one such word "
        "into another. Iterating over bytes gives integers: `bytes([b])` is one byte again.",
        "In each round: find the pair, leave the loop if it is None, append it to the merges, and "
        "replace your list of words by one in which merge_pair was applied to each.",
    ),
)


@train_bpe.check(points=4)
def the_right_merges(draw: Draw) -> Cases:
    """Each merge is the most common pair after all the earlier ones were made."""
    yield Case([" the", " then", " hen"], 2)
    yield Case(["aaaa", "aaab"], 3)
    for size in (5, 25):
        yield Case([b"".join(word_of(draw, "abc", 2, 8)).decode() for _ in range(size)], 6)


@train_bpe.check(points=2)
def a_text_of_words(draw: Draw) -> Cases:
    """On running text, with the space in front of each word as GPT-2 has it."""
    words = " ".join([texts.NOTES, *draw.shuffled(texts.SENTENCES)]).split(" ")
    yield Case([" " + word for word in words], 15)


@train_bpe.check(points=2)
def starts_from_bytes(draw: Draw) -> Cases:
    """A character outside ASCII starts as several tokens, one per byte."""
    yield Case(["é", "é", "è"], 2)
    yield Case(["🙂🙃", "🙂"], 4)


@train_bpe.check(points=2)
def stops_when_nothing_is_left(draw: Draw) -> Cases:
    """Where no word has a pair left there are fewer merges than asked for."""
    yield Case(["ab", "ab"], 5)
    yield Case(["a"], 1)
    yield Case([], 2)
    yield Case(["abc"], 0)


@train_bpe.misconception
def starts_from_characters(words, n_merges):
    """Words split into characters, not into bytes.

    One character of UTF-8 can be up to four bytes. Which of the two has only 256 values, so that
    no text can ever hold an unknown one?
    """
    split = [[char.encode() for char in word] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def all_words_in_one(words, n_merges):
    """Pairs and merges across the borders of words.

    All words in one long list of bytes make neighbours of the end of one and the start of the
    next. How would you keep the borders while you count?
    """
    tokens = [bytes([b]) for b in "".join(words).encode()]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair([tokens])
        if pair is None:
            break
        merges.append(pair)
        tokens = earlier.merge_pair(tokens, pair)
    return merges


# course forks: a dictionary of words without their frequencies
@train_bpe.misconception
def repeated_words_counted_once(words, n_merges):
    """Repeated words counted once.

    A word that occurs a hundred times should weigh a hundred times as much. What gets lost when
    words become the keys of a dictionary, or a set?
    """
    split = {word: [bytes([b]) for b in word.encode()] for word in words}
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(list(split.values()))
        if pair is None:
            break
        merges.append(pair)
        split = {word: earlier.merge_pair(tokens, pair) for word, tokens in split.items()}
    return merges


@train_bpe.misconception
def counted_once_at_the_start(words, n_merges):
    """The most common pairs of bytes, counted once at the start.

    A merge makes new pairs and takes others away. What are the neighbours of the new token, and
    when could they be merged in their turn?
    """
    counts = Counter()
    for word in words:
        data = [bytes([b]) for b in word.encode()]
        counts.update(pairwise(data))
    return [pair for pair, _ in counts.most_common(n_merges)]


@train_bpe.misconception
def merges_not_kept(words, n_merges):
    """Merges recorded but never made in the words.

    A function that returns a new list leaves the old one as it was, and giving a loop's variable
    a new value does not change the list it came from. What is counted in the second round?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            word = earlier.merge_pair(word, pair)
    return merges


@train_bpe.misconception
def none_recorded_as_a_merge(words, n_merges):
    """None recorded as a merge once nothing is left to merge.

    Short words soon become one token each. What does your search for the most common pair return
    then, and what should training do about it?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def new_tokens_returned(words, n_merges):
    """The new tokens returned, not the pairs that made them.

    From b"the" nobody can tell whether b"t" met b"he" or b"th" met b"e". What is it that you
    should record of each merge?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair[0] + pair[1])
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


# courses: some ask for this rule
@train_bpe.misconception
def ties_to_the_greatest(words, n_merges):
    """Ties that go to the greatest pair in the order of the alphabet.

    Some courses and libraries break ties so, and get other merges for it. Which of two equally
    frequent pairs should be merged first here?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for word in split for pair in pairwise(word))
        if not counts:
            break
        pair = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


# other trainers: a minimum frequency of 2 is the default of several
@train_bpe.misconception
def stops_at_single_occurrences(words, n_merges):
    """Training that stops at pairs which occur only once.

    Several libraries have a minimum frequency of 2, but it is not asked for here. When exactly is
    there nothing left to merge?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pairs = [pair for word in split for pair in pairwise(word)]
        pair = earlier.most_common_pair(split)
        if pairs.count(pair) < 2:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges
