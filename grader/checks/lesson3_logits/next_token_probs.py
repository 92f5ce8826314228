"""What `next_token_probs` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


next_token_probs = Exercise(
    "next_token_probs",
    hints=(
        "What shape are the logits of one text, and which position knows all of it?",
        "Called with text, the model puts the BOS there itself. Pick the one sequence and its "
        "last position, then turn those logits into probabilities.",
        "`model(text)` is (1, seq, d_vocab). Index batch 0 and position -1, and take the "
        "softmax of that vector.",
    ),
)


@next_token_probs.check(points=6)
def after_the_last_token(draw: Draw, reference: TransformerBridge) -> Cases:
    """The distribution at the last position of the text."""
    for text in [texts.NOTES, *draw.shuffled(texts.SENTENCES)[:2]]:
        yield Case(reference, text)
    yield Case(reference, " ".join([texts.NOTES, *texts.SENTENCES[:4]]))  # 75 tokens


@next_token_probs.check(points=4)
def with_a_bos_in_front(draw: Draw, reference: TransformerBridge) -> Cases:
    """One BOS stands before the text, whatever that begins with, and an empty text is nothing but
    that."""
    for text in ("", " the", "The ", "\n", "<|endoftext|>The", draw.pick(["Ralph", "I"])):
        yield Case(reference, text)
    # What is often tidied up: line breaks, accents as characters of their own, the ends of texts.
    yield Case(reference, "cafe\u0301\r\n\x00 end<|endoftext|>")


@next_token_probs.misconception
def logits_as_they_are(model, text):
    """Logits in place of probabilities.

    Some of these numbers are negative, and they do not add up to one. What turns scores into a
    distribution?
    """
    return model(text)[0, -1]


@next_token_probs.misconception
def log_probabilities(model, text):
    """Log-probabilities in place of probabilities.

    They are good to compute with, but none of them is above 0. What takes you back from a log?
    """
    return model(text)[0, -1].log_softmax(dim=-1)


@next_token_probs.misconception
def every_position(model, text):
    """The predictions at every position.

    There is one distribution per token here. Only one of them is about the token after the whole
    text: which position has seen all of it?
    """
    return model(text)[0].softmax(dim=-1)


@next_token_probs.misconception
def batch_dimension_kept(model, text):
    """A batch of one distribution.

    The numbers are right, but there is one dimension too many: one text was asked about, and the
    answer should be a single vector.
    """
    return model(text)[:, -1].softmax(dim=-1)


@next_token_probs.misconception
def first_position(model, text):
    """The prediction at the first position.

    After the BOS alone the model knows nothing of the text, so this is the same whatever the text
    says. Which position has seen all of it?
    """
    return model(text)[0, 0].softmax(dim=-1)


# course forks: the shift of the loss, carried over to where nothing is to be left out
@next_token_probs.misconception
def last_but_one_position(model, text):
    """The prediction at the last position but one.

    That one is about the text's own last token. In a loss the last position is left out, because
    its target is missing; here that target is what you are asked about.
    """
    return model(text)[0, -2].softmax(dim=-1)


@next_token_probs.misconception
def softmax_over_the_positions(model, text):
    """The softmax taken over the positions.

    Here the same token at all the positions adds up to one. What are the things that the model
    decides between, and along which dimension do they lie?
    """
    return model(text).softmax(dim=1)[0, -1]


@next_token_probs.misconception
def softmax_over_the_batch(model, text):
    """The softmax taken over the batch.

    With one text in the batch, every entry competes with nothing and becomes 1. Along which
    dimension do the tokens of the vocabulary lie?
    """
    return model(text).softmax(dim=0)[0, -1]


@next_token_probs.misconception
def no_bos(model, text):
    """A text without its BOS.

    The first token is what the model saw in front of every text, and predictions shift without it.
    And what is there to run if the text is empty?
    """
    return model(text, prepend_bos=False)[0, -1].softmax(dim=-1)


# forum: the default of prepend_bos is easily overlooked
@next_token_probs.misconception
def two_bos(model, text):
    """A second BOS in front of the text.

    Look at what `model.to_tokens(text)` begins with: does the model leave that for you to do?
    """
    return model(model.tokenizer.bos_token + text)[0, -1].softmax(dim=-1)


@next_token_probs.misconception
def output_with_an_attribute(model, text):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """
    return model(text).logits[0, -1].softmax(dim=-1)


@next_token_probs.misconception
def softmax_twice(model, text):
    """A softmax of a softmax.

    Probabilities lie between 0 and 1, so that as logits they are nearly equal, and over 50,257
    tokens everything becomes about as likely. How many times does the softmax belong here?
    """
    return model(text)[0, -1].softmax(dim=-1).softmax(dim=-1)


@next_token_probs.misconception
def the_most_likely_token(model, text):
    """The most likely token's id in place of the distribution.

    That is what one makes of a distribution later. Here the probability of every token is asked
    for. What gives that of the argmax's input?
    """
    return model(text)[0, -1].argmax()


@next_token_probs.misconception
def mean_over_the_positions(model, text):
    """A mean over all positions.

    Each position predicts another token, most of which are there already. Which one of them is
    about the token after the text?
    """
    return model(text)[0].softmax(dim=-1).mean(dim=0)


@next_token_probs.misconception
def text_stripped(model, text):
    """Spaces and line breaks stripped from the text.

    They are tokens, or parts of them, and the model predicts something else after "The " than after
    "The". Is it yours to tidy up?
    """
    return model(text.strip())[0, -1].softmax(dim=-1)


@next_token_probs.misconception
def no_bos_where_the_text_has_one(model, text):
    """No BOS where the text begins with <|endoftext|> itself.

    The text may say what it likes, also that; the BOS stands before all of it. On what should it
    depend whether you put one there?
    """
    has_one = text.startswith(model.tokenizer.bos_token)
    return model(text, prepend_bos=not has_one)[0, -1].softmax(dim=-1)
