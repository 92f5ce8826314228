"""A student's functions as they are judged in this process: by `pytest exercises`, in a notebook
and by `grader watch`, in the same words."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from grader.inside import run
from grader.inside.fixtures import Fixtures
from grader.outcome import Outcome
from grader.verdict import feedback, grade, name
from grader.verdict.counting import Right, is_of_the_result
from grader.verdict.exercise import PUBLIC_SEED, Case, Check, Exercise, Misconception
from grader.verdict.grade import Verdict


@dataclass(frozen=True)
class Judged:
    """What came of one check."""

    outcome: Outcome
    feedback: str = ""
    misconception: Misconception | None = None
    verdict: Verdict | None = None  # None: there was nothing that could be run
    note: str = ""  # why there is nothing, or on a right answer a near-miss of type
    said: bool = False  # the same has been said of another check
    cause: BaseException | None = None  # why there is no function that could be run

    def counts(self, check: Check) -> dict[str, Any]:
        """As `grader.verdict.progress` reads it."""
        points = check.points if self.outcome is Outcome.PASSED else 0
        return {"outcome": self.outcome.value, "points": points, "max_points": check.points}


class Answers:
    """Functions by name, or why there are none. Remembers what it has said."""

    def __init__(
        self,
        label: str,
        functions: dict[str, Any],
        folder: Path | None = None,
        failure: run.Raised | None = None,
    ) -> None:
        """`label`: what they are called as a whole. `folder`: where they lie; frames of exceptions
        are shown if they do, too."""
        self.label, self.functions, self.folder, self.failure = label, functions, folder, failure
        self.missing = ""  # why a function may be missing
        self.loaded: run.Loaded | None = None
        self._misconceptions: dict[str, Misconception | None] = {}  # of exercises found wrong
        self._failed: set[str] = set()  # exercises that some feedback has been given on
        self._right: defaultdict[str, Right] = defaultdict(Right)  # exercise -> what of it is right
        self._tried: set[tuple[str, str]] = set()  # (exercise, check) that it takes into account
        self._said: set[str] = set()

    @cached_property
    def source(self) -> str | None:
        """To be read for forbidden calls; None where there is none."""
        return None

    def judge(
        self,
        exercise: Exercise,
        check: Check,
        solution: Any,
        fixtures: Fixtures,
        seeds: Sequence[int | str] = (PUBLIC_SEED,),
    ) -> Judged:
        """Run one check. Raises `Undecided`, and what else is the kit's fault."""
        if self.failure is not None:
            text = feedback.does_not_import(self.label, self.failure)
            cause = self.failure.exception
            return Judged(Outcome.ERROR, text, said=self._is_said(text), cause=cause)
        implementation = self.functions.get(exercise.name)
        if implementation is None and (failed := self._why_missing(exercise.name)):
            text = feedback.not_defined(exercise.name, failed)
            said = self._is_said(f"{exercise.name} is missing")
            return Judged(Outcome.ERROR, text, said=said, cause=failed.raised.exception)
        if implementation is None:
            return Judged(Outcome.TODO, note=self.missing or "no such function")
        verdict = self._try(check, implementation, solution, fixtures, seeds)
        if verdict.outcome is Outcome.PASSED and not self._counts(
            exercise, implementation, solution, fixtures, seeds
        ):
            named = self._misconceptions.get(exercise.name)
            text = feedback.not_yet(check)
            return Judged(Outcome.WRONG, text, named, Verdict(Outcome.WRONG))
        if verdict.outcome in (Outcome.PASSED, Outcome.TODO):
            return Judged(verdict.outcome, verdict=verdict, note=verdict.remark)
        misconception = None
        if verdict.case is not None:  # it was run, and failed
            misconception = self._misconception(exercise, check, verdict.case, fixtures)
        if verdict.raised is not None:
            said = self._is_said(f"{exercise.name} raised {verdict.raised.text}")
            text = feedback.error(
                exercise.name, verdict.raised, verdict.case, solution, misconception
            )
        else:
            said = verdict.call is not None and self._is_said(f"{exercise.name}: {verdict.call}")
            text = feedback.wrong(check, verdict, solution, misconception)
        if not said and exercise.name not in self._failed:
            self._failed.add(exercise.name)
            text = feedback.first_failure(exercise, misconception, text)
        return Judged(verdict.outcome, text, misconception, verdict, said=said)

    def _why_missing(self, name: str) -> run.NotRun | None:
        return self.loaded.why_missing(name) if self.loaded is not None else None

    @property
    def remarks(self) -> list[str]:
        """What of the file did not run, a line each."""
        if self.loaded is None:
            return []
        stubs = [feedback.twice(two) for two in self.loaded.twice if two.other_is_stub]
        return [*map(feedback.failed, self.loaded.failed), *stubs]

    def _try(
        self,
        check: Check,
        implementation: Any,
        solution: Any,
        fixtures: Fixtures,
        seeds: Sequence[int | str],
    ) -> Verdict:
        asked: list[grade.Question] = []

        def noted() -> Iterator[grade.Question]:
            for question in self.questions(check, solution, seeds, fixtures):
                asked.append(question)
                yield question

        verdict = grade.grade(check, implementation, noted(), self.source, self.folder)
        self._tried.add((check.exercise, check.name))
        if verdict.outcome is Outcome.PASSED:
            self._right[check.exercise].add(check, asked)
        return verdict

    def _counts(
        self,
        exercise: Exercise,
        implementation: Any,
        solution: Any,
        fixtures: Fixtures,
        seeds: Sequence[int | str],
    ) -> bool:
        """Do the points of its checks? Those that may say so are run where they have not been, but
        for those that need the model in a run that does without it."""
        for other in exercise.checks:
            if self._right[exercise.name].counts:
                break
            is_new = (exercise.name, other.name) not in self._tried
            needs_model = "reference" in other.needs and not fixtures.loaded("reference")
            if is_new and is_of_the_result(other) and not needs_model:
                self._try(other, implementation, solution, fixtures, seeds)
        return self._right[exercise.name].counts

    def questions(
        self, check: Check, solution: Any, seeds: Sequence[int | str], fixtures: Fixtures
    ) -> Iterable[grade.Question]:
        return grade.questions(check, solution, seeds, fixtures)

    def _misconception(
        self, exercise: Exercise, failed_check: Check, failed: Case, fixtures: Fixtures
    ) -> Misconception | None:
        """What this exercise's mistake is called. All of its checks take part, but for those that
        need the model in a run that does without it."""
        if exercise.name not in self._misconceptions:
            implementation = self.functions[exercise.name]
            others = (
                (check, case)
                for check in exercise.checks
                if "reference" not in check.needs or fixtures.loaded("reference")
                for case in check.cases(PUBLIC_SEED, fixtures)
            )
            self._misconceptions[exercise.name] = name.misconception(
                exercise,
                chain([(failed_check, failed)], others),
                lambda check, case: grade.observation(check, implementation, case),
            )
        return self._misconceptions[exercise.name]

    def _is_said(self, text: str) -> bool:
        """From the second time on."""
        said = text in self._said
        self._said.add(text)
        return said


class AnswersFile(Answers):
    """A file of answers, run as a module when this is made."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name, {}, folder=path.parent)
        self.path = path
        if not path.exists():  # as if nothing were in it
            self.missing = "no such file"
            return
        try:
            with run.clean_state():
                self.loaded = run.load(path)
            self.functions = vars(self.loaded.module)
        except (OSError, SyntaxError, UnicodeDecodeError) as failure:
            self.failure = run.raised(failure, folder=path.parent)

    @cached_property
    def source(self) -> str | None:
        try:
            return importlib.util.decode_source(self.path.read_bytes())
        except (OSError, SyntaxError, UnicodeDecodeError):
            return None
