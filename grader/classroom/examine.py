"""What is asked of every submission, and how one lesson of one of them is graded in the sandbox.

The answers are held against the solution's here, outside of it. Everything that is the same for all
submissions - cases, requests, the solution's and the misconceptions' observations - is made once.
"""

from __future__ import annotations

import errno
import time
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.classroom.exams import ANSWER, LARGE, Asked, Exam, Exams, sent
from grader.classroom.sandbox import Ended, Failed, Patience, Sandbox, Turn
from grader.gradebook.rows import Result
from grader.inside import wire
from grader.inside.forbidden import Call
from grader.inside.plain import Pairs
from grader.inside.run import NotRun, Raised
from grader.intake.files import Source
from grader.intake.submissions import Submission
from grader.intake.words import listing
from grader.outcome import Outcome
from grader.statements import Twice
from grader.verdict import explain, feedback
from grader.verdict.counting import Right
from grader.verdict.exercise import Check
from grader.verdict.explain import Explanation, Seen
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
SKIPPED = 3  # statements of a file that may end a turn before the file is given up


@dataclass(frozen=True)
class Graded:
    results: list[Result]
    printed: str
    remarks: list[str]
    chosen: Source | None = None  # of several files of one lesson

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)


class Examiner:
    """Grades one submission, lesson by lesson, in one turn of the sandbox, and in another one after
    each exercise that ends it."""

    def __init__(self, sandbox: Sandbox, exams: Exams, submission: Submission) -> None:
        self.sandbox, self.exams, self.submission = sandbox, exams, submission

    def grade(self, chosen: Sequence[str]) -> Iterator[tuple[str, Graded]]:
        """Each lesson with what came of it. Raises `Failed` if the sandbox cannot be had."""
        doubtful = [lesson for lesson in chosen if lesson in self.submission.others]
        turns = _Turns(self.sandbox, self.submission)
        try:
            gradings = [
                _LessonGrading(turns, self.exams, lesson)
                for lesson in chosen
                if lesson not in doubtful
            ]
            for grading in gradings:  # all of them, before anything of any runs
                grading.read()
            for grading in gradings:
                yield grading.lesson, grading.grade()
        finally:
            turns.close()
        for lesson in doubtful:
            yield lesson, self._best(lesson)

    def _best(self, lesson: str) -> Graded:
        """Of several files of one lesson the one that scores most, the first of equals; all of
        them, where no exercise is in two."""
        files = [self.submission.lessons[lesson], *self.submission.others[lesson]]
        graded: list[Graded] = []
        for file in files:
            alone = self.submission.with_only(lesson, file)
            [(_, one)] = Examiner(self.sandbox, self.exams, alone).grade([lesson])
            graded.append(one)
            if one.points == sum(result.max_points for result in one.results):
                break  # no other one scores more
        if len(graded) > 1 and (parts := _together(graded)):
            remark = f"{listing(file.place for file in files)} are parts of one lesson: all count."
            return replace(parts, remarks=[remark, *parts.remarks])
        best = max(graded, key=lambda one: one.points)
        counts = files[graded.index(best)]
        rest = [file.place for file in files if file is not counts]
        are_equal = len(graded) > 1 and best.points == min(one.points for one in graded)
        why = "of equals" if are_equal else "it scores more"
        remark = f"{counts.place} counts ({why}), and not {listing(rest)}."
        return replace(best, remarks=[remark, *best.remarks], chosen=counts)


def _together(parts: Sequence[Graded]) -> Graded | None:
    """What they are as one; None if they have an exercise in common."""
    whose: dict[str, Graded] = {}
    for part in parts:
        for exercise in {r.exercise for r in part.results if r.outcome != Outcome.TODO.value}:
            if whose.setdefault(exercise, part) is not part:
                return None
    first = parts[0]
    return Graded(
        [
            result
            for name in dict.fromkeys(result.exercise for result in first.results)
            for result in whose.get(name, first).results
            if result.exercise == name
        ],
        "".join(part.printed for part in parts),
        [remark for part in parts for remark in part.remarks],
    )


class _CannotPutDown(Exception):
    """What there is to be put down of a submission does not go into the sandbox, which is well."""


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

    def begin(self) -> tuple[Turn, Patience]:
        """A turn for something that has seconds of its own, and how long to wait for it. Starting
        a server or a fork is not on its account.

        Raises `Ended`, `Failed`, `_CannotPutDown`."""
        wall = self.sandbox.setup.limits.wall
        if self._turn is None:
            lessons_ = {lesson: source.text for lesson, source in self.submission.lessons.items()}
            files = {**self.submission.helpers, **lessons_}
            if (problem := self._put_down(files)) is not None:
                if (worse := self._put_down({})) is not None:
                    raise Failed(worse)
                self.close()
                raise _CannotPutDown(problem)
        assert self._turn is not None
        self._turn.again()
        return self._turn, Patience(wall)

    def _put_down(self, files: dict[str, str]) -> str | None:
        """In a new turn. Why it does not work; None if it does. Nothing of a student's runs."""
        self._context = self.sandbox.turn()
        self._turn = self._context.__enter__()
        try:
            request = wire.encode({"do": "files", "files": files})
            wire.decode(self._turn.ask(request, Patience(self.sandbox.setup.limits.wall)))
        except (Ended, wire.Malformed) as problem:
            said = " ".join(self._turn.printed().split())[:300]
            self.close()
            return said or f"The sandbox failed: {problem}"
        return None

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
        self.place = Place(f"{lesson}.py", self.source.cells)
        submission = turns.submission
        texts = {**submission.helpers, **{x: s.text for x, s in submission.lessons.items()}}
        self.lines = {
            f"{name.rpartition('/')[2]}.py": text.count("\n") + 1 for name, text in texts.items()
        }
        self.at: int | None = None  # the line that its import has come to
        self.loaded_in = -1  # the turn in which the lesson has been run
        self.loaded = _Loaded()
        self.calls: dict[str, Call] = {}
        self.skip: dict[int, tuple[Outcome, str]] = {}  # line of a statement -> how it ended
        self.failure: tuple[Outcome, str] | None = None  # why none of it can be graded
        self.printed: list[str] = []

    def read(self) -> None:
        """Look for forbidden calls in the source."""
        forbids = {
            exam.exercise.name: sent(exam.exercise.forbids)
            for exam in self.exams.lessons[self.lesson]
            if exam.exercise.forbids
        }
        try:
            calls = self._ask(do="read", forbids=forbids)
        except Ended as end:
            self.failure = ended(end, f"reading {self.lesson}.py", self.turns.seconds)
            return
        self.calls = {
            call[0]: call[1]
            for call in _lists(calls)
            if len(call) == 2 and isinstance(call[0], str) and isinstance(call[1], Call)
        }

    def grade(self) -> Graded:
        results: list[Result] = []
        for exam in self.exams.lessons[self.lesson]:
            if self.failure is None and self.loaded_in != self.turns.number:
                self._load()
            if self.failure is not None:
                outcome, text = self.failure
                results += _all(exam, outcome, text if not results else AS_ABOVE)
            else:
                results += _ExerciseGrading(self, exam, _not_right(results)).grade()
            self._keep_printed(exam.exercise.name)
        return Graded(results, "".join(self.printed), self._remarks())

    def _remarks(self) -> list[str]:
        remarks = []
        for failed in self.loaded.failed:
            _, failed = self.judged(failed)
            remarks.append(feedback.failed(failed))
        for two in self.loaded.twice:
            remarks.append(feedback.twice(two, self.place.said))
        return remarks

    def _load(self) -> None:
        """Run the lesson's file in the present turn; again in another one, without the statement
        that ended it."""
        exercises = [exam.exercise.name for exam in self.exams.lessons[self.lesson]]
        while True:
            try:
                loaded = self._ask(do="load", skip=list(self.skip), exercises=exercises)
                self.loaded = _Loaded.of(loaded, exercises, self.place.file, self.lines)
                break
            except Ended as end:
                what = f"importing {self.lesson}.py"
                self.failure = ended(end, what, self.turns.seconds)
                if self.at is None or len(self.skip) == SKIPPED or self.at in self.skip:
                    break
                file, line = self.place.of(self.at)
                self.skip[self.at] = ended(end, feedback.place(line, file), self.turns.seconds)
                self.failure = None
        self.loaded_in = self.turns.number
        self._keep_printed("import")

    def _ask(self, **request: Any) -> Any:
        """The answer to something about the whole file; None where what comes is none, and
        `failure` is why. Before it come lines of statements, of which `at` is the last. Raises
        `Ended`."""
        frame = wire.encode({**request, "lesson": self.lesson, "cells": list(self.source.cells)})
        self.at = None
        try:
            turn, patience = self.turns.begin()
            answer = wire.decode(turn.ask(frame, patience), most=ANSWER)
            for _ in range(wire.MOST_LINES):
                if type(answer) is not int:
                    return answer
                self.at = answer if _is_line(answer, self.lines[self.place.file]) else None
                answer = wire.decode(turn.answer(patience), most=ANSWER)
            raise wire.Malformed("no end of lines")
        except Ended:
            self.turns.close()
            raise
        except wire.Malformed as problem:
            self.failure = Outcome.ERROR, _malformed(problem)
        except _CannotPutDown as problem:
            self.failure = Outcome.ERROR, f"Its files do not fit into the sandbox ({problem})."
        self.turns.close()
        return None

    def judged(self, failed: NotRun) -> tuple[Outcome, NotRun]:
        """What came of a statement, as it is to be said."""
        if failed.file != self.place.file:
            return outcome_of(failed.raised), failed
        outcome, raised = outcome_of(failed.raised), self.place.located(failed.raised)
        if failed.line in self.skip:
            outcome, text = self.skip[failed.line]
            raised = Raised(outcome.value, text)
        file, line = self.place.of(failed.line)
        return outcome, replace(failed, line=line, raised=raised, file=file)

    def _keep_printed(self, when: str) -> None:
        if text := self.turns.printed():
            self.printed.append(f"--- {when} ---\n{text.rstrip()}\n")


@dataclass(frozen=True)
class Place:
    """Where a student finds a line of a lesson's source: of a notebook by cell."""

    file: str
    cells: tuple[int, ...] = ()

    def of(self, line: int) -> tuple[str, int]:
        """(file or cell, the line in it)"""
        number = bisect_right(self.cells, line)
        return (f"code cell {number}", line - self.cells[number - 1] + 1) if number else (
            self.file, line
        )  # fmt: skip

    def said(self, line: int) -> str:
        file, line = self.of(line)
        return f"line {line}" if file == self.file else f"line {line} of {file}"

    def located(self, raised: Raised) -> Raised:
        if not self.cells:
            return raised
        frames = [
            replace(frame, file=file, line=line)
            for frame in raised.frames
            for file, line in [
                self.of(frame.line) if frame.file == self.file else (frame.file, frame.line)
            ]
        ]
        return replace(raised, frames=tuple(frames))

    def call(self, call: Call) -> str:
        return call.said(self.said(call.line)) if call.line else str(call)


@dataclass(frozen=True)
class _Loaded:
    """What a fork says of a file that it has run."""

    there: frozenset[str] = frozenset()
    untouched: frozenset[str] = frozenset()
    calls: dict[str, list[str]] = field(default_factory=dict)  # exercise -> others that it calls
    missing: dict[str, NotRun] = field(default_factory=dict)
    failed: tuple[NotRun, ...] = ()
    twice: tuple[Twice, ...] = ()

    @classmethod
    def of(
        cls, answer: Any, exercises: Sequence[str], own: str, lines: Mapping[str, int]
    ) -> _Loaded:
        """`own`: the file's name. `lines`: how many there are, by file."""
        if not isinstance(answer, Pairs):
            return cls()
        twice = [two for two in _lists(answer.get("twice")) if len(two) == 4]
        return cls(
            frozenset(name for name in exercises if name in _strings(answer.get("there"))),
            frozenset(name for name in exercises if name in _strings(answer.get("untouched"))),
            {
                one[0]: [name for name in exercises if name in _strings(one[1])]
                for one in _lists(answer.get("calls"))
                if len(one) == 2 and one[0] in exercises
            },
            {
                one[0]: failed
                for one in _lists(answer.get("missing"))
                if len(one) == 2 and one[0] in exercises and (failed := _failed(one[1], lines))
            },
            tuple(filter(None, (_failed(one, lines) for one in _lists(answer.get("failed"))))),
            tuple(
                Twice(name, counts, other, is_stub is True)
                for name, counts, other, is_stub in twice
                if name in exercises
                and _is_line(counts, lines[own])
                and _is_line(other, lines[own])
            ),
        )


def _is_line(value: Any, lines: int) -> bool:
    return type(value) is int and 0 < value <= lines


def _failed(value: Any, lines: Mapping[str, int]) -> NotRun | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    line, names, raised, file = value
    if type(file) is not str or not _is_line(line, lines.get(file, 0)):
        return None
    if not isinstance(raised, Raised):
        return None
    return NotRun(line, tuple(_strings(names)), raised, file)


class _ExerciseGrading:
    """The checks of one exercise, one after the other, all within the seconds of one exercise."""

    def __init__(self, lesson: _LessonGrading, exam: Exam, not_right: Collection[str]) -> None:
        """not_right: exercises that have been graded and do not pass."""
        self.lesson, self.exam, self.not_right = lesson, exam, not_right
        self.seconds = lesson.turns.seconds
        self.turn, self.patience = lesson.turns.begin()
        self.seen: dict[int, Any] = {}  # observations by case, so that none is made twice
        self.end: tuple[Outcome, str] | None = None  # why nothing more can be asked
        self.explained: tuple[list[Seen], Explanation | None] | None = None
        self.said: set[str] = set()
        self.said_more = False

    def grade(self) -> list[Result]:
        exercise, loaded = self.exam.exercise, self.lesson.loaded
        if exercise.name not in loaded.there:
            if failed := loaded.missing.get(exercise.name):
                outcome, failed = self.lesson.judged(failed)
                return _all(self.exam, outcome, feedback.not_defined(exercise.name, failed))
            why = f"{self.lesson.lesson}.py has no function {exercise.name!r}."
            return _all(self.exam, Outcome.TODO, why)
        if exercise.name in loaded.untouched:
            return _all(self.exam, Outcome.TODO)
        if call := self.lesson.calls.get(exercise.name):
            return _all(self.exam, Outcome.WRONG, self.lesson.place.call(call))
        # All verdicts come first: what is run to explain a wrong one takes time.
        came = [self._timed(check, asked) for check, asked in self.exam.checks]
        results = []
        for (check, _), (found, end, seconds) in zip(self.exam.checks, came, strict=True):
            try:
                outcome, text, named = self._said(check, found, end)
            except Exception as fault:  # of what came back, and not of the grader
                outcome, named = Outcome.ERROR, None
                text = f"What came back cannot be looked at ({type(fault).__name__})."
            if text:
                text = AS_ABOVE if text in self.said else text
                self.said.add(text)
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
        named = self.explanation.name if self.explanation else ""
        return [
            replace(r, outcome="wrong", points=0, misconception=named, feedback=feedback.not_yet(c))
            if r.outcome == passed
            else r
            for (c, _), r in zip(self.exam.checks, results, strict=True)
        ]

    def _timed(
        self, check: Check, asked: list[Asked]
    ) -> tuple[Verdict | Exception | None, tuple[Outcome, str] | None, float]:
        """The verdict, or how the turn ended instead, and seconds."""
        begun, was_over = time.monotonic(), self.end is not None
        found: Verdict | Exception | None = None
        try:
            if not was_over:
                found = verdict(check, ((asks, self._observe(asks)) for asks in asked))
        except _Over:
            pass
        except Exception as fault:  # of what came back, and not of the grader
            found = fault
        seconds = time.monotonic() - begun
        if found is None and self.end is not None and self.end[0] is Outcome.TIMEOUT:
            seconds = 0.0 if was_over else self.seconds
        return found, self.end if found is None else None, seconds

    def _said(
        self,
        check: Check,
        found: Verdict | Exception | None,
        end: tuple[Outcome, str] | None,
    ) -> tuple[Outcome, str, Explanation | None]:
        """Outcome, feedback, and why. Raises what the check could not be judged for."""
        if isinstance(found, Exception):
            raise found
        if found is None:
            assert end is not None
            return (*end, None)
        if found.call is not None:
            return Outcome.WRONG, self.lesson.place.call(found.call), None
        if found.case is None:
            return found.outcome, f"With a remark: {found.remark}." if found.remark else "", None
        if self.explained is None:
            self.explained = self._explain()
        seen, explanation = self.explained
        found = explain.shown(check, found, seen, explanation)
        outcome = found.outcome
        if isinstance(found.raised, Raised):
            outcome = outcome_of(found.raised)
        return outcome, self._feedback(check, found, outcome), explanation

    @property
    def explanation(self) -> Explanation | None:
        return self.explained[1] if self.explained is not None else None

    def _feedback(self, check: Check, found: Verdict, outcome: Outcome) -> str:
        exercise, named, solution = self.exam.exercise, self.explanation, self.exam.solution
        if found.raised is not None:
            key = f"{exercise.name} raised {found.raised.text}"
            if key in self.said:
                return AS_ABOVE
            self.said.add(key)
            raised = self.lesson.place.located(found.raised)
            text = feedback.error(exercise.name, raised, check, found, solution, named)
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
                frame = self.turn.ask(question.request, self.patience)
                # What is equal to the byte need not be read.
                is_right = frame == question.expected_frame
                seen = question.expected if is_right else wire.decode(frame, most=question.most)
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

    def _explain(self) -> tuple[list[Seen], Explanation | None]:
        """What the answer does on all public cases, or as many as there is time for, and why."""
        seen = []
        try:
            for check, asked in self.exam.checks:
                for question in asked[: self.exam.public[check.name]]:
                    observed = self._observe(question)
                    if not isinstance(observed, Call):
                        seen.append(Seen.of(check, question, observed))
        except _Over:  # the check that failed has its verdict; those to come have none
            pass
        if not any(one.is_wrong for one in seen):  # only hidden cases fail
            return seen, None
        known = self.lesson.exams.misconceptions
        explanation = explain.explanation(self.exam.exercise, seen, known)
        for helper in self.lesson.loaded.calls.get(self.exam.exercise.name, []):
            if helper in self.not_right:
                # There is no solution in the sandbox to put in its place, to see what is left.
                return seen, explain.begin_with(helper, explanation, seen)
        return seen, explanation


def _not_right(results: Sequence[Result]) -> set[str]:
    done = (Outcome.PASSED.value, Outcome.TODO.value)
    return {result.exercise for result in results if result.outcome not in done}


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


def _lists(value: Any) -> list[list[Any]]:
    return [x for x in value if isinstance(x, list)] if isinstance(value, list) else []
