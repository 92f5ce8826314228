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
    """Logits that predict the next token now and then; row i has so many tokens, then padding. What
    is not shifted, or the wrong way, does not come out right by chance, nor as the errors."""
    return draw.until(lambda: now_and_then(draw, lengths, d_vocab, pad), tells_shifts_apart)


def tells_shifts_apart(case: Case) -> bool:
    [logits, tokens, mask], _ = case.arguments()
    guesses, counts = logits.argmax(dim=-1), mask == 1
    right = (guesses[:, :-1] == tokens[:, 1:])[counts[:, 1:]]
    others = [
        guesses == tokens,
        (guesses == tokens)[counts],
        (guesses == tokens)[:, 1:][counts[:, 1:]],
        (guesses == tokens)[:, :-1],
        (guesses == tokens)[:, :-1][counts[:, 1:]],
        (guesses == tokens)[:, :-1][counts[:, :-1]],
        guesses[:, 1:] == tokens[:, :-1],
        (guesses[:, 1:] == tokens[:, :-1])[counts[:, 1:]],
    ]
    hits = right.double().mean()
    if counts[:, 1].all() and not all(other.any() for other in others):
        return False  # 0 is what many come to
    if logits.shape[1] == logits.shape[2]:  # nor does an argmax over positions look like them
        over_positions = (logits.argmax(dim=1)[:, :-1] == tokens[:, 1:])[counts[:, 1:]]
        not_shifted = (guesses == tokens)[counts]
        if over_positions.double().mean() in (0, 1, not_shifted.double().mean()):
            return False
    return all(other.double().mean() not in (hits, 1 - hits) for other in others)


def now_and_then(draw: Draw, lengths: list[int], d_vocab: int, pad: int) -> Case:
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
    yield half_right(draw, [4], 3, pad=0)
    yield half_right(draw, [3, 3], 3, pad=0)
    yield half_right(draw, [4, 4], 3, pad=0)
    yield half_right(draw, [6, 6, 6], 5, pad=0)
    # One of thirteen, which is no number of three or four places.
    tokens = draw.ids(1, 14, below=2)
    guesses = 1 - tokens.roll(-1, dims=1)
    guesses[0, 4] = tokens[0, 5]
    yield Case(F.one_hot(guesses, 2).float(), tokens, torch.ones_like(tokens))


@token_accuracy.check(points=4)
def padding_does_not_count(draw: Draw) -> Cases:
    """Padding, which the mask alone can tell, is neither right nor wrong."""
    yield half_right(draw, [3, 2], 3, pad=2)  # few enough logits to be shown
    yield half_right(draw, [4, 3], 3, pad=2)
    for lengths, d_vocab in (([5, 3], 5), ([6, 2, 4], 5), ([5, 1], 6)):
        yield half_right(draw, lengths, d_vocab, pad=4)
    # As GPT-2 is padded: with the token that also ends a text, and begins the next.
    a, b, c, d = draw.shuffled(range(1000))[:4]
    tokens = torch.tensor([[EOS, a, EOS, b, c], [EOS, d, EOS, EOS, EOS]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    guesses = torch.tensor([[a, EOS, 0, c, 0], [0, EOS, 0, EOS, EOS]])
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


@token_accuracy.misconception
def per_cent(logits, tokens, attention_mask):
    """Per cent in place of a fraction.

    A fraction goes from 0 to 1. What comes after the mean that should not?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return 100 * is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def number_of_hits(logits, tokens, attention_mask):
    """The number of hits in place of their fraction.

    It grows with the length of the texts. Of how many tokens is it?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].float().sum()


@token_accuracy.misconception
def fraction_of_errors(logits, tokens, attention_mask):
    """The fraction of errors in place of hits.

    A model that is always right should have 1 and not 0. == or !=?
    """
    is_wrong = logits.argmax(dim=-1)[:, :-1] != tokens[:, 1:]
    return is_wrong[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def mean_of_truth_values(logits, tokens, attention_mask):
    """A mean taken of truth values.

    PyTorch has no mean of True and False. What has to become of them first, so that True counts as
    1?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].mean()


@token_accuracy.misconception
def cut_but_not_shifted(logits, tokens, attention_mask):
    """Both tensors cut at the end, and nothing shifted.

    The shapes fit, but each prediction is still held against the token that it was made from. At
    which end does each of the two lose one?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, :-1]
    return is_right[attention_mask[:, :-1] == 1].float().mean()


@token_accuracy.misconception
def rolled_and_not_cut(logits, tokens, attention_mask):
    """Tokens rolled by one, and nothing left out.

    What falls off at the front comes back at the end, so the last prediction is held against the
    first token. How many tokens have a prediction?
    """
    is_right = logits.argmax(dim=-1) == tokens.roll(-1, dims=1)
    return is_right[attention_mask == 1].float().mean()


@token_accuracy.misconception
def compared_at_unequal_lengths(logits, tokens, attention_mask):
    """A comparison of predictions for all positions with one token less.

    The last position predicts a token that is not there. What has to be left out, so that both
    sides have equal lengths?
    """
    is_right = logits.argmax(dim=-1) == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def selected_by_a_mask_too_long(logits, tokens, attention_mask):
    """Hits selected by a mask that is one longer.

    There is one prediction less than tokens, but a mask entry for each token. Which one of them
    belongs to no prediction?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask == 1].float().mean()


@token_accuracy.misconception
def mask_taken_for_indices(logits, tokens, attention_mask):
    """A mask of whole numbers used as an index.

    Only truth values select. Zeros and ones are taken for numbers of rows, so that rows 0 and 1
    come back over and over. What makes truth values of the mask?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:]].float().mean()


@token_accuracy.misconception
def padding_told_by_id_0(logits, tokens, attention_mask):
    """Padding told by the id 0, and not by the mask.

    In GPT-2's vocabulary 0 is the exclamation mark, and other models pad with another. Which
    argument knows what is padding?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[tokens[:, 1:] != 0].float().mean()


@token_accuracy.misconception
def one_number_per_row(logits, tokens, attention_mask):
    """An accuracy for each row.

    One fraction is wanted of all tokens together, whatever row they are in. Over which dimensions
    do you sum?
    """
    mask = attention_mask[:, 1:]
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * mask
    return is_right.sum(dim=1) / mask.sum(dim=1)


@token_accuracy.misconception
def argmax_over_the_positions(logits, tokens, attention_mask):
    """Argmax over the positions instead of the vocabulary.

    For each word of the vocabulary that gives the position which favours it most, and these are as
    many as there are words. Which dimension holds the alternatives?
    """
    is_right = logits.argmax(dim=1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def padding_counted_as_right(logits, tokens, attention_mask):
    """Padding made equal on both sides, and so counted as right.

    Masked predictions and masked tokens are both 0, which is a hit. Padding should be neither right
    nor wrong: where is it left out of the count?
    """
    mask = attention_mask[:, 1:]
    return (logits.argmax(dim=-1)[:, :-1] * mask == tokens[:, 1:] * mask).float().mean()


@token_accuracy.misconception
def probability_of_the_token(logits, tokens, attention_mask):
    """The mean probability of the token that came.

    That rewards half a guess. Asked for is how often the best guess was right: which token is the
    model's guess?
    """
    probs = logits[:, :-1].softmax(dim=-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return probs[attention_mask[:, 1:] == 1].mean()


@token_accuracy.misconception
def first_left_out_but_not_shifted(logits, tokens, attention_mask):
    """Both tensors cut in front, and nothing shifted.

    The shapes fit, but each prediction is held against the token that it was made from. At which
    end does each of the two lose one?
    """
    is_right = logits.argmax(dim=-1)[:, 1:] == tokens[:, 1:]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def not_shifted_and_not_masked(logits, tokens, attention_mask):
    """All predictions compared with all tokens, place by place.

    The logits at position i were computed from the token at i, and are about the next one; and
    padding is nobody's to foresee. What has to be shifted, and what left out?
    """
    return (logits.argmax(dim=-1) == tokens).float().mean()


@token_accuracy.misconception
def whole_number_division(logits, tokens, attention_mask):
    """Whole-number division, which gives 0 unless all are right.

    `//` cuts off what comes after the point, and a fraction is nothing else. Which operator keeps
    it?
    """
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * attention_mask[:, 1:]
    return is_right.sum() // attention_mask[:, 1:].sum()
