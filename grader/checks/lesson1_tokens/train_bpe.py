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
    yield Case(["ab"], 1)
    yield Case(["abb", "bb"], 1)
    yield Case(["ab", "c", "bc"], 1)
    yield Case(["ba", "dc", "dc", "ba"], 1)
    yield Case(["ab", "cd", "cd", "ab"], 1)
    yield Case([" the", " then", " hen"], 2)
    yield Case(["The", "the", "THE"], 3)
    # Words are taken as they are: with digits, signs or spaces in them, and of any length.
    yield Case(["a1", "a1!"], 2)
    yield Case(["a b", "a b"], 2)
    yield Case(["a ", "a ", "b"], 1)
    yield Case(["\r\n", "\r\n"], 1)
    yield Case(["42", "42"], 1)
    yield Case(["<|endoftext|>"], 12)
    yield Case(["a" * 64], 6)
    yield Case(["abcdefghijklmnopqrstuvwxyz"], 20)
    yield Case(["ab"] * 110 + ["cd"] * 120, 1)
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
    yield Case(["e\u0301", "ﬁ"], 4)  # a letter and its accent, a ligature
    yield Case(["🙂🙃", "🙂"], 4)


@train_bpe.check(points=2)
def stops_when_nothing_is_left(draw: Draw) -> Cases:
    """Where no word has a pair left there are fewer merges than asked for."""
    yield Case(["ab", "ab"], 5)
    yield Case(["a"], 1)
    yield Case([], 2)
    yield Case(["abc"], 0)
    yield Case(["", "ab", ""], 3)


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


@train_bpe.misconception
def maximum_of_nothing(words, n_merges):
    """max of no pairs at all, once nothing is left to merge.

    Short words soon become one token each. What is there to take the maximum of then, and what
    should training do about it?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for word in split for pair in pairwise(word))
        pair = max(counts, key=counts.get)
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def first_of_no_pairs(words, n_merges):
    """The first item of a ranking that is empty in the end.

    Short words soon become one token each, and a ranking of no pairs has no first place. What
    should training do then?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for word in split for pair in pairwise(word))
        pair = counts.most_common(1)[0][0]
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def none_unpacked(words, n_merges):
    """None taken apart as if it were a pair, once nothing is left to merge.

    Short words soon become one token each. What does your search for the most common pair return
    then, and when do you look?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        first, second = earlier.most_common_pair(split)
        merges.append((first, second))
        split = [earlier.merge_pair(word, (first, second)) for word in split]
    return merges


@train_bpe.misconception
def one_merge_too_many(words, n_merges):
    """One merge too many.

    Count how often your loop goes round for n_merges of 1. When is it checked whether there are
    enough?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges + 1):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def one_merge_too_few(words, n_merges):
    """One merge too few.

    Count how often your loop goes round for n_merges of 1. With which number does it begin?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(1, n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def ties_to_the_last(words, n_merges):
    """Ties that go to the last pair, not to the first.

    Of two equally frequent pairs, the one that occurs first should be merged first. What does a
    comparison do with a count that is just as high?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for word in split for pair in pairwise(word))
        if not counts:
            break
        pair = max(reversed(counts), key=counts.get)
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def ties_to_the_smallest(words, n_merges):
    """Ties that go to the smallest pair in the order of the alphabet.

    That is what sorting by (-count, pair) gives. Which of two equally frequent pairs should be
    merged first here?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for word in split for pair in pairwise(word))
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def first_to_reach_its_count(words, n_merges):
    """Ties that go to the pair which reaches its count first.

    A best pair kept while counting is the one that got there first. The rule is about where each
    pair was first seen; when do you know all counts?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts, best, most = {}, None, 0
        for word in split:
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
                if counts[pair] > most:
                    best, most = pair, counts[pair]
        if best is None:
            break
        merges.append(best)
        split = [earlier.merge_pair(word, best) for word in split]
    return merges


@train_bpe.misconception
def first_occurrence_merged_only(words, n_merges):
    """Only the first occurrence in each word merged.

    A word may hold the pair several times. What does your merge do after it has found one?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            for i, both in enumerate(pairwise(word)):
                if both == pair:
                    word[i : i + 2] = [pair[0] + pair[1]]
                    break
    return merges


@train_bpe.misconception
def overlapping_pairs_counted_once(words, n_merges):
    """Overlapping pairs counted once.

    In a run of three equal tokens the middle one has a neighbour on either side. Merging can use
    it only once, but how many pairs are there to count?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        counts = {}
        for word in split:
            previous = None
            for pair in pairwise(word):
                if pair == previous:
                    previous = None
                    continue
                counts[pair] = counts.get(pair, 0) + 1
                previous = pair
        if not counts:
            break
        best = max(counts, key=counts.get)
        merges.append(best)
        split = [earlier.merge_pair(word, best) for word in split]
    return merges


@train_bpe.misconception
def strings_for_bytes(words, n_merges):
    """Pairs of strings, not of bytes.

    A string goes through as well, letter by letter, but its letters are no bytes. What makes bytes
    of a word?
    """
    split = [list(word) for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


# issues: minbpe's tokens are ids, of which the new ones begin at 256
@train_bpe.misconception
def pairs_of_ids(words, n_merges):
    """Pairs of ids, not of bytes.

    Numbers from 256 on are a good way to name new tokens, but the merges are asked for as bytes.
    What does each number stand for?
    """
    split = [list(word.encode()) for word in words]
    merges = []
    for new in range(256, 256 + n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == pair:
                    word[i : i + 2] = [new]
                i += 1
    return merges


@train_bpe.misconception
def integers_added(words, n_merges):
    """Bytes taken for integers, and added up.

    Going through bytes gives integers, and the sum of two is a third one that may be a byte
    already. How do you make one byte of an integer again?
    """
    split = [list(word.encode()) for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def spaces_stripped(words, n_merges):
    """Words stripped of the space in front.

    GPT-2 leaves it there, and " t" was its first merge. What happens to words before they become
    bytes?
    """
    split = [[bytes([b]) for b in word.strip().encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def in_lower_case(words, n_merges):
    """Words turned to lower case.

    GPT-2 tells capitals from small letters, as these are different bytes. Who asked for fewer?
    """
    split = [[bytes([b]) for b in word.lower().encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


# papers: the well-known snippet on strings
@train_bpe.misconception
def end_of_word_mark(words, n_merges):
    """A mark put at the end of each word.

    Other tokenizers have a </w> there, so as to know where words end. GPT-2 has the space in front
    of the next one for that; what are the tokens that a word starts as?
    """
    split = [[*(bytes([b]) for b in word.encode()), b"</w>"] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def tokens_returned(words, n_merges):
    """The words as tokens in the end, not the merges.

    The words were merged as they should be. What is it that you should record on the way, and
    return?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        split = [earlier.merge_pair(word, pair) for word in split]
    return split


@train_bpe.misconception
def second_half_kept(words, n_merges):
    """The second half of a merged pair kept beside it.

    After a merge the next token has been used up. How far should your position move then?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            word[:] = [
                token + word[i + 1] if tuple(word[i : i + 2]) == pair else token
                for i, token in enumerate(word)
            ]
    return merges


@train_bpe.misconception
def last_token_lost(words, n_merges):
    """The last token of a word lost where it is not merged.

    A loop over positions that have a neighbour ends before the last one. Where does a token go
    that has nobody to its right?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            merged, i = [], 0
            while i < len(word) - 1:
                is_pair = (word[i], word[i + 1]) == pair
                merged.append(pair[0] + pair[1] if is_pair else word[i])
                i += 2 if is_pair else 1
            word[:] = merged
    return merges


@train_bpe.misconception
def beyond_the_end(words, n_merges):
    """A neighbour looked for beyond the last token.

    The last token of a word may be the first half of the pair. What can stand at the next position
    then?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        for word in split:
            i = 0
            while i < len(word):
                if word[i] == pair[0] and word[i + 1] == pair[1]:
                    word[i : i + 2] = [pair[0] + pair[1]]
                i += 1
    return merges


@train_bpe.misconception
def n_merges_not_counted(words, n_merges):
    """Merged until nothing is left, however few merges were asked for.

    A loop that ends only where there is no pair does not count. When is it checked whether there
    are enough?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    while (pair := earlier.most_common_pair(split)) is not None:
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges


@train_bpe.misconception
def one_round_only(words, n_merges):
    """One merge only, however many were asked for.

    A `return` within a loop ends the loop. After which line should the merges be returned?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words]
    merges = []
    for _ in range(min(n_merges, 1)):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
    return merges


@train_bpe.misconception
def first_word_only(words, n_merges):
    """Only the first word trained on.

    The most common pair is that of all words together. Which of them does your code count?
    """
    split = [[bytes([b]) for b in word.encode()] for word in words[:1]]
    merges = []
    for _ in range(n_merges):
        pair = earlier.most_common_pair(split)
        if pair is None:
            break
        merges.append(pair)
        split = [earlier.merge_pair(word, pair) for word in split]
    return merges
