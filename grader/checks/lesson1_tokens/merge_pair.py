"""What `merge_pair` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

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
