"""What `spelling_variants` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


WORDS = ["ralph", "hello", "transformer", "paris", "the", "autoregressive", "monday", "zebra"]

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
    long = "pneumonoultramicroscopicsilicovolcanoconiosis"
    for word in ["a", "ralph", "été", "murmur", long, "jack-o'-lantern", *draw.shuffled(WORDS)[:3]]:
        yield Case(tokenizer, word)


@spelling_variants.check(points=5)
def without_bos(draw: Draw, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """No BOS among the tokens, whichever way the tokenizer is set up."""
    yield Case(bos_tokenizer, "a")
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


@spelling_variants.misconception
def bos_as_empty_text(tokenizer, word):
    """BOS left among the tokens as an empty text.

    skip_special_tokens makes nothing of it, but its place in the list stays. How do you keep the
    tokenizer from putting one in front?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {
        form: [tokenizer.decode([i], skip_special_tokens=True) for i in tokenizer.encode(form)]
        for form in forms
    }


@spelling_variants.misconception
def first_token_dropped(tokenizer, word):
    """The first token dropped, BOS or not.

    Whether there is a BOS to be dropped depends on how the tokenizer was loaded. What can you tell
    `encode` so that there never is one?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: [tokenizer.decode(i) for i in tokenizer.encode(form)[1:]] for form in forms}


@spelling_variants.misconception
def in_capitals(tokenizer, word):
    """The whole word in capitals.

    "Ralph" has one capital letter and "RALPH" five. Which method of strings changes the first
    letter only?
    """
    forms = [word, word.upper(), " " + word, " " + word.upper()]
    return {
        form: [tokenizer.decode(i) for i in tokenizer.encode(form, add_special_tokens=False)]
        for form in forms
    }


@spelling_variants.misconception
def decoded_as_a_whole(tokenizer, word):
    """All tokens of a form decoded at once.

    That gives the form again, in one piece. What would you have to decode for each piece to be
    seen by itself?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {
        form: [tokenizer.decode(tokenizer.encode(form, add_special_tokens=False))] for form in forms
    }


@spelling_variants.misconception
def a_text_for_a_list(tokenizer, word):
    """One text for each form, not a list of its tokens.

    Decoding all ids at once gives the form again. What would you have to decode for each piece to
    be seen by itself?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {
        form: tokenizer.decode(tokenizer.encode(form, add_special_tokens=False)) for form in forms
    }


@spelling_variants.misconception
def repeated_tokens_left_out(tokenizer, word):
    """Repeated tokens left out.

    A word may hold the same piece twice, and joining its tokens should give it again. What gets
    lost in a set, or among the keys of a dictionary?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    tokens = {}
    for form in forms:
        form_ids = tokenizer.encode(form, add_special_tokens=False)
        tokens[form] = list(dict.fromkeys(tokenizer.decode(i) for i in form_ids))
    return tokens


@spelling_variants.misconception
def without_the_spaced_forms(tokenizer, word):
    """The two forms with a space in front left out.

    Most words in a text follow a space, and have other tokens there. Which four forms are asked
    for?
    """
    return {
        form: [tokenizer.decode(i) for i in tokenizer.encode(form, add_special_tokens=False)]
        for form in (word, word.capitalize())
    }


@spelling_variants.misconception
def letters(tokenizer, word):
    """Letters, not tokens.

    `list` cuts a string letter by letter, and the tokenizer was not asked. Who knows how GPT-2 cuts
    the word?
    """
    forms = [word, word.capitalize(), " " + word, " " + word.capitalize()]
    return {form: list(form) for form in forms}


@spelling_variants.misconception
def every_part_capitalised(tokenizer, word):
    """A capital after every hyphen and apostrophe, too.

    `title` begins anew behind each sign that is no letter, and makes "O'Neill" of a word that has
    one capital to get. Which method of strings changes its first letter only?
    """
    forms = [word, word.title(), " " + word, " " + word.title()]
    return {
        form: [tokenizer.decode(i) for i in tokenizer.encode(form, add_special_tokens=False)]
        for form in forms
    }


@spelling_variants.misconception
def space_capitalised(tokenizer, word):
    """The form with both a space and a capital missing.

    Are there four in your list? Of " ralph", `capitalize` changes nothing, as its first character
    is the space. In which order do you put a space in front and capitalise?
    """
    forms = [word, word.capitalize(), " " + word, (" " + word).capitalize()]
    return {
        form: [tokenizer.decode(i) for i in tokenizer.encode(form, add_special_tokens=False)]
        for form in forms
    }
