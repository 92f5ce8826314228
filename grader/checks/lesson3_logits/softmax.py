"""What `softmax` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import numpy as np
import torch

from grader.checks.lesson3_logits.shared import (
    NORMALISES,
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

softmax = Exercise(
    "softmax",
    forbids=Forbidden(torch=NORMALISES),
    hints=(
        "Which values must add up to one: all of them, or those along `dim`? And what is the "
        "largest float32 that exp can still give?",
        "Adding a constant to all logits along `dim` changes nothing. Subtract one that makes "
        "the largest of them 0, and keep the reduced dimension so that shapes still fit.",
        "`amax` and `sum` both take a dimension and `keepdim=True`. Take the maximum out, "
        "exponentiate, divide by the sum; make new tensors all along.",
    ),
)


@softmax.check(points=5)
def any_dim(draw: Draw) -> Cases:
    """exp(x) over its sum along the given dimension, whichever that is."""
    yield from any_dim_cases(draw)


@softmax.check(points=6)
def large_logits(draw: Draw) -> Cases:
    """Nothing overflows, however large the logits and however far apart the rows."""
    yield from large_logit_cases(draw)


@softmax.check(points=2)
def minus_infinity(draw: Draw) -> Cases:
    """A logit of minus infinity has probability 0."""
    yield from minus_infinity_cases(draw)


@softmax.check(points=2)
def other_float_types(draw: Draw) -> Cases:
    """Right, to their own precision, for float16, bfloat16 and float64, too."""
    yield from half_precision_cases(draw)


@softmax.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """The result has the dtype of `x`."""
    yield from dtype_cases(draw)


@softmax.check(points=3, observe=observe.gradients)
def gradients_flow(draw: Draw) -> Cases:
    """The gradient with respect to `x` is that of the softmax."""
    yield from gradient_cases(draw)


@softmax.check(points=1, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield from dtype_cases(draw)


@softmax.misconception
def no_maximum_subtracted(x, dim):
    """Softmax without the maximum subtracted.

    exp of a logit of 100 is more than a float32 can hold. What may you subtract from all logits
    without changing the result?
    """
    exp = torch.exp(x)
    return exp / exp.sum(dim=dim, keepdim=True)


# forum: the usual one-dimensional recipe, taken to a batch
@softmax.misconception
def one_maximum_for_all(x, dim):
    """Softmax with one maximum for the whole tensor.

    A row whose logits all lie far below those of another row underflows to 0 / 0. Whose maximum
    does each distribution need?
    """
    exp = torch.exp(x - x.max())
    return exp / exp.sum(dim=dim, keepdim=True)


# forum: the usual one-dimensional recipe, taken to a batch
@softmax.misconception
def one_sum_for_all(x, dim):
    """Softmax over the whole tensor at once.

    All entries together add up to one here. Count how many distributions there are in a tensor of
    shape (2, 3) if `dim` is 1, and what each of them adds up to.
    """
    exp = torch.exp(x - x.max())
    return exp / exp.sum()


@softmax.misconception
def always_the_last_dim(x, dim):
    """Softmax over the last dimension, whatever dim is.

    That is where logits mostly lie, but not always. Which lines of your code does the argument
    `dim` reach?
    """
    exp = torch.exp(x - x.max(dim=-1, keepdim=True).values)
    return exp / exp.sum(dim=-1, keepdim=True)


# forum: the NumPy answer with axis=0
@softmax.misconception
def always_the_first_dim(x, dim):
    """Softmax over the first dimension, whatever dim is.

    It is right for one vector, and for columns. Which lines of your code does the argument `dim`
    reach?
    """
    exp = torch.exp(x - x.max(dim=0, keepdim=True).values)
    return exp / exp.sum(dim=0, keepdim=True)


@softmax.misconception
def keepdim_forgotten_in_the_sum(x, dim):
    """Softmax whose sum has lost its dimension.

    Broadcasting aligns shapes from the right: for a square matrix it divides columns by the sums
    of rows without a word. How do you keep a dimension of size 1 where the sum was taken?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim)


@softmax.misconception
def keepdim_forgotten_twice(x, dim):
    """Softmax whose maximum and sum have lost their dimension.

    Broadcasting aligns shapes from the right, so a square matrix gets the maxima and sums of the
    wrong lines without a word. How do you keep a dimension of size 1 in both?
    """
    exp = torch.exp(x - x.max(dim=dim).values)
    return exp / exp.sum(dim=dim)


@softmax.misconception
def cut_off_from_the_gradient(x, dim):
    """Softmax of a copy that is cut off from the gradient.

    `detach`, `.data`, `torch.tensor(x)` and a way through NumPy all forget where the numbers came
    from. Do you need a copy at all, if nothing is written into `x`?
    """
    x = x.detach().clone()
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def always_float32(x, dim):
    """Softmax that gives float32, whatever dtype came in.

    Computing in a wider type is fine, but the caller gets another dtype back than they gave. And
    what does float32 do to a float64?
    """
    x = x.float()
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def float32_in_between(x, dim):
    """Softmax computed in float32, and cast back.

    For float16 that is a gain, but a float64 comes back with half of its digits gone. In which
    dtype would each be right to its own precision?
    """
    wide = x.float()
    exp = torch.exp(wide - wide.amax(dim=dim, keepdim=True))
    return (exp / exp.sum(dim=dim, keepdim=True)).to(x.dtype)


@softmax.misconception
def keepdim_forgotten_in_the_maximum(x, dim):
    """Softmax whose maximum has lost its dimension.

    Broadcasting aligns shapes from the right: in a square matrix it takes from columns what is the
    maximum of rows, without a word. How do you keep a dimension of size 1 where it was taken?
    """
    exp = torch.exp(x - x.max(dim=dim).values)
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def values_and_indices_subtracted(x, dim):
    """A maximum along a dimension taken for a tensor, which is a pair.

    With a dimension, `max` gives two tensors, the values and where they are, and nothing can be
    subtracted from `x` by a pair. Which of the two do you want, or what is `amax`?
    """
    exp = torch.exp(x - x.max(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


# forum: meant as the safer bound
@softmax.misconception
def largest_magnitude_subtracted(x, dim):
    """Softmax with the largest absolute value subtracted.

    Where all logits lie far below 0 this pushes them down once more, until every exponential is 0.
    Which of them should become 0 before you exponentiate: the largest, or the one furthest from 0?
    """
    exp = torch.exp(x - x.abs().amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


# NumPy: a habit from arrays of two dimensions
@softmax.misconception
def dimension_put_back_second(x, dim):
    """Softmax whose sum gets its dimension back in the second place.

    `[:, None]` and `unsqueeze(1)` are right for the rows of a matrix, and for nothing else. In
    which place was the dimension that the sum has taken away?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim).unsqueeze(1)


@softmax.misconception
def dimension_put_back_last(x, dim):
    """Softmax whose sum gets its dimension back at the end.

    `[..., None]` and `unsqueeze(-1)` are right where the sum was taken over the last dimension. In
    which place was the one that it took away here?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim).unsqueeze(-1)


@softmax.misconception
def sum_made_a_column(x, dim):
    """Softmax whose sum is made one long column.

    `view(-1, 1)` and `reshape(-1, 1)` are right for the rows of a matrix. With another dimension,
    or more than two, a column of all sums lies beside something else. What does `keepdim` do?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim).reshape(-1, 1)


@softmax.misconception
def always_the_second_dim(x, dim):
    """Softmax over dimension 1, whatever dim is.

    That is where the classes of a batch mostly lie, but a vector has no such dimension, and other
    tensors have more. Which lines of your code does the argument `dim` reach?
    """
    exp = torch.exp(x - x.amax(dim=1, keepdim=True))
    return exp / exp.sum(dim=1, keepdim=True)


@softmax.misconception
def not_divided(x, dim):
    """Exponentials that are not divided by their sum.

    They are positive, and in the right proportion to one another, but do not add up to one. What
    makes a distribution of them?
    """
    return torch.exp(x - x.amax(dim=dim, keepdim=True))


@softmax.misconception
def logits_clamped(x, dim):
    """Logits clamped so that exp does not overflow.

    Two logits beyond the bound become equal, however far apart they are. Adding a constant to all
    of them changes nothing; clamping does. Which constant keeps exp from overflowing?
    """
    exp = torch.exp(x.clamp(-80, 80))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def nan_replaced(x, dim):
    """NaN replaced by 0 after the overflow.

    Infinity over infinity is NaN where a probability of 1 belongs, and 0 over 0 where any may.
    What was lost does not come back; how do you keep exp from overflowing in the first place?
    """
    exp = torch.exp(x)
    return (exp / exp.sum(dim=dim, keepdim=True)).nan_to_num(0.0)


@softmax.misconception
def divided_by_the_maximum(x, dim):
    """Logits divided by their maximum.

    That keeps them small, but probabilities depend on differences of logits, and these shrink with
    them. What may be done to all logits alike that leaves their differences as they are?
    """
    exp = torch.exp(x / x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def in_place(x, dim):
    """Softmax that overwrites its input.

    `-=` and methods that end in an underscore write into the caller's tensor, and autograd refuses
    that on a leaf. What would make a new tensor instead?
    """
    x -= x.amax(dim=dim, keepdim=True)
    exp = x.exp()
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def in_place_behind_autograd(x, dim):
    """Softmax that overwrites its input behind autograd's back.

    Under `no_grad`, or by `.data`, nothing objects, but the caller's tensor still holds something
    else than before. What would make a new tensor instead?
    """
    with torch.no_grad():
        x -= x.amax(dim=dim, keepdim=True)
    exp = x.exp()
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def through_numpy(x, dim):
    """Softmax computed in NumPy.

    NumPy has no bfloat16, and what comes back from it does not know where it came from, so that no
    gradient can flow. Which of its functions has PyTorch not got?
    """
    array = x.numpy()
    exp = np.exp(array - array.max(axis=dim, keepdims=True))
    return torch.from_numpy(exp / exp.sum(axis=dim, keepdims=True))
