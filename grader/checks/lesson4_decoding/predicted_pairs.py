"""What `predicted_pairs` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.checks.lesson4_decoding.shared import ENDINGS, EOS
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear, clear_continuation

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


@cache
@torch.no_grad()
def expecting_an_end(reference: TransformerBridge) -> str | None:
    """A text after which the reference expects EOS. None where none of these texts is so."""
    for prompt in ENDINGS:
        new = clear_continuation(reference, reference.to_tokens(prompt), 4)
        if new is None or EOS not in new[0]:
            continue
        text: str = prompt + reference.tokenizer.decode(new[0, : new[0].tolist().index(EOS)])
        logits = reference(text)
        if clear(logits) and logits[0, -1].argmax() == EOS:
            return text
    return None


predicted_pairs = Exercise(
    "predicted_pairs",
    hints=(
        "The model makes one prediction per token that it sees, BOS included: about the token "
        "after it. So nothing need be shifted or cut off.",
        "Get the tokens with BOS, run the model on them and take the argmax over the "
        "vocabulary. Then walk over both rows of ids at once.",
        "Turn each id into text on its own, as a list of one id for model.tokenizer.decode; "
        "that gives real spaces where the vocabulary has Ġ.",
    ),
)


@predicted_pairs.check(points=5)
def one_pair_per_token(draw: Draw, reference: TransformerBridge) -> Cases:
    """Each token, BOS included, beside the token that the model expects after it."""
    with torch.no_grad():
        for _ in range(2):
            text = draw.until(
                lambda: draw.pick(texts.SENTENCES), lambda text: clear(reference(text))
            )
            yield Case(reference, text)


@predicted_pairs.check(points=5)
def real_text_on_both_sides(draw: Draw, reference: TransformerBridge) -> Cases:
    """Both are text with real spaces and line breaks, BOS and EOS `<|endoftext|>`."""
    with torch.no_grad():
        for text in ("", " the\n", "naïve café", " Ralph", "x = 1"):
            if clear(reference(text)):
                yield Case(reference, text)
    if (ending := expecting_an_end(reference)) is not None:
        yield Case(reference, ending)


@predicted_pairs.misconception
def no_bos_in_front(model, text):
    """No BOS in front of the text.

    The model has seen every text begin with BOS, and its expectation of the first token stands at
    the BOS. What asks for one when the text becomes tokens?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text, prepend_bos=False)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0], expected[0], strict=True)]


@predicted_pairs.misconception
def bos_left_out_of_the_pairs(model, text):
    """BOS left out of the pairs.

    BOS is a token like any other, and what the model expects after it is its idea of how a text
    begins. It gets a pair, too.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0, 1:], expected[0, 1:], strict=True)]


# course forks: predictions cut to [:-1] to compare them with tokens[1:]
@predicted_pairs.misconception
def last_prediction_dropped(model, text):
    """The last prediction dropped, and its token with it.

    To score predictions one drops the last, as nothing came after it to hold it against. Here
    nothing is scored: what does the model expect after the end of the text?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens)[:, :-1].argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0], expected[0], strict=False)]


@predicted_pairs.misconception
def beside_the_token_predicted(model, text):
    """Each token beside the prediction of itself, not of what follows.

    The logits at a position are about the token after it. You have moved one side by a place, so
    that each token meets the guess made before it was seen.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [
        (decode([a]), decode([b])) for a, b in zip(tokens[0, 1:], expected[0, :-1], strict=True)
    ]


@predicted_pairs.misconception
def symbols_of_the_vocabulary(model, text):
    """The vocabulary's symbols, with Ġ for a space, instead of text.

    GPT-2's vocabulary writes each byte as a visible character, a space as Ġ. Looking up its entry
    is not yet decoding: what turns ids back into text?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    symbols = model.tokenizer.convert_ids_to_tokens
    return list(zip(symbols(tokens[0].tolist()), symbols(expected[0].tolist()), strict=True))


@predicted_pairs.misconception
def stripped(model, text):
    """Tokens with their spaces and line breaks stripped off.

    " the" and "the" are two tokens, and the model tells them apart. The space in front belongs to
    the token; tidying up hides what was predicted.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [
        (decode([a]).strip(), decode([b]).strip())
        for a, b in zip(tokens[0], expected[0], strict=True)
    ]
