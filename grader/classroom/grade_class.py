"""Grade a class: every submission through the sandbox, every result into the gradebook at once.

Submissions are read and results written in one thread; each job has a thread that waits for its
sandbox. Only what is being graded is held in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from grader import lessons
from grader.classroom import fingerprint
from grader.classroom.jobs import Done, Jobs, Work
from grader.classroom.order import Order
from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Conditions
from grader.inside import reference
from grader.intake.reader import Reader
from grader.intake.submissions import Submission
from grader.intake.words import Refused, clean
from grader.versions import installed

if TYPE_CHECKING:
    from grader.intake.classes import Class, Entry

COMPUTES = ("torch", "transformers", "transformer-lens")
AHEAD = 32  # submissions that are looked at to learn which lessons there are


@dataclass
class Tally:
    """How far it is."""

    submissions: int = 0  # in the class
    finished: int = 0
    unchanged: int = 0  # of the finished ones: nothing had to be graded again
    refused: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)  # of checks graded in this run
    faults: list[str] = field(default_factory=list)


class Classroom:
    def __init__(self, order: Order, gradebook: Gradebook) -> None:
        """Raises `Refused` where there is no class, and `Unavailable` for the reference."""
        self.order, self.gradebook = order, gradebook
        self.all_lessons = lessons.names()  # all are read, whichever of them are graded
        self.reader = Reader()
        self.found: Class = order.found or self.reader.find(order.folder, self.all_lessons)
        self.checkpoint = reference.find(order.reference)
        self.tally = Tally(len(self.found.entries))
        self._fingerprint = fingerprint.of_checkpoint(self.checkpoint.folder)

    def grade(self, report: Callable[[str], None]) -> None:
        """Grade whatever has changed. `report` is told, now and then, what is going on.

        Raises Unusable, Unavailable, CannotIsolate's and the sandbox's `Failed`, and whatever
        making the cases raises. What was graded until then is kept.
        """
        with self.reader:
            self._grade(report)

    def _grade(self, report: Callable[[str], None]) -> None:
        order = self.order
        isolation = f"bubblewrap {order.walls.version}" if order.walls else "none"
        conditions = Conditions(
            installed("gpt2-exercise-kit"), self.checkpoint.name, self._fingerprint, order.device,
            ("0", *order.hidden_seeds), isolation, order.limits.seconds, versions(),
        )  # fmt: skip
        self._run = self.gradebook.begin_run(conditions, str(order.folder), self.found.layout)
        work = self._work()
        ahead = deque(islice(work, AHEAD))
        asked: set[str] = set()
        while ahead:  # nothing is imported where nothing is to be graded
            asked.update(*(one.lessons for one in ahead))
            report("warming up")
            chosen = [lesson for lesson in order.lessons if lesson in asked]
            with Jobs(order, chosen, self.checkpoint.folder, self.tally.submissions) as jobs:
                self._exchange(jobs, ahead, work, report)
        if not self.tally.faults:
            self.gradebook.end_run(self._run)

    def _exchange(
        self, jobs: Jobs, ahead: deque[Work], rest: Iterator[Work], report: Callable[[str], None]
    ) -> None:
        """Until all is done, or something is asked for that these jobs were not made for."""
        while jobs.busy or (ahead and jobs.are_for(ahead[0])):
            report("grading")
            while ahead and jobs.are_for(ahead[0]) and jobs.give(ahead[0]):
                ahead.popleft()
                ahead.extend(islice(rest, 1))
            for done in jobs.results():
                self._record(done)

    def _record(self, done: Done) -> None:
        tally, work = self.tally, done.work
        if done.fault:
            tally.faults.append(f"{work.student}: {done.fault}")
        if done.finished:
            tally.finished += 1
        if done.graded is not None:
            graded, key = done.graded, self._key(work.submission, done.lesson)
            if graded.chosen is not None:
                self.gradebook.choose(work.number, f"{done.lesson}.py", graded.chosen.text)
            self.gradebook.record(
                self._run, work.number, work.student, done.lesson, key, graded.results,
                graded.printed, graded.remarks,
            )  # fmt: skip
            for result in graded.results:
                tally.outcomes[result.outcome] = tally.outcomes.get(result.outcome, 0) + 1

    def _work(self) -> Iterator[Work]:
        """Read the class, put down who handed in what, and give what is to be graded."""
        for entry in self.found.entries:
            for path in entry.earlier:
                self._add(entry, (path,), counts=False)
            number, submission = self._add(entry, entry.paths, counts=True)
            if submission is None:
                self.tally.refused += 1
                self.tally.finished += 1
                continue
            due = tuple(
                lesson
                for lesson in submission.lessons
                if lesson in self.order.lessons
                and (
                    self.order.regrade
                    or not self.gradebook.is_graded(
                        entry.student, lesson, self._key(submission, lesson)
                    )
                )
            )
            if due:
                yield Work(entry.student, number, submission, due)
            else:
                self.tally.unchanged += 1
                self.tally.finished += 1

    def _add(
        self, entry: Entry, paths: tuple[Path, ...], counts: bool
    ) -> tuple[int, Submission | None]:
        origin = ", ".join(clean(path.name) for path in paths)
        time, by = entry.submitted(paths)
        try:
            submission = self.reader.read(paths, self.all_lessons)
        except Refused as problem:
            number = self.gradebook.add_submission(
                self._run, entry.student, "", {}, origin, counts, (), str(problem), time, by
            )
            return number, None
        files = {
            f"{name} ({source.place})": source.text
            for name, sources in submission.others.items()
            for source in sources
        }
        files |= {f"{name}.py": source.text for name, source in submission.lessons.items()}
        files |= {f"{name}.py": text for name, text in submission.helpers.items()}
        number = self.gradebook.add_submission(
            self._run, entry.student, submission.digest, files, origin, counts, submission.remarks,
            submitted=time, submitted_by=by,
        )  # fmt: skip
        return number, submission

    def _key(self, submission: Submission, lesson: str) -> str:
        """Equal for gradings that would come out the same."""
        order = self.order
        parts = [
            submission.digest, fingerprint.of_kit(lesson), self._fingerprint,
            list(order.hidden_seeds), order.device, order.limits.seconds, bool(order.walls),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def versions() -> str:
    """Of what computes: another one may round in another way."""
    return ", ".join(f"{package} {installed(package)}" for package in COMPUTES)
