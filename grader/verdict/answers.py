"""A student's functions as they are judged in this process: by `pytest exercises`, in a notebook
and by `grader watch`, in the same words."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from grader.inside import run
from grader.inside.fixtures import Fixtures
from grader.outcome import Outcome
from grader.verdict import explain, feedback, grade, load
from grader.verdict.counting import Right, is_of_the_result
from grader.verdict.exercise import PUBLIC_SEED, Check, Exercise
from grader.verdict.explain import Explanation, Seen
from grader.verdict.grade import Verdict
from grader.verdict.recorded import Recorded


@dataclass(frozen=True)
class Judged:
    """What came of one check."""

    outcome: Outcome
    feedback: str = ""
    explanation: Explanation | None = None
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
        self._explained: dict[str, tuple[list[Seen], Explanation | None]] = {}  # of wrong exercises
        self._failed: set[str] = set()  # exercises that some feedback has been given on
        self._right: defaultdict[str, Right] = defaultdict(Right)  # exercise -> what of it is right
        self._tried: set[tuple[str, str]] = set()  # (exercise, check) that it takes into account
        self.misconceptions = explain.Misconceptions()
        self._wrong: dict[str, bool] = {}  # of exercises that others call
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
            _, explained = self._explained.get(exercise.name, ([], None))
            text = feedback.not_yet(check)
            return Judged(Outcome.WRONG, text, explained, Verdict(Outcome.WRONG))
        if verdict.outcome in (Outcome.PASSED, Outcome.TODO):
            return Judged(verdict.outcome, verdict=verdict, note=verdict.remark)
        explained = None
        if verdict.case is not None:  # it was run, and failed
            seen, explained = self._explain(exercise, solution, fixtures)
            verdict = explain.shown(check, verdict, seen, explained)
        if verdict.raised is not None:
            said = self._is_said(f"{exercise.name} raised {verdict.raised.text}")
            text = feedback.error(
                exercise.name, verdict.raised, check, verdict, solution, explained
            )
        else:
            said = verdict.call is not None and self._is_said(f"{exercise.name}: {verdict.call}")
            text = feedback.wrong(check, verdict, solution, explained)
        if not said and exercise.name not in self._failed:
            self._failed.add(exercise.name)
            text = feedback.first_failure(exercise, explained, text)
        return Judged(verdict.outcome, text, explained, verdict, said=said)

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

    def _explain(
        self, exercise: Exercise, solution: Any, fixtures: Fixtures
    ) -> tuple[list[Seen], Explanation | None]:
        """What this exercise's answer does on all public cases, and why. All checks take part, but
        for those that need the model in a run that does without it."""
        if exercise.name not in self._explained:
            implementation = self.functions[exercise.name]
            see = partial(self._see, exercise, implementation, solution, fixtures)
            seen = see()
            explained = explain.explanation(exercise, seen, self.misconceptions)
            wrong = self._wrong_helpers(exercise, implementation, fixtures)
            if any(isinstance(solved, Recorded) for solved in wrong.values()):
                explained = explain.begin_with(next(iter(wrong)), explained, seen)
            elif wrong:
                with run.replaced(implementation, wrong):
                    mended = see()
                explained = self._beside(next(iter(wrong)), exercise, seen, mended, explained)
            self._explained[exercise.name] = seen, explained
        return self._explained[exercise.name]

    def _see(
        self, exercise: Exercise, implementation: Any, solution: Any, fixtures: Fixtures
    ) -> list[Seen]:
        return [
            Seen.of(check, asked, self._observe(check, implementation, asked))
            for check in exercise.checks
            if "reference" not in check.needs or fixtures.loaded("reference")
            for asked in self.questions(check, solution, [PUBLIC_SEED], fixtures)
        ]

    def _wrong_helpers(
        self, exercise: Exercise, implementation: Any, fixtures: Fixtures
    ) -> dict[str, Any]:
        """Earlier exercises that it calls and that are wrong, with their solutions."""
        lesson = load.lesson_of(exercise.name)
        earlier = {e.name: e for e in takewhile(lambda e: e != exercise, load.exercises(lesson))}
        called = run.called(implementation, list(earlier))
        solved = {name: getattr(load.solution(lesson), name) for name in called}
        for name in called:
            if name not in self._wrong:
                seen = self._see(earlier[name], called[name], solved[name], fixtures)
                self._wrong[name] = any(one.is_wrong and not one.is_todo for one in seen)
        return {name: solution for name, solution in solved.items() if self._wrong[name]}

    def _beside(
        self,
        helper: str,
        exercise: Exercise,
        seen: list[Seen],
        mended: list[Seen],
        explained: Explanation | None,
    ) -> Explanation | None:
        """What is left to explain of what it does with solutions in place of wrong helpers."""
        if not any(one.is_wrong for one in mended):
            return explain.begin_with(helper, None, seen)
        if all(explain.same(a.observed, b.observed) for a, b in zip(seen, mended, strict=True)):
            return explained  # it is not the helpers' fault
        left = explain.explanation(exercise, mended, self.misconceptions)
        return explain.begin_with(helper, left, seen)

    def _observe(self, check: Check, implementation: Any, asked: grade.Question) -> Any:
        args, kwargs = asked.case.arguments()
        return run.observation(check.observe, implementation, args, kwargs, folder=self.folder)

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
