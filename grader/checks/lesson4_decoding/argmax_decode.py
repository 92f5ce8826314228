"""What `argmax_decode` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from grader.checks.lesson4_decoding.shared import clear_logits, of_any_size
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

argmax_decode = Exercise(
    "argmax_decode",
    hints=(
        "There is one row of d_vocab logits for each position of each sequence. Which dimension "
        "holds the choices?",
        "argmax without a dim searches the whole tensor; with a dim it searches along that one, "
        "which then is gone from the shape.",
    ),
)


@argmax_decode.check(points=10)
def at_every_position(draw: Draw) -> Cases:
    """The token with the highest logit, at each position of each sequence."""
    for shape in [(1, 1, 3), (1, 3, 4), (2, 3, 5), (4, 4, 4)]:
        yield Case(clear_logits(draw, *shape))
    yield from of_any_size(draw)


@argmax_decode.misconception
def over_the_positions(logits):
    """Argmax over the positions instead of the vocabulary.

    For each word of the vocabulary you get the position that favours it most. Which dimension
    holds the alternatives that compete for one position?
    """
    return logits.argmax(dim=1)


@argmax_decode.misconception
def over_everything(logits):
    """Argmax without a dimension.

    Without one, the whole tensor counts as a single long row, and one number comes out of it all.
    How many choices must be made here?
    """
    return logits.argmax()


@argmax_decode.misconception
def the_highest_logits(logits):
    """The highest logits themselves, not the tokens that have them.

    A token is known by where its logit stands along the vocabulary, not by how high it is. max
    gives both: which of the two did you take?
    """
    return logits.max(dim=-1).values


@argmax_decode.misconception
def only_the_last_position(logits):
    """Decoding of the last position alone.

    To go on with a text that is all one needs, but the question here is what the model expects
    after each token. Nothing in the sequence is to be picked out.
    """
    return logits[:, -1].argmax(dim=-1)


# course forks: topk(1), or argmax with keepdim, carried over from generation loops
@argmax_decode.misconception
def vocabulary_dimension_kept(logits):
    """A vocabulary dimension of size one, left over.

    The ids are right and their shape has one dimension too many. topk keeps the dimension that it
    searched, and so does keepdim=True; what takes it away?
    """
    return logits.topk(1, dim=-1).indices


@argmax_decode.misconception
def only_the_first_sequence(logits):
    """Decoding of the first sequence of the batch alone.

    With a single text the batch dimension looks like a nuisance, but others may stand beside it.
    Does your answer have as many rows as the logits?
    """
    return logits[0].argmax(dim=-1)


@argmax_decode.misconception
def over_the_batch(logits):
    """Argmax over the batch instead of the vocabulary.

    For each position and word you get the sequence that favours it most. Which dimension holds the
    alternatives that compete for one position?
    """
    return logits.argmax(dim=0)


@argmax_decode.misconception
def least_likely(logits):
    """The least likely token at every position.

    The larger a logit, the more likely its token. min or max?
    """
    return logits.argmin(dim=-1)


# from scratch: probabilities first, though the order is the same
@argmax_decode.misconception
def exponentials_that_overflow(logits):
    """An argmax of exponentials that overflow.

    exp of a large logit is infinite, of a very small one 0, and then several share the top or none
    is a number. Which of two logits is larger: does that change under a softmax?
    """
    exp = logits.exp()
    return (exp / exp.sum(dim=-1, keepdim=True)).argmax(dim=-1)


@argmax_decode.misconception
def first_position_alone(logits):
    """Decoding of the first position alone.

    The question is what the model expects after each token. Nothing in the sequence is to be picked
    out.
    """
    return logits[:, 0].argmax(dim=-1)


# course forks: predictions cut to be compared with tokens[:, 1:]
@argmax_decode.misconception
def last_position_left_out(logits):
    """Decoding without the last position.

    To hold predictions against what came one leaves out the last, which has nothing to be held
    against. Here nothing is held against anything: what is expected after the end?
    """
    return logits[:, :-1].argmax(dim=-1)


@argmax_decode.misconception
def every_dimension_squeezed(logits):
    """Squeeze without a dimension, which takes them all.

    With a single sequence, or a single position, a dimension of the result goes that belongs there.
    Which one did you mean?
    """
    return logits.argmax(dim=-1).squeeze()


@argmax_decode.misconception
def values_and_indices(logits):
    """The highest logits beside the tokens that have them.

    `max` along a dimension gives both, and tokens are the second of them. How do you get at that?
    """
    return tuple(logits.max(dim=-1))


@argmax_decode.misconception
def the_distribution(logits):
    """Probabilities in place of a choice.

    They say how likely each token is. Asked for is the likeliest one: what picks that?
    """
    return logits.softmax(dim=-1)


@argmax_decode.misconception
def softmax_over_the_positions(logits):
    """A softmax over the positions before the argmax.

    It makes positions compete for each word, so that the largest at a position may be another word
    than before. Over which dimension would a softmax leave the order as it is, and is one needed?
    """
    return logits.softmax(dim=1).argmax(dim=-1)
