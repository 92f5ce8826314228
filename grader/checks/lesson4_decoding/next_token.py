"""What `next_token` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.checks.lesson4_decoding.shared import clear_logits, of_any_size
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

next_token = Exercise(
    "next_token",
    hints=(
        "The prediction at a position is about the token after it. Which position has nothing "
        "after it yet?",
        "Pick the last position of every sequence first, which leaves (batch, d_vocab), and "
        "then take the argmax.",
    ),
)


@next_token.check(points=10)
def at_the_last_position(draw: Draw) -> Cases:
    """One token per sequence: the argmax at its last position."""
    yield Case(torch.tensor([[[-3.0, -1.0, -2.0]]]))
    for shape in [(1, 1, 3), (1, 3, 4), (3, 2, 5), (4, 4, 4)]:
        yield Case(clear_logits(draw, *shape))
    yield from of_any_size(draw)


@next_token.misconception
def at_every_position(logits):
    """A prediction for every position, not only for the last.

    All positions but the last predict tokens that are there already. Which one of them says
    something new?
    """
    return logits.argmax(dim=-1)


@next_token.misconception
def at_the_first_position(logits):
    """The prediction of the first position.

    The first position knows only the first token, and what it predicts is the second. Which one
    has seen the whole sequence?
    """
    return logits[:, 0].argmax(dim=-1)


# course forks: keepdim, because the next line is a torch.cat
@next_token.misconception
def as_a_column(logits):
    """A column of shape (batch, 1) instead of (batch,).

    The tokens are right; the vocabulary's dimension is still there, with size one. That is handy
    for appending, but that is another function's work.
    """
    return logits[:, -1].argmax(dim=-1, keepdim=True)


@next_token.misconception
def of_the_first_sequence(logits):
    """The next token of the first sequence only.

    An index of 0 on the batch is fine while there is one text, and silently loses the others
    when there are more. One token per sequence is wanted.
    """
    return logits[0, -1].argmax(dim=-1)


@next_token.misconception
def last_sequence_for_last_position(logits):
    """The last sequence taken for the last position.

    A single index goes to the first dimension, and here that is the batch. How do you take
    everything of one dimension and the last of the next?
    """
    return logits[-1].argmax(dim=-1)


@next_token.misconception
def the_highest_logit(logits):
    """The highest logit itself, not the token that has it.

    max gives how high and where. A token is known by its place in the vocabulary: which of the two
    is that?
    """
    return logits[:, -1].max(dim=-1).values


@next_token.misconception
def over_the_positions(logits):
    """Argmax over the positions instead of the vocabulary.

    For each word of the vocabulary you get the position that favours it most. Which dimension
    holds the alternatives, and which position is asked about?
    """
    return logits.argmax(dim=1)


@next_token.misconception
def over_the_batch(logits):
    """Argmax over the batch instead of the vocabulary.

    With the last position picked, dimension 0 holds the sequences. For each word you get the
    sequence that favours it most. Which dimension holds the alternatives?
    """
    return logits[:, -1].argmax(dim=0)


@next_token.misconception
def over_everything(logits):
    """Argmax without a dimension.

    Without one, all sequences count as a single long row, and one number comes out of them all. How
    many choices must be made here?
    """
    return logits[:, -1].argmax()


@next_token.misconception
def last_but_one_position(logits):
    """The prediction of the last position but one.

    That one is about the last token, which is there already. Which position has seen the whole
    sequence?
    """
    return logits[:, -2].argmax(dim=-1)


@next_token.misconception
def least_likely(logits):
    """The least likely token.

    The larger a logit, the more likely its token. min or max?
    """
    return logits[:, -1].argmin(dim=-1)


@next_token.misconception
def exponentials_that_overflow(logits):
    """An argmax of exponentials that overflow.

    exp of a large logit is infinite, of a very small one 0, and then several share the top or none
    is a number. Which of two logits is larger: does that change under a softmax?
    """
    exp = logits[:, -1].exp()
    return (exp / exp.sum(dim=-1, keepdim=True)).argmax(dim=-1)


@next_token.misconception
def batch_of_one_squeezed(logits):
    """Squeeze without a dimension, which takes them all.

    With a single sequence the batch goes, and a number is left of a vector with one entry. Which
    dimension did you mean?
    """
    return logits[:, -1].argmax(dim=-1).squeeze()


@next_token.misconception
def values_and_indices(logits):
    """The highest logit beside the token that has it.

    `max` along a dimension gives both, and tokens are the second of them. How do you get at that?
    """
    return tuple(logits[:, -1].max(dim=-1))


@next_token.misconception
def mean_over_the_positions(logits):
    """The logits of all positions put together.

    Each position predicts another token, most of which are there already. Which one of them says
    something new?
    """
    return logits.mean(dim=1).argmax(dim=-1)


@next_token.misconception
def softmax_over_the_batch(logits):
    """A softmax over the batch before the argmax.

    With the last position picked, dimension 0 holds the sequences, and one alone has all of each
    word's probability. Over which dimension would a softmax leave the order as it is?
    """
    return logits[:, -1].softmax(dim=0).argmax(dim=-1)
