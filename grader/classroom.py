"""Grade a class: every submission through the sandbox, every result into the gradebook at once.

Submissions are read and results written in one thread; each job has a thread that waits for its
sandbox. Only what is being graded is held in memory.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import classes, lessons, reference, submissions
from grader.gradebook import Conditions, Gradebook
from grader.submissions import Refused, Submission

if TYPE_CHECKING:
    from grader.classes import Class, Entry
    from grader.confine import Limits
    from grader.examine import Exams, Graded
    from grader.isolation import Bubblewrap

HERE = Path(__file__).parent
SOLUTIONS = HERE.parent / "solutions"
AHEAD = 32  # submissions that are looked at to learn which lessons there are
FAILURES = 3  # of the sandbox, one after the other, before a job gives up


@dataclass(frozen=True)
class Order:
    """What `grader grade` was asked to do."""

    folder: Path
    lessons: Sequence[str]
    gradebook: Path
    jobs: int
    hidden_seeds: Sequence[str]
    reference: str
    device: str
    limits: Limits
    regrade: bool
    walls: Bubblewrap | None
    secrets: Sequence[Path] = ()
    found: Class | None = None  # who handed in what, where somebody knows already


@dataclass(frozen=True)
class Work:
    """A submission and those of its lessons that are to be graded."""

    student: str
    number: int  # in the gradebook
    submission: Submission
    lessons: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """Something that a job has to say of a piece of work."""

    work: Work
    lesson: str = ""
    graded: Graded | None = None
    fault: str = ""  # of the kit's own, or of the sandbox
    finished: bool = False


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
        self.found: Class = order.found or classes.find(order.folder, self.all_lessons)
        self.checkpoint = reference.find(order.reference)
        self.tally = Tally(len(self.found.entries))
        self._fingerprint = fingerprint(self.checkpoint.folder)

    def grade(self, report: Callable[[str], None]) -> None:
        """Grade whatever has changed. `report` is told, now and then, what is going on.

        Raises Unusable, Unavailable, CannotIsolate's and the sandbox's `Failed`, and whatever
        making the cases raises. What was graded until then is kept.
        """
        order = self.order
        isolation = f"bubblewrap {order.walls.version}" if order.walls else "none"
        conditions = Conditions(
            _version("gpt2-exercise-kit"), self.checkpoint.name, self._fingerprint, order.device,
            ("0", *order.hidden_seeds), isolation, order.limits.seconds,
        )  # fmt: skip
        self._run = self.gradebook.begin_run(conditions, str(order.folder), self.found.layout)
        work = self._work()
        ahead = deque(islice(work, AHEAD))
        asked: set[str] = set()
        while ahead:  # nothing is imported where nothing is to be graded
            asked.update(*(one.lessons for one in ahead))
            report("warming up")
            chosen = [lesson for lesson in order.lessons if lesson in asked]
            with _Jobs(order, chosen, self.checkpoint.folder, self.tally.submissions) as jobs:
                self._exchange(jobs, ahead, work, report)
        if not self.tally.faults:
            self.gradebook.end_run(self._run)

    def _exchange(
        self, jobs: _Jobs, ahead: deque[Work], rest: Iterator[Work], report: Callable[[str], None]
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
        origin = ", ".join(submissions.clean(path.name) for path in paths)
        time, by = entry.submitted(paths)
        try:
            submission = submissions.read(paths, self.all_lessons)
        except Refused as problem:
            number = self.gradebook.add_submission(
                self._run, entry.student, "", {}, origin, counts, (), str(problem), time, by
            )
            return number, None
        files = {f"{name}.py": source.text for name, source in submission.lessons.items()}
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
            submission.digest, kit_fingerprint(lesson), self._fingerprint, list(order.hidden_seeds),
            order.device, order.limits.seconds, bool(order.walls),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


# --- Jobs ----------------------------------------------------------------------------------------


class _Jobs:
    """Threads that grade, each in a sandbox of its own."""

    def __init__(self, order: Order, chosen: Sequence[str], checkpoint: Path, most: int) -> None:
        """`chosen`: the lessons that are asked about; what the others need is not loaded."""
        import torch

        from grader import remember, sandbox, show
        from grader.examine import Exams
        from grader.fixtures import Fixtures

        if order.device == "cpu":
            reference.use_only("cpu")
        show.fix_width()  # what is kept must not depend on the terminal
        torch.set_num_threads(1)  # the processors are the sandboxes'
        fixtures = Fixtures(order.reference, order.device)
        needs = _needs(chosen)
        passes = None
        if "reference" in needs:
            passes = remember.Passes(fixtures.reference)
        self.exams: Exams = Exams(chosen, fixtures, order.hidden_seeds)
        n = max(1, min(order.jobs, most))
        setup = sandbox.Setup(
            order.walls, checkpoint, order.device, sorted(needs),
            passes.inputs if passes is not None else [], self.exams.large, order.secrets,
            order.limits, sum(len(exams) + 1 for exams in self.exams.lessons.values()),
        )  # fmt: skip
        self._sandboxes = [sandbox.Sandbox(setup, job, n) for job in range(n)]
        self._to_do: queue.Queue[Work | None] = queue.Queue(maxsize=n)
        self._done: queue.Queue[Done] = queue.Queue(maxsize=4 * n)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(box,), daemon=True) for box in self._sandboxes
        ]
        self._given = 0
        self._broken: Exception | None = None

    def __enter__(self) -> _Jobs:
        try:
            for thread in self._threads[1:]:
                thread.start()
            self._sandboxes[0].start()  # what is wrong with all of them is said once, and at once
            self._threads[0].start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        for box in self._sandboxes:
            box.kill()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)
        for box in self._sandboxes:
            box.close()

    @property
    def busy(self) -> bool:
        return self._given > 0

    def are_for(self, work: Work) -> bool:
        return self.exams.lessons.keys() >= set(work.lessons)

    def give(self, work: Work) -> bool:
        """False if all have enough to do."""
        try:
            self._to_do.put_nowait(work)
        except queue.Full:
            return False
        self._given += 1
        return True

    def results(self) -> list[Done]:
        """What there is, after a moment's wait. Raises `Failed` if a sandbox does not come up."""
        if self._broken is not None:
            raise self._broken
        found = []
        try:
            found.append(self._done.get(timeout=0.1))
            while True:
                found.append(self._done.get_nowait())
        except queue.Empty:
            pass
        self._given -= sum(done.finished for done in found)
        return found

    def _work(self, box: Any) -> None:
        from grader.examine import Examiner
        from grader.sandbox import Failed

        failures = 0
        with suppress(Failed):  # as it is said of the first one
            box.start_once()
        while not self._stopping.is_set():
            try:
                work = self._to_do.get(timeout=0.1)
            except queue.Empty:
                continue
            if work is None:
                return
            fault = ""
            try:
                for lesson, graded in Examiner(box, self.exams, work.submission).grade(
                    work.lessons
                ):
                    self._say(Done(work, lesson, graded))
                failures = 0
            except Failed as problem:
                failures += 1
                if failures == FAILURES:
                    self._broken = problem
                    return
                fault = str(problem)
                time.sleep(failures)
            except Exception as problem:  # the kit's own, which must not cost the rest of the class
                fault = f"the grader failed ({type(problem).__name__}: {problem})"[:500]
            self._say(Done(work, fault=fault, finished=True))

    def _say(self, done: Done) -> None:
        while not self._stopping.is_set():
            try:
                self._done.put(done, timeout=0.1)
                return
            except queue.Full:
                continue


def _needs(chosen: Sequence[str]) -> set[str]:
    """The fixtures that these lessons' checks ask for."""
    checks = [c for lesson in chosen for e in lessons.exercises(lesson) for c in e.checks]
    return {need for check in checks for need in check.needs}


# --- Fingerprints --------------------------------------------------------------------------------


def fingerprint(folder: Path) -> str:
    """Of a checkpoint."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".txt", ".safetensors", ".bin") and path.is_file():
            with open(path, "rb") as file:
                digest.update(f"{path.name}:{path.stat().st_size}:".encode())
                while piece := file.read(1 << 20):
                    digest.update(piece)
    return digest.hexdigest()[:16]


_KIT: dict[str, str] = {}


def kit_fingerprint(lesson: str) -> str:
    """Of all that a verdict on a lesson depends on in the kit."""
    if lesson not in _KIT:
        digest = hashlib.sha256()
        shared = [p for p in sorted(HERE.glob("*.py")) if not p.name.startswith("train_")]
        shared += [p for p in sorted(HERE.glob("checks/*.py")) if not p.name.startswith("lesson")]
        for path in (*shared, HERE / "checks" / f"{lesson}.py", SOLUTIONS / f"{lesson}.py"):
            data = path.read_bytes()
            digest.update(f"{path.name}:{len(data)}:".encode() + data)
        _KIT[lesson] = digest.hexdigest()
    return _KIT[lesson]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
