"""What `merge_pair` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import re
from itertools import pairwise

from grader.checks.lesson1_tokens.shared import word_of
from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

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
    yield Case([b"a", b"b", b"c"], (b"a", b"b"))
    # Bytes are bytes, whatever they would be as text, and of any length.
    for pair in [
        (b"o", b"</w>"),
        (b"<|endoftext|>", b"a"),
        (b" ", b"\n"),
        (b"\xf0", b"\x9f"),
        (b"ab" * 9, b"ab" * 9),
    ]:
        yield Case([*pair, b"x"], pair)
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
    """Only the two tokens of the pair, in their order, are merged, and all others stay."""
    yield Case([b"a", b"bc", b"abc", b"ab", b"c"], (b"ab", b"c"))
    yield Case([b"th", b"e"], (b"t", b"he"))
    yield Case([b"cab", b"c"], (b"ab", b"c"))
    yield Case([b"ab", b"cd"], (b"ab", b"c"))
    yield Case([b" ", b"t", b" ", b"\0"], (b" ", b"t"))
    yield Case([bytes([b]) for b in range(256)], (b"a", b"b"))  # none is left to separate others
    yield Case([b"h", b"t", b"t"], (b"t", b"h"))
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


# papers: the well-known snippet on strings, with its regular expression
@merge_pair.misconception
def regex_over_the_joined_text(tokens, pair):
    """A regular expression over the tokens joined by spaces.

    It minds where tokens begin and end, unless a token is or holds a space itself, and those that
    are nothing else get lost. Need the tokens be joined at all?
    """
    both = re.compile(rb"(?<!\S)" + re.escape(b" ".join(pair)) + rb"(?!\S)")
    return both.sub(lambda _: b"".join(pair), b" ".join(tokens)).split()


@merge_pair.misconception
def empty_token_left(tokens, pair):
    """An empty token left where the second half was.

    The merged token stands in the place of the first half, and two places have become one. What
    happens to the other?
    """
    merged = list(tokens)
    for i in range(len(merged) - 1):
        if (merged[i], merged[i + 1]) == pair:
            merged[i : i + 2] = [pair[0] + pair[1], b""]
    return merged


@merge_pair.misconception
def none_left(tokens, pair):
    """None left where the second half was.

    The merged token stands in the place of the first half, and two places have become one. What
    happens to the other?
    """
    merged = list(tokens)
    for i in range(len(merged) - 1):
        if (merged[i], merged[i + 1]) == pair:
            merged[i : i + 2] = [pair[0] + pair[1], None]
    return merged


@merge_pair.misconception
def pair_not_joined(tokens, pair):
    """The pair put in as a pair, not joined.

    A token is bytes, and the new one spells what both did. How do you put two pieces of bytes
    together?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(pair)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def from_right_to_left(tokens, pair):
    """Merged from right to left.

    In a run of three equal tokens it matters where one begins. Which two of them become one?
    """
    merged = list(tokens)
    i = len(merged) - 2
    while i >= 0:
        if (merged[i], merged[i + 1]) == pair:
            merged[i : i + 2] = [pair[0] + pair[1]]
            i -= 1
        i -= 1
    return merged


@merge_pair.misconception
def list_that_gets_shorter(tokens, pair):
    """Positions of a list that gets shorter meanwhile.

    `range` is made once, of the length at the start, and each merge takes a place away. Which kind
    of loop looks again each time?
    """
    merged = list(tokens)
    for i in range(len(merged) - 1):
        if (merged[i], merged[i + 1]) == pair:
            merged[i : i + 2] = [pair[0] + pair[1]]
    return merged


@merge_pair.misconception
def list_compared_with_a_tuple(tokens, pair):
    """A list compared with a tuple, which are never equal.

    A slice of a list is a list, and the pair is a tuple, so nothing is ever merged. What makes one
    of the other?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if tokens[i : i + 2] == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def in_any_order(tokens, pair):
    """Two tokens merged whichever way round they stand.

    `in` asks whether a token is one of the two, and not which. Where must each of them stand?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and tokens[i] in pair and tokens[i + 1] in pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def token_after_a_merge_lost(tokens, pair):
    """The token after a merged pair lost.

    After a merge two tokens have been used up. How far does your position move in all, and where
    is it moved?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 3
        else:
            merged.append(tokens[i])
            i += 1
    return merged


@merge_pair.misconception
def only_merged_tokens_kept(tokens, pair):
    """Only the merged tokens kept.

    What is no part of the pair stays in the word as it was. Which branch appends it?
    """
    merged = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            i += 1
    return merged


@merge_pair.misconception
def short_word_returned(tokens, pair):
    """The list it was given returned where it is too short to merge.

    Two names for one list: whoever changes the result then changes the word, too. Need such words
    be treated by themselves at all?
    """
    if len(tokens) < 2:
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


@merge_pair.misconception
def one_for_each_two_neighbours(tokens, pair):
    """One token put out for each two neighbours.

    A word of n tokens has n - 1 of them, so the last one gets lost, and the second half of a merged
    pair comes again. How many tokens does a merge use up?
    """
    return [a + b if (a, b) == pair else a for a, b in pairwise(tokens)]


@merge_pair.misconception
def last_token_twice(tokens, pair):
    """The last token put behind whether it was merged or not.

    It is wanted only if it was not used up. How can you tell after the loop?
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
    return merged + tokens[-1:]


@merge_pair.misconception
def cut_at_every_space(tokens, pair):
    """The pair replaced in the joined tokens, then cut at every space.

    A space may itself be a token, a longer token may end as the pair begins, and of nothing comes
    one empty token. Need the tokens be joined at all?
    """
    text = b" ".join(tokens)
    return text.replace(b" ".join(pair), b"".join(pair)).split(b" ")
