"""Two mistakes at once, written as a student would, are named as the two."""

import pytest

from answers.pairs import PAIRS
from grader import lessons
from grader.verdict import load

EXERCISES = {e.name: e for lesson in lessons.names() for e in load.exercises(lesson)}


@pytest.mark.parametrize(
    ("exercise", "names", "function"), PAIRS, ids=[f"{e}-{f.__name__}" for e, _, f in PAIRS]
)
def test_two_at_once_are_named_as_the_two(exercise, names, function, explained):
    found = explained(EXERCISES[exercise], function)
    assert {cause.implementation.__name__ for cause in found.causes} == names
    assert found.is_sure


def test_there_are_enough_pairs():
    assert len(PAIRS) >= 100
    assert len({exercise for exercise, _, _ in PAIRS}) >= 20
