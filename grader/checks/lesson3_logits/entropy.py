"""What `entropy` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


entropy = Exercise(
    "entropy",
    hints=(
        "You need both p and log p. Which of them should come from which, so that small "
        "probabilities survive?",
        "0 times minus infinity is not a number, though here it stands for 0. Find all places "
        "where p is 0 before the sum, or a function that knows that rule.",
        "`torch.where` can put 0 wherever p is 0; `torch.special` has `entr` and `xlogy`. Sum "
        "over the last dimension only.",
    ),
)


@entropy.check(points=3)
def in_nats(draw: Draw) -> Cases:
    """-sum p log p over the last dimension."""
    yield Case(torch.zeros(4))
    for n in (3, 8):
        yield Case(draw.normal(n, scale=2))


@entropy.check(points=2)
def of_every_distribution(draw: Draw) -> Cases:
    """One number for each distribution, for any number of dimensions."""
    yield Case(draw.normal(3, 3))
    yield Case(draw.normal(2, 3, 4, scale=3))


@entropy.check(points=2)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions, over 50,257 tokens."""
    with torch.no_grad():
        yield Case(reference(draw.pick(texts.SENTENCES)))


@entropy.check(points=3)
def zero_probability(draw: Draw) -> Cases:
    """A token of probability 0 adds nothing."""
    yield Case(torch.tensor([0.0, -torch.inf, 1.0]))
    yield Case(torch.tensor([[1000.0, 0.0, 999.0], [0.0, -800.0, 0.0]]))


@entropy.misconception
def log_of_the_softmax(logits):
    """p log p with the log of a softmax.

    Where p has underflowed to 0 its log is minus infinity, and 0 times that is not a number. What
    should such a token add?
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum(dim=-1)


@entropy.misconception
def log_softmax_at_minus_infinity(logits):
    """0 times minus infinity.

    log_softmax deals with small probabilities, but a logit of minus infinity still has a log of
    minus infinity, and 0 times that is not a number. What should such a token add?
    """
    log_probs = logits.log_softmax(dim=-1)
    return -(log_probs.exp() * log_probs).sum(dim=-1)


@entropy.misconception
def in_bits(logits):
    """Entropy in bits.

    Logs of base 2 count yes-or-no questions. Nats are asked for, as in the loss; and while you are
    there, what is the log of a probability of 0?
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log2()).sum(dim=-1)


@entropy.misconception
def sign_forgotten(logits):
    """Entropy without its minus sign.

    The log of a probability is below 0, so this is, too. The least that a distribution can be
    undecided is 0; mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return (probs * probs.log()).sum(dim=-1)


@entropy.misconception
def one_sum_for_all(logits):
    """One sum over all distributions.

    Every position has a distribution of its own, and an entropy of its own. Over which dimension
    does the formula sum? Mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum()


@entropy.misconception
def mean_over_the_vocabulary(logits):
    """A mean over the vocabulary in place of a sum.

    Entropy is an average already, with the probabilities as weights; dividing by the number of
    tokens averages twice. Mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).mean(dim=-1)


@entropy.misconception
def logits_taken_for_probabilities(logits):
    """Logits taken for probabilities.

    These numbers may be negative, and have no log then. What turns them into a distribution before
    the formula applies?
    """
    return -(logits * logits.log()).sum(dim=-1)


@entropy.misconception
def softmax_over_the_first_dimension(logits):
    """A softmax over the first dimension.

    It is right for one vector of logits. In a batch the tokens of the vocabulary lie along the
    last dimension, and what adds up to one here is something else.
    """
    probs = logits.softmax(dim=0)
    return -(probs * probs.log()).sum(dim=-1)
