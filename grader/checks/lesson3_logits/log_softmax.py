"""What `log_softmax` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.checks.lesson3_logits.shared import (
    NORMALISES,
    PICKS,
    any_dim_cases,
    dtype_cases,
    gradient_cases,
    half_precision_cases,
    large_logit_cases,
    minus_infinity_cases,
)
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict.draw import Draw
from grader.verdict.exercise import Cases, Exercise

log_softmax = Exercise(
    "log_softmax",
    forbids=Forbidden(torch=NORMALISES + PICKS),
    hints=(
        "Write the logarithm of exp(x_i) / sum exp(x_j) as a difference. Which part of it has "
        "to be exponentiated, and which part never?",
        "What is left is the logarithm of a sum of exponentials. Either take the maximum out of "
        "it and put it back afterwards, or find the PyTorch function that does so.",
        "`torch.logsumexp` takes a dimension and `keepdim`. The answer is x minus that.",
    ),
)


@log_softmax.check(points=5)
def any_dim(draw: Draw) -> Cases:
    """x minus the log of the sum of exp(x) along the given dimension, whichever that is."""
    yield from any_dim_cases(draw)


@log_softmax.check(points=6)
def large_logits(draw: Draw) -> Cases:
    """Exact where the softmax itself overflows, or underflows to 0."""
    yield from large_logit_cases(draw)


@log_softmax.check(points=2)
def minus_infinity(draw: Draw) -> Cases:
    """A logit of minus infinity stays that."""
    yield from minus_infinity_cases(draw)


@log_softmax.check(points=2)
def other_float_types(draw: Draw) -> Cases:
    """Right, to their own precision, for float16, bfloat16 and float64, too."""
    yield from half_precision_cases(draw)


@log_softmax.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """The result has the dtype of `x`."""
    yield from dtype_cases(draw)


@log_softmax.check(points=3, observe=observe.gradients)
def gradients_flow(draw: Draw) -> Cases:
    """The gradient with respect to `x` is that of the log-softmax."""
    yield from gradient_cases(draw)


@log_softmax.check(points=1, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield from dtype_cases(draw)


@log_softmax.misconception
def log_of_the_softmax(x, dim):
    """The log of a softmax.

    A probability of 1e-50 is 0 in a float32, and its log minus infinity. Write log(a / b) as a
    difference first: what is the log of exp(x)?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return torch.log(exp / exp.sum(dim=dim, keepdim=True))


@log_softmax.misconception
def log_of_a_softmax_that_overflows(x, dim):
    """The log of a softmax, and no maximum subtracted.

    Two things at once: exp of a large logit overflows, and small probabilities are 0 before their
    log is taken. Write log(a / b) as a difference, then ask what may be subtracted from `x`.
    """
    exp = torch.exp(x)
    return torch.log(exp / exp.sum(dim=dim, keepdim=True))


# forum: how a log of 0 is mostly repaired
@log_softmax.misconception
def epsilon_in_the_log(x, dim):
    """The log of a softmax with a small number added.

    That turns minus infinity into log(1e-9), about -20.7, whether the true value is -25 or -1000.
    Can you do without computing the probability?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return torch.log(exp / exp.sum(dim=dim, keepdim=True) + 1e-9)


@log_softmax.misconception
def no_maximum_subtracted(x, dim):
    """Log-softmax without the maximum taken out.

    The difference is the right one, but exp of a logit of 100 is more than a float32 can hold.
    What can you take out of the sum, if you put it back after the log?
    """
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def maximum_not_put_back(x, dim):
    """Log-softmax whose maximum is taken out of the sum only.

    Exponentiate a row of your result: what does it add up to? Whatever is subtracted from the
    logits inside the sum must be accounted for outside, too.
    """
    shifted = x - x.amax(dim=dim, keepdim=True)
    return x - torch.log(torch.exp(shifted).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def one_maximum_for_all(x, dim):
    """Log-softmax with one maximum for the whole tensor.

    A row whose logits all lie far below those of another row underflows: its sum is 0, and the log
    of that minus infinity. Whose maximum does each distribution need?
    """
    x = x - x.max()
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def one_sum_for_all(x, dim):
    """Log-softmax over the whole tensor at once.

    All entries together make one distribution here. Count how many there are in a tensor of shape
    (2, 3) if `dim` is 1.
    """
    x = x - x.max()
    return x - torch.log(torch.exp(x).sum())


@log_softmax.misconception
def keepdim_forgotten(x, dim):
    """Log-softmax whose log-sum has lost its dimension.

    Broadcasting aligns shapes from the right: in a square matrix it subtracts from columns what
    belongs to rows, without a word. How do you keep a dimension of size 1?
    """
    return x - torch.logsumexp(x, dim=dim)


@log_softmax.misconception
def always_the_last_dim(x, dim):
    """Log-softmax over the last dimension, whatever dim is.

    That is where logits mostly lie, but not always. Which lines of your code does the argument
    `dim` reach?
    """
    return x - torch.logsumexp(x, dim=-1, keepdim=True)


@log_softmax.misconception
def in_place(x, dim):
    """Log-softmax that overwrites its input.

    `-=` and methods that end in an underscore write into the caller's tensor, and autograd refuses
    that on a leaf. What would make a new tensor instead?
    """
    x -= torch.logsumexp(x, dim=dim, keepdim=True)
    return x


@log_softmax.misconception
def always_float32(x, dim):
    """Log-softmax that gives float32, whatever dtype came in.

    Computing in a wider type is fine, but the caller gets another dtype back than they gave. And
    what does float32 do to a float64?
    """
    x = x.float()
    return x - torch.logsumexp(x, dim=dim, keepdim=True)
