"""What `entropy` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.checks.lesson3_logits.shared import epsilons_in_the_log
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
    # Many tokens of small probability beside a large one: what is added to each of them adds up.
    many = draw.normal(1000, dtype=torch.float64)
    many[draw.integer(0, 999)] = 12
    yield Case(many)


@entropy.check(points=2)
def of_every_distribution(draw: Draw) -> Cases:
    """One number for each distribution, for any number of dimensions."""
    yield Case(draw.normal(3, 3))
    yield Case(draw.normal(2, 3, 4, scale=3))
    yield Case(draw.normal(2, 1, 2, 3, scale=3))


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
def logits_taken_for_probabilities(logits):
    """Logits taken for probabilities.

    These numbers may be negative, and have no log then. What turns them into a distribution before
    the formula applies?
    """
    return -(logits * logits.log()).sum(dim=-1)


def summands(logits, dim=-1):
    """-p log p, which is 0 for a token of probability 0."""
    return torch.special.entr(logits.softmax(dim=dim))


@entropy.misconception
def in_bits(logits):
    """Entropy in bits.

    Logs of base 2 count yes-or-no questions. Nats are asked for, as in the loss. Which log gives
    those?
    """
    return summands(logits).sum(dim=-1) / math.log(2)


@entropy.misconception
def base_ten(logits):
    """Entropy with logs of base 10.

    Nats are asked for, as in the loss. Which log gives those?
    """
    return summands(logits).sum(dim=-1) / math.log(10)


@entropy.misconception
def sign_forgotten(logits):
    """Entropy without its minus sign.

    The log of a probability is below 0, so this is, too. The least that a distribution can be
    undecided is 0.
    """
    return -summands(logits).sum(dim=-1)


@entropy.misconception
def one_sum_for_all(logits):
    """One sum over all distributions.

    Every position has a distribution of its own, and an entropy of its own. Over which dimension
    does the formula sum?
    """
    return summands(logits).sum()


@entropy.misconception
def mean_over_all_distributions(logits):
    """The mean of all entropies.

    Every position has a distribution of its own, and an entropy of its own, to be given back each
    by itself. Which step makes one number of them?
    """
    return summands(logits).sum(dim=-1).mean()


@entropy.misconception
def mean_over_the_vocabulary(logits):
    """A mean over the vocabulary in place of a sum.

    Entropy is an average already, with the probabilities as weights; dividing by the number of
    tokens averages twice.
    """
    return summands(logits).mean(dim=-1)


@entropy.misconception
def softmax_over_the_first_dimension(logits):
    """A softmax over the first dimension.

    It is right for one vector of logits. In a batch the tokens of the vocabulary lie along the
    last dimension, and what adds up to one here is something else.
    """
    return summands(logits, dim=0).sum(dim=-1)


@entropy.misconception
def summed_over_the_first_dimension(logits):
    """A sum over the first dimension.

    It is right for one vector. In a batch the tokens of the vocabulary lie along the last
    dimension, and this adds up what belongs to different positions.
    """
    return summands(logits).sum(dim=0)


# forum: how a log of 0 is mostly repaired
def by_the_log_of_the_softmax(logits, log):
    probs = logits.softmax(dim=-1)
    return -(probs * log(probs)).sum(dim=-1)


epsilons_in_the_log(
    entropy,
    by_the_log_of_the_softmax,
    "probabilities",
    "Each token's share is off a little, and there are 50,257 of them. It spares you a log of 0 "
    "(log({epsilon}) is about {log}), but what should a token of probability 0 add?",
    clamped=False,  # which is right to rounding, unless it is coarse
)


@entropy.misconception
def logits_in_place_of_logs(logits):
    """Logits taken for log-probabilities.

    -sum p x is not the same for logits that are all larger by 1, though the distribution is. What
    is missing between a logit and the log of a probability?
    """
    probs = logits.softmax(dim=-1)
    return -torch.where(probs > 0, probs * logits, 0.0).sum(dim=-1)


@entropy.misconception
def weights_forgotten(logits):
    """A sum of logs without their weights.

    Each log-probability counts as much as the token is probable: an unlikely one has a large one,
    and counts little. Which factor is missing?
    """
    return -logits.log_softmax(dim=-1).sum(dim=-1)


@entropy.misconception
def exponentiated(logits):
    """The exponential of the entropy.

    That is a number of equally likely tokens, a perplexity. Asked for are nats.
    """
    return summands(logits).sum(dim=-1).exp()


@entropy.misconception
def share_of_the_largest_possible(logits):
    """Entropy as a share of the largest there can be.

    Divided by log d_vocab it goes from 0 to 1, whatever the vocabulary. Asked for are nats.
    """
    return summands(logits).sum(dim=-1) / math.log(logits.shape[-1])


@entropy.misconception
def no_sum(logits):
    """What each token adds, without the sum.

    There is one number per token here, and one per distribution is asked for. Over which dimension
    does the formula sum?
    """
    return summands(logits)


@entropy.misconception
def over_the_first_dimension(logits):
    """Softmax and sum over the first dimension.

    It is right for one vector of logits. In a batch the tokens of the vocabulary lie along the
    last dimension, and those at one place of a batch are no distribution.
    """
    return summands(logits, dim=0).sum(dim=0)


@entropy.misconception
def over_the_second_dimension(logits):
    """Softmax and sum over dimension 1.

    It is right for a batch of vectors, and for nothing else. The tokens of the vocabulary lie along
    the last dimension, however many there are.
    """
    return summands(logits, dim=1).sum(dim=1)


@entropy.misconception
def nan_replaced(logits):
    """NaN of a whole distribution replaced by 0.

    One token of probability 0 makes the sum NaN, and all that the others add is lost with it. What
    should that one token add, before the sum?
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum(dim=-1).nan_to_num()
