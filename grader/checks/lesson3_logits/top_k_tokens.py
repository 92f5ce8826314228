"""What `top_k_tokens` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer


top_k_tokens = Exercise(
    "top_k_tokens",
    hints=(
        "You need the largest probabilities and where they are: a token's id is its place in "
        "`probs`.",
        "`topk` gives both, the largest first. Each id by itself then has to become text, not "
        "its spelling in the vocabulary.",
        "Go through indices and values side by side, both as plain Python numbers, and let "
        "`tokenizer.decode` have a list with a single id each time.",
    ),
)


def probs_of(draw: Draw, n: int) -> torch.Tensor:
    """A distribution over the vocabulary with n unequal entries, at tokens of plain letters."""
    probs = torch.zeros(50257)
    ids = draw.shuffled([*range(256, 400), 318, 11, 13, 198, 15, 50256])[:n]
    probs[ids] = torch.tensor([1.0 / (i + 1) for i in range(n)])
    return probs / probs.sum()


@top_k_tokens.check(points=4)
def most_probable_first(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """k pairs of token and probability, the most probable first."""
    yield Case(tokenizer, probs_of(draw, 4), 2)
    yield Case(tokenizer, probs_of(draw, 40), 30)
    yield Case(tokenizer, probs_of(draw, 5), 1)


@top_k_tokens.check(points=3)
def spaces_are_spaces(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Tokens are text: ' the' and not 'Ġthe', a line break and not 'Ċ'."""
    probs = torch.zeros(50257)
    # " the", line breaks of two kinds, EOS, "é", a space alone and one that is no number
    ids = [262, 198, 201, 50256, 2634, 220, 1849]
    probs[ids] = torch.tensor([0.9, 0.09, 0.009, 9e-4, 9e-5, 9e-6, 9e-7])
    yield Case(tokenizer, probs, 7)
    halves = torch.zeros(50257)
    halves[[250, 251, 11]] = torch.tensor([0.5, 0.3, 0.2])  # two of these are no whole character
    yield Case(tokenizer, halves, 3)


@top_k_tokens.check(points=3)
def of_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions."""
    with torch.no_grad():
        logits = draw.until(
            lambda: reference(draw.pick([*texts.SENTENCES, *texts.ODD]))[0, -1],
            lambda logits: clear(logits, k=5),
        )
    yield Case(reference.tokenizer, logits.softmax(dim=-1), 5)


@top_k_tokens.misconception
def vocabulary_spelling(tokenizer, probs, k):
    """Tokens as the vocabulary spells them.

    "Ġ" is how the vocabulary writes a space, and every other byte has such a character, too. Which
    method of the tokenizer gives the text that a reader sees?
    """
    top = probs.topk(k)
    tokens = tokenizer.convert_ids_to_tokens(top.indices.tolist())
    return list(zip(tokens, top.values.tolist(), strict=True))


@top_k_tokens.misconception
def only_spaces_repaired(tokenizer, probs, k):
    """The vocabulary's spelling with just the "Ġ" put right.

    The space is only one of the bytes that are spelled by another character; look at a line break
    or an "é". Which method of the tokenizer undoes them all?
    """
    top = probs.topk(k)
    tokens = tokenizer.convert_ids_to_tokens(top.indices.tolist())
    return [(t.replace("Ġ", " "), p) for t, p in zip(tokens, top.values.tolist(), strict=True)]


@top_k_tokens.misconception
def stripped(tokenizer, probs, k):
    """Tokens stripped of their spaces.

    " the" and "the" are two tokens, with two probabilities. The space belongs to the token, however
    it looks in a list.
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]).strip(), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def least_probable_of_them_first(tokenizer, probs, k):
    """The top tokens in ascending order.

    They are the right ones, but sorting goes upwards unless told otherwise, and a reader looks for
    the best guess at the top.
    """
    ids = probs.argsort()[-k:].tolist()
    return [(tokenizer.decode([i]), probs[i].item()) for i in ids]


@top_k_tokens.misconception
def least_probable_of_all(tokenizer, probs, k):
    """The k least probable tokens.

    Sorting goes upwards unless told otherwise, so these come from the wrong end. Look at their
    probabilities.
    """
    ids = probs.argsort()[:k].tolist()
    return [(tokenizer.decode([i]), probs[i].item()) for i in ids]


@top_k_tokens.misconception
def ids_in_place_of_text(tokenizer, probs, k):
    """Ids in place of text.

    An id is where a token stands in the vocabulary, and tells a reader nothing. What is the
    tokenizer among the arguments for?
    """
    top = probs.topk(k)
    return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))


@top_k_tokens.misconception
def no_probabilities(tokenizer, probs, k):
    """Tokens without their probabilities.

    Half of each pair is missing. `topk` returns two things: what is the other one?
    """
    return [tokenizer.decode([i]) for i in probs.topk(k).indices.tolist()]


@top_k_tokens.misconception
def a_dict(tokenizer, probs, k):
    """A dict from tokens to probabilities.

    A list of pairs was asked for. And two tokens that are parts of characters can decode to the
    same text: what would a dict make of them?
    """
    top = probs.topk(k)
    return {
        tokenizer.decode([i]): p
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    }


@top_k_tokens.misconception
def one_text_cut_into_characters(tokenizer, probs, k):
    """One decoded text, paired character by character.

    `decode` joins all ids that it gets into one string, and going through a string gives
    characters. How do you get a text for each id?
    """
    top = probs.topk(k)
    return list(zip(tokenizer.decode(top.indices), top.values.tolist(), strict=False))


# old API: a flat list of ids used to count as a batch of single tokens
@top_k_tokens.misconception
def flat_batch_decoded(tokenizer, probs, k):
    """A flat row of ids taken for a batch.

    To the tokenizer, k ids in a row are one text of k tokens, and one text comes back. What shape
    has a batch of k texts of a single token?
    """
    top = probs.topk(k)
    return list(zip(tokenizer.batch_decode(top.indices), top.values.tolist(), strict=False))


@top_k_tokens.misconception
def softmax_of_probabilities(tokenizer, probs, k):
    """A softmax taken of what are probabilities already.

    Exponentials of numbers between 0 and 1 are nearly equal, so over a whole vocabulary everything
    becomes about as likely. What kind of numbers did you get?
    """
    top = probs.softmax(dim=-1).topk(k)
    return [
        (tokenizer.decode([i]), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def shares_among_the_top(tokenizer, probs, k):
    """Probabilities scaled to add up to one among the top k.

    That is for sampling from the top k. Here the question is how probable each token is among all
    of the vocabulary.
    """
    top = probs.topk(k)
    shares = top.values / top.values.sum()
    return [
        (tokenizer.decode([i]), p)
        for i, p in zip(top.indices.tolist(), shares.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def special_tokens_skipped(tokenizer, probs, k):
    """Special tokens left out when decoding.

    <|endoftext|> is a token that can be probable like any other, and an empty string tells nobody
    so. Which option of `decode` takes it away?
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i], skip_special_tokens=True), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def one_text_split_at_spaces(tokenizer, probs, k):
    """One decoded text, split at its spaces.

    Tokens are no words: some have no space, some are one. Once they are joined nothing says where
    one ended. How do you get a text for each id?
    """
    top = probs.topk(k)
    return list(zip(tokenizer.decode(top.indices).split(), top.values.tolist(), strict=False))


@top_k_tokens.misconception
def probability_first(tokenizer, probs, k):
    """Pairs the wrong way round.

    The token comes first, and its probability after it. In which order does your loop take them up?
    """
    top = probs.topk(k)
    return [
        (p, tokenizer.decode([i]))
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def tokens_of_equal_text_merged(tokenizer, probs, k):
    """Tokens that decode to the same text, merged into one.

    Parts of characters all decode to the same sign, and keys of a dict are there but once, so that
    fewer than k are left. What can hold two pairs with the same text?
    """
    top = probs.topk(k)
    texts = map(tokenizer.decode, top.indices[:, None].tolist())
    return list(dict(zip(texts, top.values.tolist(), strict=True)).items())


@top_k_tokens.misconception
def per_cent(tokenizer, probs, k):
    """Probabilities in per cent.

    A probability goes from 0 to 1, as in `probs`. Who should decide how a number is shown?
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]), 100 * p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def the_first_k_tokens(tokenizer, probs, k):
    """The first k tokens of the vocabulary, not the most probable ones.

    `sort` gives the values in order and beside them where they were. Without the second, the first
    value seems to be that of token 0. Which ids do your values belong to?
    """
    values = probs.sort(descending=True).values
    return [(tokenizer.decode([i]), p) for i, p in enumerate(values[:k].tolist())]


@top_k_tokens.misconception
def rounded_to_two_places(tokenizer, probs, k):
    """Probabilities rounded to two places.

    That is for looking at them. Over 50,257 tokens most are far below one in a hundred, and all of
    these become 0. Who should decide how a number is shown?
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]), round(p, 2))
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def rounded_to_four_places(tokenizer, probs, k):
    """Probabilities rounded to four places.

    That is for looking at them. Over 50,257 tokens many are below one in ten thousand, and all of
    these become 0. Who should decide how a number is shown?
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]), round(p, 4))
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]
