"""Checks for lesson 1: tokens, byte-pair encoding, BOS."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer

from grader import agree, observe
from grader.checks import texts
from grader.draw import Draw
from grader.exercise import Case, Cases, Exercise
from grader.forbidden import Forbidden
from grader.reference import available_devices
from solutions import lesson1_tokens as earlier
from solutions.lesson1_tokens import BYTE_TO_CHAR

BOS = 50256
WORDS = ["ralph", "hello", "transformer", "paris", "the", "autoregressive", "monday", "zebra"]


def vocab_of(draw: Draw, size: int) -> dict[str, int]:
    """Tokens of several lengths whose ids follow neither the alphabet nor the order in the dict."""
    tokens = {"".join(draw.pick("abcĠĊé") for _ in range(draw.integer(1, 5))) for _ in range(size)}
    ids = draw.shuffled(range(3 * len(tokens)))
    return dict(zip(draw.shuffled(sorted(tokens)), ids, strict=False))


def gpt2_vocab(tokenizer: GPT2Tokenizer) -> dict[str, int]:
    """GPT-2's own first 2,000 tokens (all 50,257 would show no more and take far longer),
    in the order of the alphabet, for the tokenizer's own order is random."""
    return dict(sorted((token, i) for token, i in tokenizer.get_vocab().items() if i < 2000))


def word_of(draw: Draw, letters: str, low: int, high: int) -> list[bytes]:
    return [draw.pick(letters).encode() for _ in range(draw.integer(low, high))]


choose_device = Exercise(
    "choose_device",
    hints=(
        "Two booleans make four cases. In which of them does the order of preference matter?",
        "Ask for the most preferred one first, and go on only if it is not there. `torch.device` "
        "makes a device from a name.",
    ),
)


@choose_device.check(points=4)
def mps_comes_first(draw: Draw) -> Cases:
    """MPS is taken wherever it is there."""
    yield Case(mps=True, cuda=False)
    yield Case(mps=True, cuda=True)


@choose_device.check(points=3)
def then_cuda(draw: Draw) -> Cases:
    """CUDA is taken where there is no MPS."""
    yield Case(mps=False, cuda=True)


@choose_device.check(points=3)
def else_the_cpu(draw: Draw) -> Cases:
    """Without an accelerator it is the CPU."""
    yield Case(mps=False, cuda=False)


@choose_device.misconception
def cuda_before_mps(mps, cuda):
    """CUDA preferred to MPS.

    Most published code asks for CUDA first. Which of the two does the docstring put first, and
    does the case with both get there?
    """
    return torch.device("cuda" if cuda else "mps" if mps else "cpu")


# old API: the line from before there was MPS; also two `if`s, where an `else` overwrites the first
@choose_device.misconception
def mps_left_out(mps, cuda):
    """MPS left out.

    Without CUDA, an Apple GPU is still better than the CPU. Is there a path on which it is
    chosen, and does nothing later overwrite that choice?
    """
    return torch.device("cuda" if cuda else "cpu")


@choose_device.misconception
def name_of_the_device(mps, cuda):
    """The device's name, not the device.

    PyTorch takes either in most places, but they are not equal: a tensor's `device` is never a
    string. What makes one out of a name?
    """
    return "mps" if mps else "cuda" if cuda else "cpu"


@choose_device.misconception
def name_and_cuda_first(mps, cuda):
    """The device's name, not the device, and CUDA preferred to MPS.

    Two things at once: which accelerator does the docstring put first, and what makes a device
    out of its name?
    """
    return "cuda" if cuda else "mps" if mps else "cpu"


# course forks: the first cell of a notebook, pasted into the function
@choose_device.misconception
def asks_the_machine(mps, cuda):
    """The machine asked, not the arguments.

    Whoever calls the function has asked already, and may want to know what it would do on another
    machine. Where do the two answers come in?
    """
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu")


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


token_to_text = Exercise(
    "token_to_text",
    hints=(
        "Two steps: from characters back to bytes, then from bytes to text. Only the first is "
        "special to GPT-2.",
        "`BYTE_TO_CHAR` goes from bytes to characters. Turn it round, and look up every character "
        "of the token.",
        "`bytes` makes one object of all the integers you looked up. Decode that in one go, with "
        "the `errors` that the docstring names.",
    ),
)


@token_to_text.check(points=3)
def spaces_and_line_breaks(draw: Draw) -> Cases:
    """`Ġ` is a space, `Ċ` a line break; other letters stay as they are."""
    for token in ["Ġ", "Ġthe", "ĊĊ", "ing", "ĠĠĠ", "<|endoftext|>", draw.pick("abc") + "Ġ"]:
        yield Case(token)


@token_to_text.check(points=4)
def every_other_byte(draw: Draw) -> Cases:
    """Characters that stand for other bytes are put together again as UTF-8."""
    for text in ["\t", "é", " naïve", "—", "漢", "🙂", "\r\n", "\xa0", "\xad", "\x7f", "ÿ"]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))
    yield Case("".join(BYTE_TO_CHAR[b] for b in "\ufeffA".encode()))  # no mark of byte order here
    yield Case("".join(BYTE_TO_CHAR[b] for b in range(128)))
    text = "".join(chr(draw.integer(0x80, 0xD7FF)) for _ in range(4))
    yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))


@token_to_text.check(points=3)
def half_a_character(draw: Draw) -> Cases:
    """Bytes that are no valid UTF-8 become the replacement character."""
    for piece in [
        b"\xf0\x9f",
        b"\x99",
        b" \xe6\xbc",
        b"\xe2\x80",
        b"\xff",
        b"a\xc3b",
        bytes(range(256)),
    ]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in piece))


# tutorials: the one line that most pages on visualising tokens have
@token_to_text.misconception
def only_the_space(token):
    """Only Ġ translated.

    The space is the most frequent of the bytes shown by a stand-in, but it is one of 68, and
    accents take two bytes each. Where would a table of all of them come from?
    """
    return token.replace("Ġ", " ")


@token_to_text.misconception
def space_and_line_break(token):
    """Only Ġ and Ċ translated.

    A tab has a stand-in, too, and every letter outside ASCII is spelt by several. Could you treat
    all characters alike?
    """
    return token.replace("Ġ", " ").replace("Ċ", "\n")


@token_to_text.misconception
def bytes_taken_for_characters(token):
    """Each byte taken for a character of its own.

    A byte's number is a code point only below 128: beyond, UTF-8 spells one character by two
    bytes or more. What puts bytes together to text?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return "".join(chr(byte_of[char]) for char in token)


# courses: a written question of at least one asks why this is wrong
@token_to_text.misconception
def bytes_decoded_one_by_one(token):
    """UTF-8 decoded byte by byte.

    The two bytes of é mean nothing on their own. At which point do you decode, and how many bytes
    are there at that point?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return "".join(bytes([byte_of[char]]).decode("utf-8", errors="replace") for char in token)


@token_to_text.misconception
def strict_decoding(token):
    """Decoding that raises on half a character.

    A token may end in the middle of an emoji. What should stand for bytes that are no text, and
    how do you say so to `decode`?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8")


@token_to_text.misconception
def invalid_bytes_dropped(token):
    """Bytes that are no valid text dropped.

    A reader should see that something was there. Which way of handling errors leaves a mark?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8", errors="ignore")


# issues: stand-ins explained as "the byte plus 256", of which it is true up to the space
@token_to_text.misconception
def minus_256(token):
    """256 taken off every stand-in, as if it had been added to the byte.

    That fits the space and everything below, as these are the first bytes without a shape of
    their own. Which bytes come next among the 68, and where do they stand in the order?
    """
    data = bytes(ord(char) - 256 if ord(char) > 255 else ord(char) for char in token)
    return data.decode("utf-8", errors="replace")


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


merge_pair = Exercise(
    "merge_pair",
    hints=(
        "A merge uses up two tokens, anything else one. Can a plain `for` over the tokens do that?",
        "Walk by a position of your own, and compare the token there and the one after it with "
        "the pair. Mind the last token, which has none after it.",
        "While the position is within the word: where both match, append their sum to a new list "
        "and move on by two; otherwise append the one token and move on by one.",
    ),
)


@merge_pair.check(points=4)
def every_occurrence(draw: Draw) -> Cases:
    """Each occurrence of the pair becomes one token, and nothing else changes."""
    yield Case([b"t", b"h", b"e", b"t", b"h"], (b"t", b"h"))
    for size in (6, 20):
        yield Case(word_of(draw, "ab", size, size), (b"a", b"b"))


@merge_pair.check(points=2)
def from_left_to_right(draw: Draw) -> Cases:
    """A token takes part in one merge only, the leftmost possible."""
    for length in (2, 3, 5, 300):  # above 256, `is` no longer does for `==`
        yield Case([b"a"] * length, (b"a", b"a"))
    yield Case([b"a", b"b", b"a", b"b", b"a"], (b"a", b"b"))


@merge_pair.check(points=2)
def compares_tokens_not_bytes(draw: Draw) -> Cases:
    """Tokens that only together spell the pair's bytes are left alone."""
    yield Case([b"a", b"bc", b"abc", b"ab", b"c"], (b"ab", b"c"))
    yield Case([b"th", b"e"], (b"t", b"he"))
    yield Case([b"cab", b"c"], (b"ab", b"c"))
    yield Case([b"ab", b"cd"], (b"ab", b"c"))
    yield Case([b" ", b"t", b" ", b"\0"], (b" ", b"t"))
    yield Case([], (b"a", b"b"))
    yield Case([b"b", b"a"], (b"a", b"b"))


@merge_pair.check(points=1, observe=observe.arguments_after)
def leaves_the_word_alone(draw: Draw) -> Cases:
    """The list it was given still holds what it held."""
    yield Case([b"a", b"b", b"a", b"b"], (b"a", b"b"))


@merge_pair.check(points=1, observe=observe.result_and_identity)
def returns_a_new_list(draw: Draw) -> Cases:
    """The result is a list of its own, also where nothing merges."""
    yield Case([], (b"a", b"b"))
    yield Case([b"a"], (b"a", b"b"))
    yield Case([b"a", b"b"], (b"a", b"b"))
    yield Case([b"b", b"a", b"c"], (b"a", b"b"))


@merge_pair.misconception
def second_half_kept(tokens, pair):
    """The second half of a merged pair kept beside it.

    After a merge the next token has been used up. How far should your position move then?
    """
    merged = []
    for i in range(len(tokens)):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
        else:
            merged.append(tokens[i])
    return merged


@merge_pair.misconception
def first_occurrence_only(tokens, pair):
    """Only the first occurrence merged.

    A word may hold the pair several times. What does your function do after it has found one?
    """
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == pair:
            return [*tokens[:i], pair[0] + pair[1], *tokens[i + 2 :]]
    return list(tokens)


@merge_pair.misconception
def joined_bytes_compared(tokens, pair):
    """The joined bytes compared, not the two tokens.

    b"t" before b"he" spells the same as b"th" before b"e", but these are two pairs, and only one
    is to be merged. What should each of the two tokens be equal to?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and tokens[i] + tokens[i + 1] == pair[0] + pair[1]:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def last_token_lost(tokens, pair):
    """The last token lost where it is not merged.

    A loop over positions that have a neighbour ends before the last one. Where does a token go
    that has nobody to its right?
    """
    merged = []
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def beyond_the_end(tokens, pair):
    """A neighbour looked for beyond the last token.

    The last token may be the first half of the pair. What can stand at the next position then?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if tokens[i] == pair[0] and tokens[i + 1] == pair[1]:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


# issues: popping from the list given, proposed as a simplification of a course's tokenizer
@merge_pair.misconception
def changes_its_argument(tokens, pair):
    """The list it was given changed in place.

    Whoever calls the function may still need the word as it was. Which list do you take tokens
    out of?
    """
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            tokens[i] = tokens[i] + tokens.pop(i + 1)
        i += 1
    return tokens


# papers: the well-known snippet on strings, without its regular expression
@merge_pair.misconception
def replaced_in_the_joined_text(tokens, pair):
    """The pair replaced in the tokens joined by spaces.

    A space may itself be a token, and a longer token may end as the pair begins. Can the borders
    between tokens still be told apart in one string?
    """
    text = b" ".join(tokens)
    return text.replace(b" ".join(pair), b"".join(pair)).split()


@merge_pair.misconception
def argument_returned_where_nothing_merges(tokens, pair):
    """The list it was given returned where nothing merges.

    Two names for one list: whoever changes the result then changes the word, too. What can you
    return that is equal and not the same?
    """
    if pair not in pairwise(tokens):
        return tokens
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


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


spelling_variants = Exercise(
    "spelling_variants",
    hints=(
        "Make the four forms first. Then ask, for one of them, which pieces the tokenizer cuts it "
        "into, and what each piece is as text.",
        "`encode` gives ids, and `decode` turns a list of ids into text. Decode each id by "
        "itself, and mind that some tokenizers add a BOS unless told not to.",
        "`tokenizer.encode(form, add_special_tokens=False)`, and of each id "
        "`tokenizer.decode([id])`: a list of these for each form, in a dictionary.",
    ),
)


@spelling_variants.check(points=5)
def four_forms(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Lower case and capital, with and without a space in front, each with its tokens."""
    for word in ["ralph", "été", *draw.shuffled(WORDS)[:3]]:
        yield Case(tokenizer, word)


@spelling_variants.check(points=5)
def without_bos(draw: Draw, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """No BOS among the tokens, whichever way the tokenizer is set up."""
    yield Case(bos_tokenizer, draw.pick(WORDS))


@spelling_variants.misconception
def displayed_tokens(tokenizer, word):
    """Tokens as the vocabulary displays them.

    Ġ is the vocabulary's stand-in for a space, and é is two stand-ins. Text is what the tokenizer
    turns ids back into; which of its methods does that?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: tokenizer.tokenize(form) for form in forms}


@spelling_variants.misconception
def displayed_tokens_and_bos(tokenizer, word):
    """Tokens as the vocabulary displays them, BOS among them.

    Two things to look at: Ġ is only a stand-in for a space, and a tokenizer called just so may add
    special tokens of its own accord.
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {f: tokenizer.convert_ids_to_tokens(tokenizer(f)["input_ids"]) for f in forms}


@spelling_variants.misconception
def automatic_bos(tokenizer, word):
    """BOS among the tokens.

    Some tokenizers put one in front by themselves; whether this one does depends on how it was
    loaded. What can you tell `encode` so that no tokenizer does?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: [tokenizer.decode(i) for i in tokenizer.encode(form)] for form in forms}


@spelling_variants.misconception
def spaces_stripped(tokenizer, word):
    """Tokens with their spaces stripped off.

    The space is a part of the token, and what sets " Ralph" apart from "Ralph". What would be lost
    if the tokens were joined again?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    tokens = {}
    for form in forms:
        form_ids = tokenizer.encode(form, add_special_tokens=False)
        tokens[form] = [tokenizer.decode(i).strip() for i in form_ids]
    return tokens


@spelling_variants.misconception
def only_spaces_restored(tokenizer, word):
    """Only Ġ turned back, all other stand-ins left.

    The space is one of 68 bytes with a stand-in, and the bytes of "é" show as two other letters.
    Who knows all of them?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: [t.replace("Ġ", " ") for t in tokenizer.tokenize(form)] for form in forms}


@spelling_variants.misconception
def ids(tokenizer, word):
    """Ids instead of tokens as text.

    They are the right ones, but nobody sees from a number how the word was cut. Each id stands for
    a piece of text.
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: tokenizer.encode(form, add_special_tokens=False) for form in forms}


@spelling_variants.misconception
def space_as_a_token(tokenizer, word):
    """The space as a token of its own.

    In GPT-2 a space is mostly merged into the front of the word that follows, and the rest may be
    cut in another way then. Have each of the four forms tokenised as a whole.
    """
    tokens = {}
    for form in [word, word.capitalize()]:
        tokens[form] = [
            tokenizer.decode(i) for i in tokenizer.encode(form, add_special_tokens=False)
        ]
        tokens[" " + form] = [" ", *tokens[form]]
    return tokens


token_spans = Exercise(
    "token_spans",
    hints=(
        "If you had the bytes of each token, where would the first one start, and where each of "
        "the others?",
        "`tokenizer.tokenize` gives tokens as displayed, one character per byte. `BYTE_TO_CHAR`, "
        "read backwards, makes bytes of them without decoding anything.",
        "Keep a running `start`. Each token adds (its bytes, start, start + their number), and "
        "the next one starts where it ended.",
    ),
)


@token_spans.check(points=3)
def words_and_spaces(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Each token's bytes, where they start and where they end."""
    yield Case(tokenizer, "")
    yield Case(tokenizer, " the")
    for text in draw.shuffled(texts.SENTENCES)[:3]:
        yield Case(tokenizer, text)


@token_spans.check(points=4)
def digits_accents_emoji(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Nothing is lost: offsets are in bytes, and half a character has its own span."""
    yield Case(tokenizer, "é 42")
    yield Case(tokenizer, "🙂")
    yield Case(tokenizer, "One<|endoftext|>two")
    for text in texts.ODD:
        yield Case(tokenizer, text)


@token_spans.check(points=3)
def without_bos(draw: Draw, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """No BOS among the tokens, whichever way the tokenizer is set up."""
    yield Case(bos_tokenizer, draw.pick(texts.SENTENCES))


@token_spans.misconception
def character_offsets(tokenizer, text):
    """Offsets in characters, not bytes.

    The tokenizer's own offsets count characters, of which an emoji is one in spite of its four
    bytes. What do the numbers count that are asked for here?
    """
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [(text[a:b].encode(), a, b) for a, b in encoding["offset_mapping"]]


@token_spans.misconception
def character_offsets_and_bos(tokenizer, text):
    """Offsets in characters, and an empty span for BOS.

    Two things to look at: the tokenizer's own offsets count characters where bytes are asked for,
    and called just so it may add special tokens of its own accord.
    """
    encoding = tokenizer(text, return_offsets_mapping=True)
    return [(text[a:b].encode(), a, b) for a, b in encoding["offset_mapping"]]


# forum: several tokens of one emoji with the same offsets.
@token_spans.misconception
def whole_characters(tokenizer, text):
    """Half a character given the span of all of it.

    Where an emoji is three tokens, each of them got the whole emoji, and joined up it would be
    there three times. Offsets in characters cannot point into one; which bytes has each token?
    """
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = []
    for a, b in encoding["offset_mapping"]:
        start = len(text[:a].encode())
        piece = text[a:b].encode()
        spans.append((piece, start, start + len(piece)))
    return spans


@token_spans.misconception
def decoded_one_by_one(tokenizer, text):
    """Half characters decoded, and lost.

    Decoding a token that is a part of an emoji gives the replacement character, which is three
    bytes of something else. Where can you see a token's bytes before they are decoded?
    """
    spans = []
    start = 0
    for token in tokenizer.encode(text, add_special_tokens=False):
        piece = tokenizer.decode(token).encode()
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def stand_ins_encoded(tokenizer, text):
    """The vocabulary's stand-ins encoded in place of the bytes.

    Ġ is one displayed character for one byte, but two bytes in UTF-8 itself. Look each character
    up before you count.
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = token.encode()
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def end_included(tokenizer, text):
    """The end counted in.

    As in any Python slice, `end` is the first byte that is not part of the token: where the next
    one starts.
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece) - 1))
        start += len(piece)
    return spans


@token_spans.misconception
def automatic_bos(tokenizer, text):
    """BOS among the tokens.

    It is not in the text, so every span after it is thirteen bytes off. Some tokenizers add one by
    themselves; how do you keep them from it?
    """
    spans = []
    start = 0
    for token in tokenizer.convert_ids_to_tokens(tokenizer.encode(text)):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def first_occurrence(tokenizer, text):
    """Each token searched for from the beginning of the text.

    A search finds the first place where the bytes occur, and short tokens occur more than once.
    Where does a token start if you know where the one before it ended?
    """
    spans = []
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        start = text.encode().find(piece)
        spans.append((piece, start, start + len(piece)))
    return spans


prepend_bos = Exercise(
    "prepend_bos",
    hints=(
        "What must the shape of the BOS column be, so that it can stand in front of sequences "
        "with any number of batch dimensions?",
        "All dimensions of the tokens but the last, and then 1. A tensor's `new_full` makes one "
        "of the same dtype and device; `torch.cat` puts the two together.",
        "The column is `tokens.new_full((*tokens.shape[:-1], 1), ...)`. Along which dimension do "
        "you join, and which of the two comes first?",
    ),
)


@prepend_bos.check(points=4, of_tokens=True)
def one_bos_in_front(draw: Draw) -> Cases:
    """Each sequence begins with one BOS more, whatever the batch dimensions."""
    for shape in [(3,), (1, 4), (3, 5), (2, 2, 3)]:
        yield Case(draw.ids(*shape, below=BOS))
    yield Case(torch.tensor([[BOS, 40], [40, BOS]]))
    yield Case(torch.tensor([[BOS, 40]]))
    yield Case(torch.tensor([BOS]))


@prepend_bos.check(points=1, of_tokens=True)
def the_id_it_is_given(draw: Draw) -> Cases:
    """A tokenizer's BOS may have another id."""
    yield Case(draw.ids(2, 3, below=90), bos_token_id=draw.integer(90, 99))
    yield Case(torch.tensor([5, 6]), bos_token_id=0)


@prepend_bos.check(points=1, of_tokens=True)
def empty_sequences(draw: Draw) -> Cases:
    """Before an empty sequence there is nothing but BOS."""
    yield Case(draw.ids(0, below=9))
    yield Case(draw.ids(2, 0, below=9))


@prepend_bos.check(points=2, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32."""
    for dtype in (torch.int32, torch.int64):
        yield Case(draw.ids(2, 3, below=BOS).to(dtype))


@prepend_bos.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=BOS).to(device))


@prepend_bos.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield Case(draw.ids(2, 3, below=BOS))


@prepend_bos.misconception
def behind_the_sequence(tokens, bos_token_id=BOS):
    """BOS put behind the sequence.

    The same id ends a text, but what the first token is predicted from must come before it. In
    which order does `cat` take its parts?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([tokens, bos], dim=-1)


@prepend_bos.misconception
def always_50256(tokens, bos_token_id=BOS):
    """GPT-2's BOS whatever id was asked for.

    50256 is only the default; other tokenizers begin their texts with another token. Which name
    holds the id that the caller wants?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), BOS)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def only_where_missing(tokens, bos_token_id=BOS):
    """BOS only where there is none yet.

    Careful, but not what was asked: a text may itself begin with <|endoftext|>, and still gets one
    in front. And an empty sequence has no first token to look at.
    """
    if (tokens[..., 0] == bos_token_id).all():
        return tokens
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def int64_whatever_comes_in(tokens, bos_token_id=BOS):
    """int32 ids turned into int64.

    A new tensor of integers is int64 unless told otherwise, and `cat` settles on the wider of two
    dtypes. From what can a new tensor take its dtype, and its device?
    """
    bos = torch.full((*tokens.shape[:-1], 1), bos_token_id, device=tokens.device)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def batch_taken_for_granted(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which dimensions
    are all but the last, however many there are?
    """
    bos = tokens.new_full((tokens.shape[0], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def batch_taken_for_granted_and_int64(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted, and int64.

    Two things to look at: how many dimensions come before the last can differ, and so can the dtype
    of the ids, which a new tensor does not know of.
    """
    bos = torch.full((tokens.shape[0], 1), bos_token_id, device=tokens.device)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def one_bos_for_the_batch(tokens, bos_token_id=BOS):
    """A single BOS for the whole batch.

    `cat` does not broadcast: each sequence needs a BOS of its own. What shape must the column of
    them have?
    """
    bos = torch.tensor([[bos_token_id]], dtype=tokens.dtype, device=tokens.device)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def first_token_overwritten(tokens, bos_token_id=BOS):
    """The first token overwritten.

    BOS takes no token's place: each sequence grows by one. And the caller's tensor should come out
    as it went in.
    """
    tokens[..., 0] = bos_token_id
    return tokens


strip_bos = Exercise(
    "strip_bos",
    hints=(
        "There are three cases: all sequences begin with BOS, none does, or some do. Into which "
        "of them falls an empty sequence?",
        "A slice of the first token can be empty without an error, and keeps its dimension. "
        "Compare it with BOS, and let `any` and `all` tell the cases apart.",
        "With `first = tokens[..., :1] == bos_token_id`: not any, nothing changes; any but not "
        "all, ValueError; all, everything from the second token on.",
    ),
)


@strip_bos.check(points=3, of_tokens=True)
def the_leading_bos_goes(draw: Draw) -> Cases:
    """Each sequence loses the BOS in front, whatever the batch dimensions."""
    for shape in [(3,), (1, 4), (3, 5), (2, 2, 3)]:
        tokens = draw.ids(*shape, below=BOS)
        tokens[..., 0] = BOS
        yield Case(tokens)
    yield Case(torch.tensor([7, 8, 9]), bos_token_id=7)
    yield Case(torch.tensor([[0, 8, 9]]), bos_token_id=0)
    yield Case(torch.tensor([BOS]))
    yield Case(torch.tensor([[BOS], [BOS]]))


@strip_bos.check(points=2, of_tokens=True)
def only_the_leading_one(draw: Draw) -> Cases:
    """Only one goes, and none that comes later in the text."""
    yield Case(torch.tensor([BOS, 40, BOS]))
    yield Case(torch.tensor([[BOS, BOS, 40], [BOS, 41, BOS]]))
    yield Case(torch.tensor([[BOS, BOS, 40], [BOS, BOS, 41]]))
    yield Case(torch.tensor([BOS, BOS, 40]))
    yield Case(torch.tensor([40, BOS, 41]))


@strip_bos.check(points=1, of_tokens=True)
def nothing_to_strip(draw: Draw) -> Cases:
    """Without a BOS in front, or without tokens, nothing changes."""
    yield Case(torch.tensor([9, 7, 8]), bos_token_id=7)
    yield Case(torch.tensor([[6, 7], [5, 7]]), bos_token_id=7)
    yield Case(draw.ids(2, 4, below=BOS))
    yield Case(draw.ids(4, below=BOS))
    yield Case(draw.ids(0, below=BOS))
    yield Case(draw.ids(2, 0, below=BOS))


@strip_bos.check(points=1, observe=observe.raises(ValueError))
def a_mixture_raises(draw: Draw) -> Cases:
    """ValueError where some sequences of the batch begin with BOS and some do not."""
    yield Case(torch.tensor([[BOS, 40], [41, 42]]))
    yield Case(torch.tensor([[41, 42], [BOS, 40], [BOS, 43]]))
    yield Case(torch.tensor([[BOS, 40], [41, 42], [BOS, 43]]))
    yield Case(torch.tensor([[41, 42], [BOS, 40], [43, 44]]))
    yield Case(torch.tensor([[BOS, 40], [BOS, 42]]))
    yield Case(torch.tensor([[[BOS, 40], [BOS, 41]], [[BOS, 42], [43, 44]]]))


@strip_bos.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32."""
    for dtype in (torch.int32, torch.int64):
        yield Case(torch.tensor([BOS, 40, 41], dtype=dtype))
        yield Case(torch.tensor([40, 41], dtype=dtype))


@strip_bos.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(torch.tensor([[BOS, 40]]).to(device))


@strip_bos.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield Case(torch.tensor([[BOS, 40, 41], [BOS, 42, BOS]]))


@strip_bos.misconception
def every_bos(tokens, bos_token_id=BOS):
    """Every BOS taken out, not only the leading one.

    A later <|endoftext|> is a part of the text: it says that a document ends there. A mask over all
    tokens also forgets which row they were in.
    """
    return tokens[tokens != bos_token_id]


@strip_bos.misconception
def first_token_whatever_it_is(tokens, bos_token_id=BOS):
    """The first token dropped, whatever it is.

    That is right for a text that begins with BOS. How would you find out whether it does?
    """
    return tokens[..., 1:]


@strip_bos.misconception
def mixture_unnoticed(tokens, bos_token_id=BOS):
    """A mixed batch let through without an error.

    Where some rows begin with BOS and some do not, either answer is wrong for part of them. `any`
    and `all` differ in just that case.
    """
    if (tokens[..., :1] == bos_token_id).all():
        return tokens[..., 1:]
    return tokens


@strip_bos.misconception
def empty_sequence_unforeseen(tokens, bos_token_id=BOS):
    """A first token looked for in an empty sequence.

    Index 0 must exist, and a slice need not. What does a slice of the first token give where there
    is none, and what do `any` and `all` say of it?
    """
    is_bos = tokens[..., 0] == bos_token_id
    if is_bos.all():
        return tokens[..., 1:]
    if is_bos.any():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens


@strip_bos.misconception
def mixture_and_empty_sequence_unforeseen(tokens, bos_token_id=BOS):
    """Neither a mixed batch nor an empty sequence foreseen.

    Two cases to think about: some rows begin with BOS and some do not, which should raise
    ValueError; and there is no first token to look at.
    """
    if (tokens[..., 0] == bos_token_id).all():
        return tokens[..., 1:]
    return tokens


@strip_bos.misconception
def all_leading_ones(tokens, bos_token_id=BOS):
    """All leading BOS stripped, one after the other.

    Only one was put there for the model. A second one came with the text: that began with
    <|endoftext|>.
    """
    while tokens.shape[-1] and (tokens[..., 0] == bos_token_id).all():
        tokens = tokens[..., 1:]
    if (tokens[..., :1] == bos_token_id).any():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens


@strip_bos.misconception
def batch_taken_for_granted(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which index means
    "all dimensions but the last", however many there are?
    """
    is_bos = tokens[:, :1] == bos_token_id
    if not is_bos.any():
        return tokens
    if not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[:, 1:]


@strip_bos.misconception
def one_sequence_only(tokens, bos_token_id=BOS):
    """A single sequence without a batch taken for granted.

    In a batch, tokens[0] is all of the first sequence, and `if` cannot tell whether that is true.
    Where is the first token of each?
    """
    if len(tokens) > 0 and tokens[0] == bos_token_id:
        return tokens[1:]
    return tokens


encode = Exercise(
    "encode",
    # What older versions of transformers have for it; the current one leaves it to the call.
    forbids=Forbidden(methods=("build_inputs_with_special_tokens", "prepare_for_model")),
    hints=(
        "Padding and BOS look alike in the ids. At which moment do you still know how long each "
        "text is?",
        "Make one list of ids per text, without the tokenizer's own BOS, and put yours in front. "
        "Then fill up to the longest, and the mask along with it.",
        "Begin with `torch.full` of eos ids and `torch.zeros` for the mask, both integers of "
        "shape (texts, longest row). Write each row, and as many ones, into the first entries.",
    ),
)


@encode.check(points=2, of_tokens=True)
def a_single_text(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """A string is a batch of one."""
    for text in ["Ralph", texts.NOTES, draw.pick(texts.ODD)]:
        yield Case(tokenizer, text)
    yield Case(tokenizer, "", prepend_bos=False)


@encode.check(points=2, of_tokens=True)
def exactly_one_bos(draw: Draw, tokenizer: GPT2Tokenizer, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """One BOS if asked for and none if not, also where the tokenizer adds one by itself."""
    for which in (tokenizer, bos_tokenizer):
        for prepend_bos in (True, False):
            yield Case(which, ["Ralph", draw.pick(texts.SENTENCES)], prepend_bos=prepend_bos)
            yield Case(which, ["<|endoftext|>begins", "Ralph"], prepend_bos=prepend_bos)


@encode.check(points=2, agree=agree.values_and_an_integer_mask, of_tokens=True)
def pads_on_the_right(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Shorter texts are filled up at the end, and the mask, of integers, is 0 there."""
    yield Case(tokenizer, ["Ralph", " Ralph"])
    yield Case(tokenizer, draw.shuffled(texts.SENTENCES)[:4])
    yield Case(tokenizer, draw.shuffled(texts.ODD)[:3], prepend_bos=False)
    # Longer than GPT-2 can read in one go; how much of it to take is the caller's decision.
    yield Case(tokenizer, ["Ralph", " ".join(draw.shuffled(texts.SENTENCES) * 12)])


@encode.check(points=3, of_tokens=True)
def the_mask_is_not_read_off_the_ids(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """BOS, and an `<|endoftext|>` inside a text, have mask 1 although padding has their id."""
    yield Case(tokenizer, ["", "Ralph"])
    yield Case(tokenizer, ["One text.<|endoftext|>Another", "Short"])
    yield Case(tokenizer, ["ends here<|endoftext|>", "a longer text than that one is"])


@encode.check(points=1, observe=observe.arguments_after)
def leaves_the_texts_alone(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """The list it was given still holds what it held."""
    for prepend_bos in (True, False):
        yield Case(tokenizer, draw.shuffled(texts.SENTENCES)[:3], prepend_bos=prepend_bos)


@encode.misconception
def mask_read_off_the_ids(tokenizer, texts, prepend_bos=True):
    """A mask that is read off the ids.

    GPT-2 pads with the id that it also begins and ends texts with. So who can still tell padding
    from text once the rows are filled up, and who could before?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    texts = [bos + text for text in texts]
    ids = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")["input_ids"]
    return ids, (ids != tokenizer.eos_token_id).long()


@encode.misconception
def mask_of_ones(tokenizer, texts, prepend_bos=True):
    """A mask of nothing but ones.

    Padding is there to make the rows equally long, and is to be ignored. Where is the mask 0?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    texts = [bos + text for text in texts]
    ids = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")["input_ids"]
    return ids, torch.ones_like(ids)


# course forks: generation in batches wants it so.
@encode.misconception
def padded_on_the_left(tokenizer, texts, prepend_bos=True):
    """Padding on the left.

    There it keeps last tokens aligned, which is handy for generating, but shifts every position of
    the shorter texts. On which side is it wanted here?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts],
        add_special_tokens=False,
        padding=True,
        padding_side="left",
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


# forum: two BOS in front, or one that prepend_bos=False does not turn off.
@encode.misconception
def automatic_bos_on_top(tokenizer, texts, prepend_bos=True):
    """The tokenizer's automatic BOS on top of one's own.

    Some tokenizers put one in front unless told not to; then there are two, or one where none was
    asked for. Who should be in charge of it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer([bos + text for text in texts], padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_left_to_the_tokenizer(tokenizer, texts, prepend_bos=True):
    """BOS left to the tokenizer.

    add_special_tokens permits a tokenizer to add those that it is set up to add, and GPT-2's
    ordinary one adds none. How do you get exactly one from either?
    """
    texts = [texts] if isinstance(texts, str) else texts
    encoding = tokenizer(texts, add_special_tokens=prepend_bos, padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_always(tokenizer, texts, prepend_bos=True):
    """BOS also where none was asked for.

    The callers of prepend_bos=False have their reasons: perhaps the text goes on from an earlier
    one. Where does your code look at that argument?
    """
    texts = [texts] if isinstance(texts, str) else texts
    encoding = tokenizer(
        [tokenizer.bos_token + text for text in texts],
        add_special_tokens=False,
        padding=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_only_where_missing(tokenizer, texts, prepend_bos=True):
    """BOS only where the text does not begin with one.

    A text's own <|endoftext|> belongs to the text. If that does not count, what decides how many
    come before it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    if prepend_bos:
        bos = tokenizer.bos_token_id
        rows = [row if row[:1] == [bos] else [bos, *row] for row in rows]
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row).long()
        mask[i, : len(row)] = 1
    return ids, mask


@encode.misconception
def one_text_without_a_batch(tokenizer, texts, prepend_bos=True):
    """A single text without its batch dimension.

    Code that reads (batch, seq) should not have to ask how many texts there were. What is a batch
    of one?
    """
    bos = tokenizer.bos_token if prepend_bos else ""
    several = [bos + text for text in ([texts] if isinstance(texts, str) else texts)]
    encoding = tokenizer(several, add_special_tokens=False, padding=True, return_tensors="pt")
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return (ids[0], mask[0]) if isinstance(texts, str) else (ids, mask)


@encode.misconception
def truncated(tokenizer, texts, prepend_bos=True):
    """Long texts cut off without a word.

    truncation=True drops whatever GPT-2 could not read at once, and nobody is told. All of the text
    was asked for; how much of it to use is for the caller to decide.
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts],
        add_special_tokens=False,
        padding=True,
        truncation=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def callers_list_changed(tokenizer, texts, prepend_bos=True):
    """The caller's own list of texts changed.

    An assignment to texts[i] is seen by whoever else holds that list, and a second call would put a
    second BOS in front. What would be a list of your own?
    """
    if isinstance(texts, str):
        texts = [texts]
    if prepend_bos:
        for i in range(len(texts)):
            texts[i] = tokenizer.bos_token + texts[i]
    encoding = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def floats_where_there_is_no_token(tokenizer, texts, prepend_bos=True):
    """Floats instead of ids where there is no token.

    From an empty list, `torch.tensor` cannot see that integers were meant. You know the dtype of
    ids; does it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = [tokenizer.bos_token_id] if prepend_bos else []
    rows = [bos + tokenizer.encode(text, add_special_tokens=False) for text in texts]
    longest = max(len(row) for row in rows)
    ids = [row + [tokenizer.eos_token_id] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


@encode.misconception
def text_taken_for_a_list(tokenizer, texts, prepend_bos=True):
    """A single text taken for a list of characters.

    Python goes through a string letter by letter, and each one became a row. How can you tell one
    text from several?
    """
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    return encoding["input_ids"], encoding["attention_mask"]


inputs_and_targets = Exercise(
    "inputs_and_targets",
    hints=(
        "Write four tokens on paper, and under each what follows it. Which one has nothing under "
        "it, and which stands under nothing?",
        "Both are slices of one sequence, shifted by a token. A BOS makes that sequence longer "
        "before it is sliced, and nothing else changes.",
        "`[..., :-1]` and `[..., 1:]`, after `prepend_bos` where the id is not None (0 is an id, "
        "too).",
    ),
)


@inputs_and_targets.check(points=4, of_tokens=True)
def without_bos(draw: Draw) -> Cases:
    """Each position's target is the token that follows it."""
    for shape in [(2,), (5,), (1, 4), (3, 6)]:
        yield Case(draw.ids(*shape, below=BOS))
    yield Case(draw.ids(2, 2, 3, below=BOS))
    yield Case(draw.ids(1, below=BOS))


@inputs_and_targets.check(points=4, of_tokens=True)
def with_bos(draw: Draw) -> Cases:
    """With a BOS to start from, every token is a target, the first one included."""
    for shape in [(1,), (5,), (3, 6)]:
        yield Case(draw.ids(*shape, below=BOS), bos_token_id=BOS)
    yield Case(draw.ids(2, 3, below=90), bos_token_id=0)
    yield Case(draw.ids(2, 2, 3, below=90), bos_token_id=91)
    yield Case(torch.tensor([BOS, 5, 6]), bos_token_id=BOS)
    yield Case(draw.ids(0, below=90), bos_token_id=BOS)


@inputs_and_targets.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32, with BOS and without."""
    tokens = draw.ids(2, 3, below=BOS).to(torch.int32)
    yield Case(tokens)
    yield Case(tokens, bos_token_id=BOS)


@inputs_and_targets.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    tokens = draw.ids(2, 3, below=BOS)
    yield Case(tokens)
    yield Case(tokens, bos_token_id=BOS)


@inputs_and_targets.misconception
def swapped(tokens, bos_token_id=None):
    """Inputs and targets swapped.

    The target is what follows, so it is the targets that begin one token later. Try it with three
    tokens on paper.
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., 1:], tokens[..., :-1]


# forum: labels that equal input_ids, because a library shifts them later.
@inputs_and_targets.misconception
def not_shifted(tokens, bos_token_id=None):
    """Inputs and targets the same, not shifted.

    Some libraries want it so, and shift inside the model. Nobody does here: each position would
    learn to repeat what it has just read.
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens


@inputs_and_targets.misconception
def rolled(tokens, bos_token_id=None):
    """Targets rolled round, so that the first token follows the last.

    Nothing is known about what comes after the last token, so that position has no target. How
    many are left?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens.roll(-1, dims=-1)


@inputs_and_targets.misconception
def no_bos(tokens, bos_token_id=None):
    """BOS never put in front.

    Then nothing predicts the first token. What should stand before it if the caller names a BOS?
    """
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def last_token_still_an_input(tokens, bos_token_id=None):
    """With BOS, one input more than there are targets.

    The last token is read, but nothing is known to follow it. How many inputs belong to n targets?
    """
    if bos_token_id is None:
        return tokens[..., :-1], tokens[..., 1:]
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1), tokens


@inputs_and_targets.misconception
def bos_0_taken_for_none(tokens, bos_token_id=None):
    """A BOS id of 0 taken for no BOS.

    0 is false to Python, but an id like any other: some tokenizers begin with it. Which value alone
    means that there is no BOS?
    """
    if bos_token_id:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def int64_with_bos(tokens, bos_token_id=None):
    """int32 ids turned into int64 by BOS.

    A new tensor of integers is int64 unless told otherwise, and `cat` settles on the wider of two
    dtypes. From what can it take its dtype?
    """
    if bos_token_id is not None:
        bos = torch.full((*tokens.shape[:-1], 1), bos_token_id, device=tokens.device)
        tokens = torch.cat([bos, tokens], dim=-1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def first_dimension_sliced(tokens, bos_token_id=None):
    """The first dimension sliced instead of the last.

    For one sequence they are the same, but in a batch tokens[:-1] leaves out a whole sequence. How
    do you slice the last dimension, however many come before?
    """
    if bos_token_id is not None:
        bos = torch.tensor([bos_token_id], dtype=tokens.dtype, device=tokens.device)
        tokens = torch.cat([bos, tokens])
    return tokens[:-1], tokens[1:]


@inputs_and_targets.misconception
def batch_taken_for_granted(tokens, bos_token_id=None):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which index stands
    for all dimensions but the last, however many there are?
    """
    if bos_token_id is not None:
        bos = tokens.new_full((tokens.shape[0], 1), bos_token_id)
        tokens = torch.cat([bos, tokens], dim=1)
    return tokens[:, :-1], tokens[:, 1:]
