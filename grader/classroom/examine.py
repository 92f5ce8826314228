"""What is asked of every submission, and how one lesson of one of them is graded in the sandbox.

The answers are held against the solution's here, outside of it. Everything that is the same for all
submissions - cases, requests, the solution's and the misconceptions' observations - is made once.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.classroom.exams import LARGE, Asked, Exam, Exams, sent
from grader.classroom.sandbox import Ended, Failed, Sandbox, Turn
from grader.gradebook.rows import Result
from grader.inside import wire
from grader.inside.forbidden import Call
from grader.inside.run import Raised
from grader.intake.submissions import Submission
from grader.outcome import Outcome
from grader.verdict import feedback, name
from grader.verdict.counting import Right
from grader.verdict.exercise import Case, Check, Misconception
from grader.verdict.grade import Verdict, verdict

# What the sandbox answers where something is not allowed or used up there.
BLOCKED = {
    errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EFBIG, errno.EMFILE, errno.EAGAIN,
    errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EAFNOSUPPORT, errno.ENODEV,
}  # fmt: skip
WALLS = (
    "Answers are graded without a network, in a file system that is read-only but for a small "
    "/tmp, with few processes."
)
AS_ABOVE = "The same as above."


@dataclass(frozen=True)
class Graded:
    results: list[Result]
    printed: str
    remarks: list[str]


class Examiner:
    """Grades one submission, lesson by lesson, in one turn of the sandbox, and in another one after
    each exercise that ends it."""

    def __init__(self, sandbox: Sandbox, exams: Exams, submission: Submission) -> None:
        self.exams = exams
        self.turns = _Turns(sandbox, submission)

    def grade(self, chosen: Sequence[str]) -> Iterator[tuple[str, Graded]]:
        """Each lesson with what came of it. Raises `Failed` if the sandbox cannot be had."""
        try:
            gradings = [_LessonGrading(self.turns, self.exams, lesson) for lesson in chosen]
            for grading in gradings:  # all of them, before anything of any runs
                grading.read()
            for grading in gradings:
                yield grading.lesson, grading.grade()
        finally:
            self.turns.close()


class _Turns:
    """The present turn, begun when one is needed, with the submission's files put down."""

    def __init__(self, sandbox: Sandbox, submission: Submission) -> None:
        self.sandbox, self.submission = sandbox, submission
        self.number = 0
        self._printed = ""
        self._context: Any = None
        self._turn: Turn | None = None

    @property
    def seconds(self) -> float:
        return self.sandbox.setup.limits.seconds

    def begin(self) -> tuple[Turn, float]:
        """A turn for something that has seconds of its own, and until when, on the clock. Starting
        a server or a fork is not on its account.

        Raises `Ended`, `Failed`."""
        wall = self.sandbox.setup.limits.wall
        if self._turn is None:
            self._context = self.sandbox.turn()
            self._turn = self._context.__enter__()
            lessons_ = {lesson: source.text for lesson, source in self.submission.lessons.items()}
            request = {"do": "files", "files": {**self.submission.helpers, **lessons_}}
            try:
                self._turn.ask(wire.encode(request), time.monotonic() + wall)
            except (Ended, wire.Malformed) as problem:
                # Nothing of the student's has run yet: this is no fault of theirs.
                said = " ".join(self._turn.printed().split())[:300]
                self.close()
                raise Failed(said or f"The sandbox failed: {problem}") from None
        self._turn.again()
        return self._turn, time.monotonic() + wall

    def close(self) -> None:
        """End the present turn; the next exercise gets another one."""
        if self._turn is not None:
            self._printed += self._turn.printed()
            context, self._turn = self._context, None
            self.number += 1
            context.__exit__(None, None, None)

    def printed(self) -> str:
        """What was printed since this was last called."""
        if self._turn is not None:
            self._printed += self._turn.printed()
        printed, self._printed = self._printed, ""
        return printed


class _LessonGrading:
    def __init__(self, turns: _Turns, exams: Exams, lesson: str) -> None:
        self.turns, self.exams, self.lesson = turns, exams, lesson
        self.source = turns.submission.lessons[lesson]
        self.loaded_in = -1  # the turn in which the lesson has been run
        self.loaded: dict[str, Any] = {}
        self.calls: dict[str, Call] = {}
        self.failure: tuple[Outcome, str] | None = None  # why none of it can be graded
        self.printed: list[str] = []

    def read(self) -> None:
        """Look for forbidden calls in the source."""
        forbids = {
            exam.exercise.name: sent(exam.exercise.forbids)
            for exam in self.exams.lessons[self.lesson]
            if exam.exercise.forbids
        }
        calls = self._ask(do="read", forbids=forbids)
        self.calls = {name: call for name, call in calls.items() if isinstance(call, Call)}

    def grade(self) -> Graded:
        results: list[Result] = []
        for exam in self.exams.lessons[self.lesson]:
            if self.failure is None and self.loaded_in != self.turns.number:
                self._load()
            if self.failure is not None:
                outcome, text = self.failure
                results += _all(exam, outcome, text if not results else AS_ABOVE)
            else:
                results += _ExerciseGrading(self, exam).grade()
            self._keep_printed(exam.exercise.name)
        remarks = [r[:300] for r in _strings(self.loaded.get("remarks"))]
        return Graded(results, "".join(self.printed), remarks)

    def _load(self) -> None:
        """Run the lesson's file in the present turn."""
        self.loaded = self._ask(do="load")
        self.loaded_in = self.turns.number
        failed = self.loaded.get("failed")
        if isinstance(failed, Raised):
            text = feedback.does_not_import(f"{self.lesson}.py", failed)
            self.failure = outcome_of(failed), text
        self._keep_printed("import")

    def _ask(self, **request: Any) -> dict[str, Any]:
        """The answer to something about the whole file; where none comes, `failure` is why."""
        frame = wire.encode({**request, "lesson": self.lesson, "cells": list(self.source.cells)})
        try:
            turn, until = self.turns.begin()
            return _dict(wire.decode(turn.ask(frame, until)))
        except Ended as end:
            self.failure = ended(end, f"importing {self.lesson}.py", self.turns.seconds)
        except wire.Malformed as problem:
            self.failure = Outcome.ERROR, _malformed(problem)
        self.turns.close()
        return {}

    def _keep_printed(self, when: str) -> None:
        if text := self.turns.printed():
            self.printed.append(f"--- {when} ---\n{text.rstrip()}\n")


class _ExerciseGrading:
    """The checks of one exercise, one after the other, all within the seconds of one exercise."""

    def __init__(self, lesson: _LessonGrading, exam: Exam) -> None:
        self.lesson, self.exam = lesson, exam
        self.seconds = lesson.turns.seconds
        self.turn, self.until = lesson.turns.begin()
        self.seen: dict[int, Any] = {}  # observations by case, so that none is made twice
        self.end: tuple[Outcome, str] | None = None  # why nothing more can be asked
        self.misconception: Misconception | None = None
        self.said: set[str] = set()
        self.said_more = False

    def grade(self) -> list[Result]:
        exercise, loaded = self.exam.exercise, self.lesson.loaded
        if exercise.name not in _strings(loaded.get("names")):
            why = f"{self.lesson.lesson}.py has no function {exercise.name!r}."
            return _all(self.exam, Outcome.TODO, why)
        if exercise.name in _strings(loaded.get("untouched")):
            return _all(self.exam, Outcome.TODO)
        if call := self.lesson.calls.get(exercise.name):
            return _all(self.exam, Outcome.WRONG, str(call))
        results = []
        for check, asked in self.exam.checks:
            begun, was_over = time.monotonic(), self.end is not None
            outcome, text, named = self._check(check, asked)
            if text:
                text = AS_ABOVE if text in self.said else text
                self.said.add(text)
            seconds = time.monotonic() - begun
            if outcome is Outcome.TIMEOUT:
                seconds = 0.0 if was_over else self.seconds
            points = check.points if outcome is Outcome.PASSED else 0
            results.append(
                Result(
                    exercise.name, check.name, outcome.value, points, check.points,
                    named.name if named else "", text, seconds,
                )
            )  # fmt: skip
        if self.end is not None:
            self.lesson.turns.close()
        return self._counted(results)

    def _counted(self, results: list[Result]) -> list[Result]:
        """By `grader.verdict.counting`."""
        right, passed = Right(), Outcome.PASSED.value
        for (check, asked), result in zip(self.exam.checks, results, strict=True):
            if result.outcome == passed:
                right.add(check, asked)
        if right.counts:
            return results
        named = self.misconception.name if self.misconception else ""
        return [
            replace(r, outcome="wrong", points=0, misconception=named, feedback=feedback.not_yet(c))
            if r.outcome == passed
            else r
            for (c, _), r in zip(self.exam.checks, results, strict=True)
        ]

    def _check(self, check: Check, asked: list[Asked]) -> tuple[Outcome, str, Misconception | None]:
        if self.end is not None:
            return (*self.end, None)
        try:
            found = verdict(check, ((question, self._observe(question)) for question in asked))
        except _Over:
            assert self.end is not None
            return (*self.end, None)
        if found.call is not None:
            return Outcome.WRONG, str(found.call), None
        if found.case is None:
            return found.outcome, f"With a remark: {found.remark}." if found.remark else "", None
        outcome = found.outcome
        if isinstance(found.raised, Raised):
            outcome = outcome_of(found.raised)
        if not self.said_more:
            self.misconception = self._name(check, found.case)
        return outcome, self._feedback(check, found, outcome), self.misconception

    def _feedback(self, check: Check, found: Verdict, outcome: Outcome) -> str:
        exercise, named, solution = self.exam.exercise, self.misconception, self.exam.solution
        if found.raised is not None:
            key = f"{exercise.name} raised {found.raised.text}"
            if key in self.said:
                return AS_ABOVE
            self.said.add(key)
            text = feedback.error(exercise.name, found.raised, found.case, solution, named)
            if outcome is Outcome.BLOCKED:
                text += f"\n\n{WALLS}"
        else:
            text = feedback.wrong(check, found, solution, named)
        if not self.said_more:
            self.said_more = True
            text = feedback.first_failure(exercise, named, text)
        return text

    def _observe(self, question: Asked) -> Any:
        """Raises `_Over`."""
        key = id(question.case)
        if key not in self.seen:
            try:
                frame = self.turn.ask(question.request, self.until)
                # What is equal to the byte need not be read.
                is_right = frame == question.expected_frame
                seen = question.expected if is_right else wire.decode(frame)
                if len(frame) > LARGE and not is_right:  # many of them would be more than there is
                    return seen
                self.seen[key] = seen
            except Ended as end:
                self.end = ended(end, self.exam.exercise.name, self.seconds)
                raise _Over from None
            except wire.Malformed as problem:
                self.end = Outcome.ERROR, _malformed(problem)
                raise _Over from None
        return self.seen[key]

    def _name(self, failed_check: Check, failed: Case) -> Misconception | None:
        """As `pytest exercises` does: on the case that failed, and on all public ones."""
        asked = {id(q.case): q for _, questions in self.exam.checks for q in questions}
        cases = [(failed_check, failed)] + [
            (check, q.case)
            for check, questions in self.exam.checks
            for q in questions[: self.exam.public[check.name]]
        ]
        try:
            return name.misconception(
                self.exam.exercise,
                cases,
                lambda check, case: self._observe(asked[id(case)]),
                self.lesson.exams.observe_known,
            )
        except _Over:  # the check that failed has its verdict; those to come have none
            return None


class _Over(Exception):
    """Nothing more can be asked in this turn; `end` says why."""


def _all(exam: Exam, outcome: Outcome, text: str = "") -> list[Result]:
    return [
        Result(
            exam.exercise.name, check.name, outcome.value, 0, check.points,
            feedback=text if i == 0 else AS_ABOVE if text else "",
        )
        for i, (check, _) in enumerate(exam.checks)
    ]  # fmt: skip


def outcome_of(raised: Raised) -> Outcome:
    if raised.is_todo:
        return Outcome.TODO
    if (
        raised.kind == "MemoryError"
        or raised.errno == errno.ENOMEM
        or "DefaultCPUAllocator" in raised.text
    ):
        return Outcome.MEMORY
    # Below zero: a name that no server could be asked about.
    if raised.errno is not None and (raised.errno in BLOCKED or raised.errno < 0):
        return Outcome.BLOCKED
    if "can't start new thread" in raised.text:
        return Outcome.BLOCKED
    return Outcome.ERROR


def ended(end: Ended, what: str, seconds: float) -> tuple[Outcome, str]:
    """Outcome and feedback where no answer came."""
    if end.reason in ("timeout", "cpu"):
        says = (
            f"{what} did not end in time: {seconds:g} seconds of work, or three times that of "
            "waiting. Is there a loop that never ends?"
        )
        return Outcome.TIMEOUT, says
    if end.reason in ("memory", "gone"):
        return Outcome.MEMORY, f"{what} took more memory than there is for one answer."
    return Outcome.ERROR, f"No answer came from {what}: {end}."


def _malformed(problem: wire.Malformed) -> str:
    return f"What came back is no answer ({problem})."


def _strings(value: Any) -> list[str]:
    return [x for x in value if isinstance(x, str)] if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
