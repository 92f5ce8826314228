"""Begin a lesson: its three files, with one exercise worked out to be replaced.

`pytest tests -k LESSON` then says of what is added to it what is still missing.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from grader import lessons
from grader.problem import Problem

KIT = Path(__file__).parent.parent
FOLDERS = ("exercises", "solutions", "grader/checks")


class NoNewLesson(Problem):
    """Why no lesson was begun: one line."""


def write(name: str, kit: Path = KIT) -> list[Path]:
    """`attention` becomes the next number's, `lesson7_attention` is taken as it is.

    Raises:
        NoNewLesson: the name cannot be one, is taken, or cannot be written here.
    """
    numbered = re.fullmatch(r"lesson([1-9][0-9]*)_(\w+)", name)
    number = int(numbered[1]) if numbered else _next_number()
    topic = numbered[2] if numbered else name
    if not re.fullmatch(r"(?!lesson\d)[a-z][a-z0-9_]*", topic) or keyword.iskeyword(topic):
        raise NoNewLesson(f"{name!r} is no name for a lesson. Use small letters: attention.")
    lesson = f"lesson{number}_{topic}"
    taken = [other for other in lessons.names() if other.startswith(f"lesson{number}_")]
    if taken:
        raise NoNewLesson(f"There is {taken[0]} already. Take another number.")
    missing = [folder for folder in FOLDERS if not (kit / folder).is_dir()]
    if missing:
        raise NoNewLesson(f"There is no {missing[0]}/ beside grader/. Work in a clone.")
    texts = (LESSON.replace("BODY", TODO), LESSON.replace("BODY", SOLVED), CHECKS)
    words = {"NUMBER": str(number), "TOPIC": topic, "LESSON": lesson}
    written = []
    try:
        for folder, text in zip(FOLDERS, texts, strict=True):
            for word, meant in words.items():
                text = text.replace(word, meant)
            path = kit / folder / f"{lesson}.py"
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            written.append(path)
    except OSError as problem:
        for path in written:
            path.unlink()
        raise NoNewLesson(f"{problem.filename} cannot be written ({problem.strerror}).") from None
    return written


def _next_number() -> int:
    numbers = [re.match(r"lesson(\d+)", name) for name in lessons.names()]
    return max((int(match[1]) for match in numbers if match), default=0) + 1


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


def TOPIC_example(x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
    """Very easy, 2 minutes. Each vector less the mean of its entries.

    Any number of dimensions; the last one holds the vectors. `x` stays as it is.

    >>> TOPIC_example(torch.tensor([[1.0, 3.0], [5.0, 5.0]]))
    tensor([[-1.,  1.],
            [ 0.,  0.]])
    """
    BODY
'''

CHECKS = '''\
"""Checks for lesson NUMBER: TOPIC."""

from __future__ import annotations

from grader import observe
from grader.draw import Draw
from grader.exercise import Case, Cases, Exercise

TOPIC_example = Exercise(
    "TOPIC_example",
    # What to think about, then which operation, then nearly the answer.
    hints=(
        "How many means are there, if x has shape (2, 3, 4)?",
        "`mean` takes the dimension to average over. Does the result still broadcast against x?",
        "`x.mean(-1, keepdim=True)` has shape (..., 1).",
    ),
)


# A check makes cases from a seed; what is right on them is what the solution does. Its docstring
# is what a student reads. Beside `draw` it may ask for `tokenizer` or `reference` by name.
@TOPIC_example.check(points=8)
def each_vector_by_itself(draw: Draw) -> Cases:
    """Each vector along the last dimension has the mean of its own entries taken off."""
    yield Case(draw.normal(3))
    for shape in [(3, 3), (2, 3, 4), (2, 1, 2, 5)]:
        yield Case(draw.normal(*shape))


@TOPIC_example.check(points=2, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """x holds the same values after the call."""
    yield Case(draw.normal(2, 3))


# What people get wrong, as they write it. The docstring is what a student reads whose answer does
# the same: what it is, in the field's words, and then what to think about.
@TOPIC_example.misconception
def mean_of_everything(x):
    """One mean for the whole tensor.

    The mean went over all positions and sequences at once, so each vector depends on the others.
    Which dimension is it that holds a vector?
    """
    return x - x.mean()


@TOPIC_example.misconception
def along_the_first_dimension(x):
    """The mean along the first dimension.

    That is what a batch normalisation takes off: it mixes the sequences of a batch. Which
    dimension holds the entries of one vector?
    """
    return x - x.mean(0)


@TOPIC_example.misconception
def in_place(x):
    """The mean taken off in place.

    The result is right, but `-=` writes into the caller's own tensor, which may be needed as it
    was. What does a plain minus do?
    """
    x -= x.mean(-1, keepdim=True)
    return x
'''
