"""What `log_softmax` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import math

import numpy as np
import torch

from grader.checks.lesson3_logits.shared import (
    NORMALISES,
    PICKS,
    any_dim_cases,
    dtype_cases,
    epsilons_in_the_log,
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
def always_float32(x, dim):
    """Log-softmax that gives float32, whatever dtype came in.

    Computing in a wider type is fine, but the caller gets another dtype back than they gave. And
    what does float32 do to a float64?
    """
    x = x.float()
    return x - torch.logsumexp(x, dim=dim, keepdim=True)


# The usual way to write it down: overflow and underflow make together what neither makes alone.
@log_softmax.misconception
def log_of_a_softmax_that_overflows(x, dim):
    """The log of a softmax that overflows.

    exp of a large logit is infinite, and a small probability is 0 before its log is taken. Write
    log(a / b) as a difference first, then ask what may be subtracted from `x`.
    """
    exp = torch.exp(x)
    return torch.log(exp / exp.sum(dim=dim, keepdim=True))


# forum: how a log of 0 is mostly repaired
def by_the_log_of_the_softmax(x, dim, log):
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return log(exp / exp.sum(dim=dim, keepdim=True))


epsilons_in_the_log(
    log_softmax,
    by_the_log_of_the_softmax,
    "a softmax",
    "That turns minus infinity into log({epsilon}), about {log}, whatever the true value is. Can "
    "you do without computing the probability?",
)


@log_softmax.misconception
def probabilities(x, dim):
    """The softmax, and not its log.

    These are above 0 and add up to one. Which function of them is asked for, and can you have it
    without computing them?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@log_softmax.misconception
def maximum_subtracted_twice(x, dim):
    """Log-softmax whose maximum is subtracted twice.

    What you take out of the logits inside the sum is put back once, to be subtracted from `x`. If
    you go on with the shifted logits there is nothing to put back.
    """
    largest = x.amax(dim=dim, keepdim=True)
    return x - largest - (largest + torch.exp(x - largest).sum(dim=dim, keepdim=True).log())


@log_softmax.misconception
def values_and_indices_subtracted(x, dim):
    """A maximum along a dimension taken for a tensor, which is a pair.

    With a dimension, `max` gives two tensors, the values and where they are, and nothing can be
    subtracted from `x` by a pair. Which of the two do you want, or what is `amax`?
    """
    x = x - x.max(dim=dim, keepdim=True)
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


# forum: meant as the safer bound
@log_softmax.misconception
def largest_magnitude_subtracted(x, dim):
    """Log-softmax with the largest absolute value subtracted.

    Where all logits lie far below 0 this pushes them down once more, until every exponential is 0.
    Which of them should become 0 before you exponentiate: the largest, or the one furthest from 0?
    """
    x = x - x.abs().amax(dim=dim, keepdim=True)
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


# NumPy: a habit from arrays of two dimensions
@log_softmax.misconception
def dimension_put_back_second(x, dim):
    """Log-softmax whose log-sum gets its dimension back in the second place.

    `[:, None]` and `unsqueeze(1)` are right for the rows of a matrix, and for nothing else. In
    which place was the dimension that the sum has taken away?
    """
    return x - torch.logsumexp(x, dim=dim).unsqueeze(1)


@log_softmax.misconception
def dimension_put_back_last(x, dim):
    """Log-softmax whose log-sum gets its dimension back at the end.

    `[..., None]` and `unsqueeze(-1)` are right where the sum was taken over the last dimension. In
    which place was the one that it took away here?
    """
    return x - torch.logsumexp(x, dim=dim).unsqueeze(-1)


@log_softmax.misconception
def sum_made_a_column(x, dim):
    """Log-softmax whose log-sum is made one long column.

    `view(-1, 1)` and `reshape(-1, 1)` are right for the rows of a matrix. With another dimension,
    or more than two, a column of all sums lies beside something else. What does `keepdim` do?
    """
    return x - torch.logsumexp(x, dim=dim).reshape(-1, 1)


@log_softmax.misconception
def always_the_first_dim(x, dim):
    """Log-softmax over the first dimension, whatever dim is.

    It is right for one vector, and for columns. Which lines of your code does the argument `dim`
    reach?
    """
    return x - torch.logsumexp(x, dim=0, keepdim=True)


@log_softmax.misconception
def always_the_second_dim(x, dim):
    """Log-softmax over dimension 1, whatever dim is.

    That is where the classes of a batch mostly lie, but a vector has no such dimension, and other
    tensors have more. Which lines of your code does the argument `dim` reach?
    """
    return x - torch.logsumexp(x, dim=1, keepdim=True)


@log_softmax.misconception
def log2_of_the_sum(x, dim):
    """A log of base 2 of a sum of powers of e.

    What undoes exp is the natural log. Exponentiate a row of your result: what does it add up to?
    """
    return x - torch.logsumexp(x, dim=dim, keepdim=True) / math.log(2)


@log_softmax.misconception
def log10_of_the_sum(x, dim):
    """A log of base 10 of a sum of powers of e.

    What undoes exp is the natural log. Exponentiate a row of your result: what does it add up to?
    """
    return x - torch.logsumexp(x, dim=dim, keepdim=True) / math.log(10)


@log_softmax.misconception
def logits_clamped(x, dim):
    """Logits clamped so that exp does not overflow.

    Two logits beyond the bound become equal, however far apart they are. What can you take out of
    the sum, if you put it back after the log, so that nothing overflows?
    """
    x = x.clamp(-80, 80)
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def in_place(x, dim):
    """Log-softmax that overwrites its input.

    `-=` and methods that end in an underscore write into the caller's tensor, and autograd refuses
    that on a leaf. What would make a new tensor instead?
    """
    x -= torch.logsumexp(x, dim=dim, keepdim=True)
    return x


@log_softmax.misconception
def in_place_behind_autograd(x, dim):
    """Log-softmax that overwrites its input behind autograd's back.

    Under `no_grad`, or by `.data`, nothing objects, but the caller's tensor still holds something
    else than before. What would make a new tensor instead?
    """
    with torch.no_grad():
        x -= x.amax(dim=dim, keepdim=True)
    return x - torch.logsumexp(x, dim=dim, keepdim=True)


@log_softmax.misconception
def cut_off_from_the_gradient(x, dim):
    """Log-softmax of a copy that is cut off from the gradient.

    `detach`, `.data`, `torch.tensor(x)` and a way through NumPy all forget where the numbers came
    from. Do you need a copy at all, if nothing is written into `x`?
    """
    x = x.detach().clone()
    return x - torch.logsumexp(x, dim=dim, keepdim=True)


@log_softmax.misconception
def float32_in_between(x, dim):
    """Log-softmax computed in float32, and cast back.

    For float16 that is a gain, but a float64 comes back with half of its digits gone. In which
    dtype would each be right to its own precision?
    """
    wide = x.float()
    return (wide - torch.logsumexp(wide, dim=dim, keepdim=True)).to(x.dtype)


@log_softmax.misconception
def through_numpy(x, dim):
    """Log-softmax computed in NumPy.

    NumPy has no bfloat16, and what comes back from it does not know where it came from, so that no
    gradient can flow. Which of its functions has PyTorch not got?
    """
    array = x.numpy()
    array = array - array.max(axis=dim, keepdims=True)
    return torch.from_numpy(array - np.log(np.exp(array).sum(axis=dim, keepdims=True)))


@log_softmax.misconception
def base_two(x, dim):
    """Logs of base 2.

    Powers of 2, and not of e, give the probabilities back. Which log undoes exp?
    """
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)) / math.log(2)


@log_softmax.misconception
def base_ten(x, dim):
    """Logs of base 10.

    Powers of 10, and not of e, give the probabilities back. Which log undoes exp?
    """
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)) / math.log(10)


@log_softmax.misconception
def infinity_replaced(x, dim):
    """Minus infinity replaced by a number.

    What is impossible has a probability of 0, and the log of that is minus infinity: it is a right
    result here. What would `nan_to_num` be needed for, if nothing overflows?
    """
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)).nan_to_num()
