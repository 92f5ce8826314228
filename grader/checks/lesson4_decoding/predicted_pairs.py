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
        for text in (
            "",
            " the\n",
            "naïve café",
            " Ralph",
            "x = 1",
            "<|endoftext|>The",
            "a\r\n\tb",
            "漢",
        ):
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


def pairs(model, tokens, expected, decode=None):
    decode = decode or model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens, expected, strict=False)]


@torch.no_grad()
def guesses(model, tokens):
    return model(tokens)[0].argmax(dim=-1).tolist()


@predicted_pairs.misconception
def expected_first(model, text):
    """Pairs the wrong way round.

    The token comes first, and what the model expects after it second. In which order does your loop
    take them up?
    """
    tokens = model.to_tokens(text)
    return pairs(model, guesses(model, tokens), tokens[0].tolist())


@predicted_pairs.misconception
def special_tokens_skipped(model, text):
    """Special tokens left out when decoding.

    BOS is `<|endoftext|>`, and the model may expect that as well. An empty string tells nobody so.
    Which option of `decode` takes it away?
    """
    tokens = model.to_tokens(text)

    def decode(ids):
        return model.tokenizer.decode(ids, skip_special_tokens=True)

    return pairs(model, tokens[0].tolist(), guesses(model, tokens), decode)


@predicted_pairs.misconception
def expected_special_tokens_skipped(model, text):
    """Special tokens left out of what is expected.

    The model says that a text ends by expecting `<|endoftext|>`, and an empty string tells nobody
    so. Which option of `decode` takes it away?
    """
    tokens = model.to_tokens(text)
    decode = model.tokenizer.decode
    return [
        (decode([a]), decode([b], skip_special_tokens=True))
        for a, b in zip(tokens[0].tolist(), guesses(model, tokens), strict=True)
    ]


@predicted_pairs.misconception
def only_spaces_repaired(model, text):
    """The vocabulary's symbols with just the Ġ put right.

    The space is only one of the bytes that are written as another character; look at a line break
    or an "é". Which method of the tokenizer undoes them all?
    """
    tokens = model.to_tokens(text)

    def decode(ids):
        return model.tokenizer.convert_ids_to_tokens(ids)[0].replace("Ġ", " ")

    return pairs(model, tokens[0].tolist(), guesses(model, tokens), decode)


@predicted_pairs.misconception
def text_stripped(model, text):
    """Spaces and line breaks stripped from the text.

    They are tokens, or parts of them, and what the model expects depends on them. Is the text yours
    to tidy up?
    """
    tokens = model.to_tokens(text.strip())
    return pairs(model, tokens[0].tolist(), guesses(model, tokens))


@predicted_pairs.misconception
def no_bos_where_the_text_has_one(model, text):
    """No BOS where the text begins with <|endoftext|> itself.

    The text may say what it likes, also that; the BOS stands before all of it. On what should it
    depend whether you put one there?
    """
    has_one = text.startswith(model.tokenizer.bos_token)
    tokens = model.to_tokens(text, prepend_bos=not has_one)
    return pairs(model, tokens[0].tolist(), guesses(model, tokens))


@predicted_pairs.misconception
def two_bos(model, text):
    """A second BOS in front of the text.

    Look at what `model.to_tokens(text)` begins with: does the model leave that for you to do?
    """
    tokens = model.to_tokens(model.tokenizer.bos_token + text)
    return pairs(model, tokens[0].tolist(), guesses(model, tokens))


@predicted_pairs.misconception
def ids_in_place_of_text(model, text):
    """Ids in place of text.

    An id is where a token stands in the vocabulary, and tells a reader nothing. What turns it into
    text?
    """
    tokens = model.to_tokens(text)
    return list(zip(tokens[0].tolist(), guesses(model, tokens), strict=True))


@predicted_pairs.misconception
def over_the_positions(model, text):
    """Argmax over the positions instead of the vocabulary.

    For each word of the vocabulary you get the position that favours it most, and take that for a
    token's id. Which dimension holds the alternatives that compete for one position?
    """
    tokens = model.to_tokens(text)
    with torch.no_grad():
        expected = model(tokens)[0].argmax(dim=0).tolist()
    return pairs(model, tokens[0].tolist(), expected)


@predicted_pairs.misconception
def what_came_next(model, text):
    """Each token beside the one that came, not the one that was expected.

    That is the text twice, once shifted. What has the model to say about it?
    """
    ids = model.to_tokens(text)[0].tolist()
    return pairs(model, ids, ids[1:])


@predicted_pairs.misconception
def a_dict(model, text):
    """A dict from tokens to what is expected after them.

    A token may come several times in a text, and in a dict only the last of them is left. What can
    hold two pairs with the same token?
    """
    tokens = model.to_tokens(text)
    return dict(pairs(model, tokens[0].tolist(), guesses(model, tokens)))


@predicted_pairs.misconception
def output_with_an_attribute(model, text):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """
    tokens = model.to_tokens(text)
    with torch.no_grad():
        expected = model(tokens).logits[0].argmax(dim=-1).tolist()
    return pairs(model, tokens[0].tolist(), expected)


@predicted_pairs.misconception
def each_token_alone(model, text):
    """Each token run by itself.

    The model expects something else after "the" than after all that came before it. What does it
    have to see, to say what comes next at a position?
    """
    ids = model.to_tokens(text)[0].tolist()
    return pairs(
        model, ids, [guesses(model, torch.tensor([[i]], device=model.cfg.device))[0] for i in ids]
    )


@predicted_pairs.misconception
def what_came_next_then_a_guess(model, text):
    """Each token beside the one that came, and a guess for the last alone.

    The model has an expectation after every token, and it need not be what came. Which positions
    of its output do you look at?
    """
    tokens = model.to_tokens(text)
    ids = tokens[0].tolist()
    return pairs(model, ids, [*ids[1:], guesses(model, tokens)[-1]])
