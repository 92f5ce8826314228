"""What is asked of every submission: cases, requests, the solution's and the misconceptions'
observations. All that is the same for all submissions is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from grader.inside import wire
from grader.inside.fixtures import Fixtures
from grader.inside.forbidden import Forbidden
from grader.verdict import load
from grader.verdict.exercise import PUBLIC_SEED, Check, Exercise
from grader.verdict.explain import Misconceptions
from grader.verdict.grade import Question, questions

LARGE = 1_000_000  # bytes of a tensor
ANSWER = 1_000_000  # bytes that an answer's structure may have, and more where the right one has


@dataclass(frozen=True)
class Asked(Question):
    """A question as it crosses into the sandbox, and as the right answer comes back."""

    request: bytes
    expected_frame: bytes

    @property
    def most(self) -> int:
        """Bytes of an answer's structure that are looked at."""
        return ANSWER + 8 * len(self.expected_frame)


@dataclass(frozen=True)
class Exam:
    """One exercise: its checks, each with all that is asked."""

    exercise: Exercise
    solution: Callable[..., Any]
    checks: list[tuple[Check, list[Asked]]]  # questions of the public seed first
    public: dict[str, int]  # check -> how many of its questions these are


class Exams:
    """All that is asked, by lesson."""

    def __init__(
        self, chosen: Sequence[str], fixtures: Fixtures, hidden_seeds: Sequence[str] = ()
    ) -> None:
        """Raises `Undecided`, and whatever a check or a solution of the kit's raises."""
        self.fixtures = fixtures
        self.large: list[Tensor] = []  # arguments that go to the sandbox once, and not per request
        self.lessons = {lesson: list(self._exams(lesson, hidden_seeds)) for lesson in chosen}
        self.misconceptions = Misconceptions()

    def _exams(self, lesson: str, hidden_seeds: Sequence[str]) -> Iterator[Exam]:
        module = load.solution(lesson)
        seeds: list[int | str] = [PUBLIC_SEED, *hidden_seeds]
        for exercise in load.exercises(lesson):
            solution = getattr(module, exercise.name)
            checks: list[tuple[Check, list[Asked]]] = []
            public: dict[str, int] = {}
            for check in exercise.checks:
                asked: list[Asked] = []
                for seed in seeds:
                    made = questions(check, solution, [seed], self.fixtures)
                    asked += [self._asked(lesson, check, question) for question in made]
                    public.setdefault(check.name, len(asked))
                checks.append((check, asked))
            yield Exam(exercise, solution, checks, public)

    def _asked(self, lesson: str, check: Check, question: Question) -> Asked:
        request = {
            "do": "observe",
            "lesson": lesson,
            "exercise": check.exercise,
            "observer": check.observe.__name__,
            "forbids": sent(check.forbids),
            **question.case.plain(),
        }
        return Asked(
            question.case,
            question.expected,
            wire.encode(request, self._live),
            wire.encode(question.expected),
        )

    def _live(self, value: Any) -> str | None:
        if not isinstance(value, Tensor):
            return self.fixtures.name_of(value)
        if value.nbytes < LARGE:
            return None
        for i, known in enumerate(self.large):
            if known.dtype == value.dtype and known.device == value.device and known.equal(value):
                return f"large {i} {value.device.type}"
        self.large.append(value.detach())
        return f"large {len(self.large) - 1} {value.device.type}"


def sent(forbids: Forbidden) -> list[list[str]]:
    return [list(forbids.torch), list(forbids.methods)]
