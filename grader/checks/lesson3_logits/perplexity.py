"""What `perplexity` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

perplexity = Exercise(
    "perplexity",
    hints=(
        "In which order: the mean first or the exponential first? And is a log-probability "
        "above or below 0?",
        "Negate and average over all entries, whatever the shape; then undo the natural log.",
    ),
)


@perplexity.check(points=7)
def exp_of_the_mean(draw: Draw) -> Cases:
    """exp of minus the mean log-probability."""
    yield Case(torch.tensor([0.25, 0.25, 0.25]).log())
    yield Case(torch.tensor([0.0, -2.0]))
    for high in (-30.0, -85.0):  # exp of these a float32 can hold
        yield Case(torch.tensor([high]))
    yield Case(torch.tensor([-1.0, -torch.inf, -2.0, -3.0], dtype=torch.float64))
    for n in (2, 7):
        yield Case(-draw.normal(n).exp())


@perplexity.check(points=3)
def over_all_entries(draw: Draw) -> Cases:
    """One number for a whole batch, and one for a single entry."""
    yield Case(-draw.normal(2, 5).exp())
    yield Case(-draw.normal(2, 3, 4).exp())
    yield Case(-draw.normal(1).exp())
    yield Case(-draw.normal(1000).exp())
    yield Case(torch.zeros(3))


@perplexity.misconception
def sign_forgotten(log_probs):
    """exp of the mean log-probability, without the minus.

    That is the mean probability (the geometric one), at most 1. Perplexity is a number of equally
    likely tokens: how many are there at probability 1/4?
    """
    return torch.exp(log_probs.mean())


@perplexity.misconception
def mean_of_exponentials(log_probs):
    """The mean of the exponentials.

    The exponential has to come last: taken of each entry first, a single token of probability
    1e-9 outweighs all the rest of the text.
    """
    return torch.exp(-log_probs).mean()


# forum: the formula of information theory, with 2 as its base
@perplexity.misconception
def base_two(log_probs):
    """2 to the power of a loss in nats.

    The power of 2 belongs to logs of base 2. Which base do these have, and what undoes it?
    """
    return 2 ** (-log_probs.mean())


@perplexity.misconception
def one_per_row(log_probs):
    """One perplexity for each row.

    One number is wanted for all entries together. What does `mean` do without a dimension?
    """
    return torch.exp(-log_probs.mean(dim=-1))


# forum: perplexity of each text, then averaged
@perplexity.misconception
def mean_over_rows(log_probs):
    """The mean of the rows' perplexities.

    An exponential of a mean is not the mean of exponentials: one hard text outweighs the others
    here. Average over everything before you exponentiate.
    """
    return torch.exp(-log_probs.mean(dim=-1)).mean()


@perplexity.misconception
def sum_in_place_of_mean(log_probs):
    """exp of the sum in place of the mean.

    That is 1 over the probability of the whole text, and grows without bound as the text does. The
    average of how many tokens do you want?
    """
    return torch.exp(-log_probs.sum())


@perplexity.misconception
def root_of_a_product(log_probs):
    """The root of a product of probabilities.

    The formula is right, but a product of a thousand probabilities is 0 in floating point. What
    becomes of a product, and of a root, under the logarithm?
    """
    return torch.exp(log_probs).prod() ** (-1 / log_probs.numel())


@perplexity.misconception
def one_over_the_mean_probability(log_probs):
    """1 over the mean probability.

    A single token of probability 0 should make this infinite, as it does the loss, and here it
    hardly shows. What is averaged: probabilities or their logs?
    """
    return 1 / torch.exp(log_probs).mean()


@perplexity.misconception
def not_exponentiated(log_probs):
    """The loss itself, not its exponential.

    Minus the mean log-probability is the cross-entropy, in nats. The perplexity says the same as a
    number of tokens.
    """
    return -log_probs.mean()


@perplexity.misconception
def logged_twice(log_probs):
    """The log of what are logs already.

    The argument's name says what has been done to it; these numbers are below 0, and have no log.
    """
    return torch.exp(-torch.log(log_probs).mean())


# training scripts: so that the plot has no peaks
@perplexity.misconception
def capped(log_probs):
    """A loss capped at 20 before the exponential.

    That is for plots of a training run, whose beginning nobody wants to see. What comes back is
    exp(20), about 4.9e8, for whatever is worse. May a measure hide how bad a model is?
    """
    return (-log_probs.mean()).clamp(max=20).exp()


@perplexity.misconception
def infinities_left_out(log_probs):
    """Minus infinity left out of the mean.

    If a token comes that the model holds impossible, the perplexity is infinite. Left out, the
    worst of all mistakes is the only one that costs nothing. Which entries are asked for?
    """
    return (-log_probs[log_probs.isfinite()].mean()).exp()


@perplexity.misconception
def base_ten(log_probs):
    """10 to the power of a loss in nats.

    The power of 10 belongs to logs of base 10. Which base do these have, and what undoes it?
    """
    return 10 ** (-log_probs.mean())


@perplexity.misconception
def one_per_column(log_probs):
    """One perplexity for each column.

    One number is wanted for all entries together. What does `mean` do without a dimension?
    """
    return torch.exp(-log_probs.mean(dim=0))


@perplexity.misconception
def sum_over_the_number_of_rows(log_probs):
    """A sum divided by the number of rows.

    `len` of a tensor is the size of its first dimension. How many entries has it in all?
    """
    return torch.exp(-log_probs.sum() / len(log_probs))


@perplexity.misconception
def mean_of_the_row_sums(log_probs):
    """The mean over the rows of their sums.

    It grows with the length of a row. The mean should be over all entries: what does `mean` do
    without a dimension?
    """
    return torch.exp(-log_probs.sum(dim=-1).mean())


@perplexity.misconception
def one_entry_too_few_counted(log_probs):
    """A sum divided by one less than there are entries.

    A text of n tokens has n - 1 predictions, but these are the predictions, and each of them
    counts. How many are there?
    """
    return torch.exp(-log_probs.sum() / (log_probs.numel() - 1))


@perplexity.misconception
def one_entry_too_many_counted(log_probs):
    """A sum divided by one more than there are entries.

    The token that nothing predicts has no log-probability here. How many entries are there?
    """
    return torch.exp(-log_probs.sum() / (log_probs.numel() + 1))


# from the formula of the entropy
@perplexity.misconception
def weighted_by_the_probability(log_probs):
    """Log-probabilities weighted by their probabilities.

    -sum p log p is over all tokens that may come, of one distribution. These are of the tokens that
    came, one per position, and each counts the same.
    """
    return torch.exp(-(log_probs.exp() * log_probs).sum())


@perplexity.misconception
def median(log_probs):
    """exp of minus the median.

    The median does not see how bad the worst half is. Which average of the log-probabilities is the
    loss?
    """
    return torch.exp(-log_probs.median())
