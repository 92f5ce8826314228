"""What a lesson and an exercise look like when they are begun: one worked out, to be replaced.

NUMBER, TOPIC and NAME stand for the lesson's and for the exercise's.
"""

from __future__ import annotations

TODO = "raise NotImplementedError"
SOLVED = "return x - x.mean(-1, keepdim=True)"

LESSON = '''\
"""Lesson NUMBER: TOPIC, in a few words.

What this lesson is about, in a paragraph: where it stands in the model, and why one wants it.

What you will be able to do
---------------------------
- Say what a LayerNorm does first, and along which dimension.

A heading
---------
Prose that teaches what the exercises below ask for. Formulas stand alone, indented:

    center(x)_i = x_i - mean_j x_j

Key takeaways
-------------
- Each position's vector is centred by itself; no other position takes part.
"""

from __future__ import annotations

import torch  # noqa: F401 you will want it
from jaxtyping import Float
from torch import Tensor
'''

FUNCTION = '''\
def NAME(x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
    """Very easy, 2 minutes. Each vector less the mean of its entries.

    Any number of dimensions; the last one holds the vectors. `x` stays as it is.

    >>> NAME(torch.tensor([[1.0, 3.0], [5.0, 5.0]]))
    tensor([[-1.,  1.],
            [ 0.,  0.]])
    """
    BODY
'''

CHECKS = '''\
"""What `NAME` of lesson NUMBER must do, and what people get wrong."""

from __future__ import annotations

from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

NAME = Exercise(
    "NAME",
    # What to think about, then which operation, then nearly the answer.
    hints=(
        "How many means are there, if x has shape (2, 3, 4)?",
        "`mean` takes the dimension to average over. Does the result still broadcast against x?",
        "`x.mean(-1, keepdim=True)` has shape (..., 1).",
    ),
)


# A check makes cases from a seed; what is right on them is what the solution does. Its docstring
# is what a student reads. Beside `draw` it may ask for `tokenizer` or `reference` by name.
@NAME.check(points=8)
def each_vector_by_itself(draw: Draw) -> Cases:
    """Each vector along the last dimension has the mean of its own entries taken off."""
    yield Case(draw.normal(3))
    for shape in [(3, 3), (2, 3, 4), (2, 1, 2, 5)]:
        yield Case(draw.normal(*shape))


@NAME.check(points=2, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """x holds the same values after the call."""
    yield Case(draw.normal(2, 3))


# What people get wrong, as they write it. The docstring is what a student reads whose answer does
# the same: what it is, in the field's words, and then what to think about.
@NAME.misconception
def mean_of_everything(x):
    """One mean for the whole tensor.

    The mean went over all positions and sequences at once, so each vector depends on the others.
    Which dimension is it that holds a vector?
    """
    return x - x.mean()


@NAME.misconception
def along_the_first_dimension(x):
    """The mean along the first dimension.

    That is what a batch normalisation takes off: it mixes the sequences of a batch. Which
    dimension holds the entries of one vector?
    """
    return x - x.mean(0)


@NAME.misconception
def in_place(x):
    """The mean taken off in place.

    The result is right, but `-=` writes into the caller's own tensor, which may be needed as it
    was. What does a plain minus do?
    """
    x -= x.mean(-1, keepdim=True)
    return x
'''
