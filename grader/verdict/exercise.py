"""What a check is: which cases, what to observe, when two observations agree.

`grader/checks/lessonN_name.py` says those three things once per check; running a student's answer,
naming a misconception and proving that the solutions pass all follow from them.

    softmax = Exercise("softmax")

    @softmax.check(points=2)
    def any_dim(draw: Draw) -> Cases:
        \"\"\"The given dimension sums to one, whichever it is.\"\"\"
        for dim in (0, 1, -1):
            yield Case(draw.normal(2, 3, 4), dim=dim)

The decorated function makes the cases. Its name and docstring are what a student reads. Beside
`draw`, it may ask for `tokenizer` or `reference` (see `grader.inside.fixtures`) by parameter name.

What people get wrong stands beside it, as they write it:

    @softmax.misconception
    def no_maximum_subtracted(x, dim):
        \"\"\"Softmax without the maximum taken out.

        exp of a logit of 100 is more than a float32 can hold. What may you subtract from all of
        them without changing the result?
        \"\"\"
        return x.exp() / x.exp().sum(dim, keepdim=True)

The docstring is what a student reads whose answer does the same: what it is, in the field's words,
and then what to think about.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from grader.inside import fixtures, observe
from grader.inside.forbidden import Forbidden
from grader.verdict import agree
from grader.verdict.draw import Draw

PUBLIC_SEED = 0


class Case:
    """The arguments of one call. Every call gets fresh copies of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._args, self._kwargs = args, kwargs

    def __repr__(self) -> str:
        """Short: live things, and large ones, by their kind."""
        from grader.verdict.show import show_argument

        shown = [show_argument(a) for a in self._args]
        shown += [f"{name}={show_argument(value)}" for name, value in self._kwargs.items()]
        return f"Case({', '.join(shown)})"

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [_fresh(a) for a in self._args], {k: _fresh(v) for k, v in self._kwargs.items()}

    def plain(self) -> dict[str, Any]:
        """The arguments themselves, to be sent elsewhere."""
        return {"args": list(self._args), "kwargs": self._kwargs}

    def named_for(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Parameter name -> argument, as the solution's signature names them."""
        return dict(inspect.signature(function).bind(*self._args, **self._kwargs).arguments)

    @property
    def is_empty(self) -> bool:
        """Is there nothing in one of its arguments?"""
        held = (*self._args, *self._kwargs.values())
        return any(isinstance(x, (Tensor, list, str)) and not size(x) for x in held)

    @property
    def size(self) -> int:
        return sum(size(a) for a in (*self._args, *self._kwargs.values()))


def _fresh(value: Any) -> Any:
    """A copy of plain data, and of what `fixtures.fresh` copies."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (list, tuple)):
        return type(value)(_fresh(item) for item in value)
    if isinstance(value, dict):
        return {k: _fresh(v) for k, v in value.items()}
    return fixtures.fresh(value)


def size(value: Any) -> int:
    """How many entries there are in it, whatever it is."""
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, (list, tuple, dict)):
        return sum(size(v) for v in value)
    return len(value) if isinstance(value, (str, bytes)) else 1


Cases = Iterable[Case]
MakeCases = Callable[..., Cases]


@dataclass(frozen=True)
class Check:
    exercise: str
    points: int
    make_cases: MakeCases
    observe: Callable[..., Any]
    agree: Callable[[Any, Any], str | None]
    of_tokens: bool = False  # what it observes are token ids: show them as text
    forbids: Forbidden = field(default_factory=Forbidden)

    @property
    def name(self) -> str:
        return self.make_cases.__name__

    @property
    def says(self) -> str:
        """What must be true, in one sentence."""
        return " ".join((self.make_cases.__doc__ or "").split())

    @property
    def needs(self) -> list[str]:
        """The fixtures that making the cases takes."""
        return [name for name in inspect.signature(self.make_cases).parameters if name != "draw"]

    def cases(self, seed: int | str, fixture: Callable[[str], Any]) -> list[Case]:
        """The cases of a seed, smallest first, so that the first to fail is the one to show; those
        with nothing in them last, which show least."""
        draw = Draw(f"{seed}:{self.exercise}:{self.name}")
        given = {name: fixture(name) for name in self.needs}
        cases = list(self.make_cases(draw, **given))
        if not cases:
            raise ValueError(f"{self.exercise}::{self.name} made no case from seed {seed!r}")
        return sorted(cases, key=lambda case: (case.is_empty, case.size))


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation that people really write."""

    exercise: str
    implementation: Callable[..., Any]

    @property
    def name(self) -> str:
        """What it is, in the field's words: the first paragraph of the docstring."""
        name = self._paragraphs[0].rstrip(".")
        is_acronym = name[1:2].isupper()
        return name if is_acronym else name[:1].lower() + name[1:]

    @property
    def says(self) -> str:
        """What to think about: the other paragraphs."""
        return " ".join(self._paragraphs[1:])

    @property
    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(self.implementation) or ""
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


@dataclass(frozen=True)
class Exercise:
    name: str
    hints: Sequence[str] = ()  # what to think about, then which operation, then nearly the answer
    forbids: Forbidden = field(default_factory=Forbidden)
    checks: list[Check] = field(default_factory=list)
    misconceptions: list[Misconception] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(check.points for check in self.checks)

    def check(
        self,
        points: int,
        observe: Callable[..., Any] = observe.result,
        agree: Callable[[Any, Any], str | None] = agree.values,
        of_tokens: bool = False,
    ) -> Callable[[MakeCases], MakeCases]:
        """Decorator: the function that makes the cases of a check becomes that check."""

        def add(make_cases: MakeCases) -> MakeCases:
            self.checks.append(
                Check(self.name, points, make_cases, observe, agree, of_tokens, self.forbids)
            )
            return make_cases

        return add

    def misconception(self, implementation: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the function becomes a misconception of this exercise."""
        self.misconceptions.append(Misconception(self.name, implementation))
        return implementation
