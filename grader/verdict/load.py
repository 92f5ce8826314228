"""A lesson's exercises, its solution, and what its checks are asked with; of a kit that was handed
out, those that were recorded."""

from __future__ import annotations

from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from grader import lessons
from grader.inside import reference
from grader.inside.fixtures import Fixtures
from grader.inside.remember import Passes
from grader.verdict import recorded
from grader.verdict.exercise import Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def exercises(lesson: str) -> list[Exercise]:
    """A lesson's exercises, as they are written: each from the file of its name in
    `grader/checks/LESSON/`."""
    if lessons.are_recorded():
        return recorded.exercises(lesson)
    found = (import_module(f"grader.checks.{lesson}.{n}") for n in lessons.exercise_names(lesson))
    return [getattr(module, module.__name__.rpartition(".")[2]) for module in found]


@cache
def lesson_of(exercise: str) -> str:
    """The lesson that has it. Raises KeyError."""
    for lesson in lessons.names():
        is_there = (
            exercise in [e.name for e in recorded.exercises(lesson)]
            if lessons.are_recorded()
            else exercise in lessons.exercise_names(lesson)
        )
        if is_there:
            return lesson
    raise KeyError(exercise)


def solution(lesson: str) -> Any:
    """Its solved functions, by attributes."""
    if lessons.are_recorded():
        return recorded.solution(lesson)
    return import_module(f"solutions.{lesson}")


def fixtures(reference_name: str = "auto", device: str = "auto") -> Fixtures:
    """What the checks are asked with. Raises `PublicOnly` where the answers that this kit has
    recorded are of another reference."""
    if lessons.are_recorded():
        reference_name, device = recorded.settings(reference_name, device)
        reference.use_only(device)
    return Kept(reference_name, device)


class Kept(Fixtures):
    """The live things of one process, whose reference runs each input once: answers and
    misconceptions ask much the same as solutions."""

    @cached_property
    def reference(self) -> TransformerBridge:
        model: TransformerBridge = super().reference
        Passes(model)
        return model
