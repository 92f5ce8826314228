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
