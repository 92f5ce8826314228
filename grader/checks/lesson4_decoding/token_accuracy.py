"""What `token_accuracy` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from grader.checks import texts
from grader.checks.lesson4_decoding.shared import EOS, clear_logits
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


token_accuracy = Exercise(
    "token_accuracy",
    hints=(
        "The prediction at position i is about the token at i + 1. Which predictions, and which "
        "tokens, have no partner?",
        "Compare the predictions up to the last but one with the tokens from the second on. "
        "Each result belongs to a token: whose mask value decides whether it counts?",
        "Select the entries of the comparison whose token has mask 1, over all rows at once, "
        "and take their mean as floats.",
    ),
)


def half_right(draw: Draw, lengths: list[int], d_vocab: int, pad: int) -> Case:
    """Logits that predict the next token now and then; row i has so many tokens, then padding."""
    batch, seq = len(lengths), max(lengths)
    mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()
    tokens = draw.ids(batch, seq, below=d_vocab).where(mask == 1, torch.tensor(pad))
    logits = clear_logits(draw, batch, seq, d_vocab)
    wants = torch.cat([tokens[:, 1:], tokens[:, :1]], dim=1)
    # Of the token to come: 2 is second place, 3 the last. What must not count is right, always:
    # predictions of padding and, at the last position, of a token that is not there.
    rank = draw.ids(batch, seq, below=4) * mask.roll(-1, dims=1)
    rank[:, -1] = 0
    rank[0, 0] = 3
    logits.scatter_(2, wants[..., None], torch.where(rank == 3, -30.0, 30.0)[..., None])
    logits += 90 * F.one_hot((wants + 1) % d_vocab, d_vocab) * (rank == 2)[..., None]
    return Case(logits, tokens, mask)


@token_accuracy.check(points=4)
def right_over_all(draw: Draw) -> Cases:
    """The fraction of tokens, the first left out, that were the most likely ones."""
    yield half_right(draw, [3], 3, pad=0)
    yield half_right(draw, [3, 3], 3, pad=0)  # few enough logits to be shown
    yield half_right(draw, [6, 6, 6], 5, pad=0)


@token_accuracy.check(points=4)
def padding_does_not_count(draw: Draw) -> Cases:
    """Padding, which the mask alone can tell, is neither right nor wrong."""
    yield half_right(draw, [3, 2], 3, pad=2)
    for lengths in ([4, 2], [6, 2, 4], [5, 1]):
        yield half_right(draw, lengths, 5, pad=4)
    # As GPT-2 is padded: with the token that also ends a text, and begins the next.
    a, b, c, d = draw.shuffled(range(1000))[:4]
    tokens = torch.tensor([[EOS, a, EOS, b, c], [EOS, d, EOS, EOS, EOS]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    guesses = torch.tensor([[a, EOS, 0, c, 0], [0, EOS, EOS, EOS, EOS]])
    yield Case(torch.zeros(2, 5, 50257).scatter_(-1, guesses[..., None], 5.0), tokens, mask)


@token_accuracy.check(points=2)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions."""
    with torch.no_grad():
        text = draw.until(lambda: draw.pick(texts.SENTENCES), lambda text: clear(reference(text)))
        tokens = reference.to_tokens(text)
        yield Case(reference(tokens), tokens, torch.ones_like(tokens))


@token_accuracy.misconception
def not_shifted(logits, tokens, attention_mask):
    """Predictions compared with the tokens that they stand at, without a shift.

    The logits at position i were computed from the token at i; to guess that one is no feat. About
    which token are they?
    """
    is_right = (logits.argmax(dim=-1) == tokens) * attention_mask
    return is_right.sum() / attention_mask.sum()


@token_accuracy.misconception
def shifted_the_wrong_way(logits, tokens, attention_mask):
    """A shift in the wrong direction.

    You hold each prediction against the token before it. Which end must the predictions lose, and
    which end the tokens?
    """
    is_right = logits.argmax(dim=-1)[:, 1:] == tokens[:, :-1]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def padding_counted(logits, tokens, attention_mask):
    """Padding counted like text.

    Padding makes the rows equally long and is nobody's prediction to get right. What tells you
    which of the tokens are real?
    """
    return (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]).float().mean()


# forum: labels of -100 wherever the id is that of padding, which is that of EOS
@token_accuracy.misconception
def padding_told_by_its_id(logits, tokens, attention_mask):
    """Padding told by the id 50256, and not by the mask.

    GPT-2 is padded with the token that also ends a text. That one has to be foreseen, and other
    models pad with another. Which argument knows what is padding?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[tokens[:, 1:] != EOS].float().mean()


@token_accuracy.misconception
def eos_thrown_away_with_the_padding(logits, tokens, attention_mask):
    """Every <|endoftext|> left out, padding or not.

    The mask leaves padding out already. Where it is 1, <|endoftext|> ends a text, and to foresee
    that is a prediction like any other.
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[(attention_mask[:, 1:] == 1) & (tokens[:, 1:] != EOS)].float().mean()


@token_accuracy.misconception
def padding_counted_as_wrong(logits, tokens, attention_mask):
    """Padding counted as wrong: masked above the line but not below.

    What is masked out adds nothing to the hits, but a mean still divides by all places. By how
    many should it divide?
    """
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * attention_mask[:, 1:]
    return is_right.float().mean()


@token_accuracy.misconception
def first_tokens_in_the_denominator(logits, tokens, attention_mask):
    """A denominator that counts the first tokens as well.

    Nothing comes before the first token, so no prediction of it can be right or wrong. Of how many
    tokens is this a fraction?
    """
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * attention_mask[:, 1:]
    return is_right.sum() / attention_mask.sum()


# forum: which end of the loss mask to cut off
@token_accuracy.misconception
def mask_of_the_token_before(logits, tokens, attention_mask):
    """The mask of the token predicted from, not of the one predicted.

    After the last real token comes padding, and your mask still counts the prediction of it. Whose
    mask value decides: that of the token seen or that of the token to come?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, :-1] == 1].float().mean()


@token_accuracy.misconception
def mean_of_the_rows(logits, tokens, attention_mask):
    """A mean of the sequences' accuracies.

    That gives a short sequence as much weight as a long one, and one with a single token divides
    by zero. What is wanted is a fraction of all tokens together.
    """
    mask = attention_mask[:, 1:]
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * mask
    return (is_right.sum(dim=1) / mask.sum(dim=1)).mean()
