"""Threads that grade, each in a sandbox of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.classroom.order import Order
from grader.inside import reference
from grader.intake.submissions import Submission

if TYPE_CHECKING:
    from grader.classroom.examine import Graded
    from grader.classroom.exams import Exams

# What lessons may load as they are imported (`grader.reference`).
LOADED = {"reference", "tokenizer", "bos_tokenizer"}
FAILURES = 3  # of the sandbox, one after the other, before a job gives up


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


class Jobs:
    """Threads that grade, each in a sandbox of its own."""

    def __init__(self, order: Order, chosen: Sequence[str], checkpoint: Path, most: int) -> None:
        """`chosen`: the lessons that are asked about; what the others need is not loaded."""
        import torch

        from grader.classroom import sandbox
        from grader.classroom.exams import Exams
        from grader.inside import remember
        from grader.inside.fixtures import Fixtures
        from grader.verdict import show

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
            order.walls, checkpoint, order.device, sorted(needs | LOADED),
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

    def __enter__(self) -> Jobs:
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
        from grader.classroom.examine import Examiner
        from grader.classroom.sandbox import Failed

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
    from grader.verdict import load

    checks = [c for lesson in chosen for e in load.exercises(lesson) for c in e.checks]
    return {need for check in checks for need in check.needs}
