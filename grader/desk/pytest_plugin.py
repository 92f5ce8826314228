"""`pytest exercises`: one test per check, on the student's own functions, in this process.

Switched on by `addopts = "-p grader.desk.pytest_plugin"` in this project's own settings, and so in
no other project. What needs torch is imported only once there is a lesson to collect.
"""

from __future__ import annotations

import os
import unittest
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest

from grader import lessons
from grader.desk.summary import Progress
from grader.problem import Problem

if TYPE_CHECKING:
    from _pytest._code import ExceptionInfo

    from grader.inside.fixtures import Fixtures
    from grader.verdict.answers import AnswersFile, Judged
    from grader.verdict.exercise import Check, Exercise

PRINTED_LINES = 20  # shown of what a student's function prints, under a failure


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("exercises", "GPT-2 exercises")
    group.addoption(
        "--answers", metavar="DIR", type=Path,
        help="take the lessons from this folder instead (--answers solutions passes everything)",
    )  # fmt: skip
    group.addoption(
        "--reference", metavar="NAME", default="auto",
        help="auto, gpt2-tiny, gpt2-small or a checkpoint folder (default: %(default)s)",
    )  # fmt: skip
    group.addoption(
        "--device", default="auto", choices=["auto", "cpu", "cuda", "mps"],
        help="where the reference runs (default: %(default)s, which is cuda, mps, else cpu)",
    )  # fmt: skip
    group.addoption(
        "--case-seed", metavar="SEED", action="append", default=[],
        help="run the cases of this seed, too; may be given more than once",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "reference: needs the live reference model")
    answers = config.getoption("--answers")
    if answers is not None and not answers.is_dir():
        raise pytest.UsageError(f"--answers: no folder {str(answers)!r}")
    config.option.answers = answers and answers.resolve()  # an answer may change directory
    name, device = config.getoption("--reference"), config.getoption("--device")
    if Path(name).is_dir():
        config.option.reference = name = str(Path(name).resolve())
    if name != "auto" or device not in ("auto", "cpu"):
        from grader.inside import reference

        try:
            fixtures(config)
            reference.pick_device(device)
            reference.find(name)
        except Problem as error:
            raise pytest.UsageError(str(error)) from None
    if config.getoption("--case-seed") and lessons.are_recorded():
        raise pytest.UsageError("This kit has the public cases only. Leave out --case-seed.")
    config.pluginmanager.register(Progress(config), "exercise-progress")


def pytest_report_header(config: pytest.Config) -> str | None:
    answers = config.getoption("--answers")
    return f"answers: {answers}" if answers else None


# --- Collecting ----------------------------------------------------------------------------------


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    if module_path.stem not in lessons.names():
        return None
    return cast(pytest.Collector, LessonFile.from_parent(parent, path=module_path))


class LessonFile(pytest.File):
    """A file of answers, imported once, when its first check runs."""

    _answers: AnswersFile | None = None

    def collect(self) -> Iterator[pytest.Collector]:
        from grader.verdict import load

        for exercise in load.exercises(self.path.stem):
            yield ExerciseNode.from_parent(self, name=exercise.name, exercise=exercise)

    @property
    def answers(self) -> AnswersFile:
        if self._answers is None:
            from grader.inside import run
            from grader.verdict.answers import AnswersFile

            folder = self.config.getoption("--answers") or self.path.parent
            run.lessons_are_in(folder)
            self._answers = AnswersFile(folder / self.path.name)
        return self._answers


class ExerciseNode(pytest.Collector):
    def __init__(self, *, exercise: Exercise, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exercise = exercise

    def collect(self) -> Iterator[pytest.Item]:
        for check in self.exercise.checks:
            yield CheckItem.from_parent(self, name=check.name, check=check)


# --- Running -------------------------------------------------------------------------------------


class WrongAnswer(Exception):
    """It ran, and did something else than the solution does."""


class BrokenAnswer(Exception):
    """It could not be run, or raised what would be taken for this run's own."""


class AlreadySaid(Exception):
    """The same failure has been reported for another check."""


class CheckItem(pytest.Item):
    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.feedback = ""
        if "reference" in check.needs:
            self.add_marker("reference")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, f"{self.check.exercise}::{self.name}"

    @property
    def answers(self) -> AnswersFile:
        return cast(LessonFile, self.getparent(LessonFile)).answers

    @property
    def exercise(self) -> Exercise:
        return cast(ExerciseNode, self.parent).exercise

    @property
    def implementation(self) -> Any:
        """The student's function, or None."""
        return self.answers.functions.get(self.check.exercise)

    @property
    def will_run_reference(self) -> bool:
        from grader.inside.run import is_untouched

        if "reference" not in self.check.needs or self.implementation is None:
            return False
        return not is_untouched(self.implementation)

    def runtest(self) -> None:
        from grader.outcome import Outcome
        from grader.verdict import load
        from grader.verdict.answers import Judged
        from grader.verdict.draw import Undecided
        from grader.verdict.exercise import PUBLIC_SEED

        name = self.check.exercise
        self.record(Judged(Outcome.ERROR))  # where it does not come to a verdict
        solution = getattr(load.solution(self.path.stem), name)
        seeds = [PUBLIC_SEED, *self.config.getoption("--case-seed")]
        try:
            judged = self.answers.judge(
                self.exercise, self.check, solution, fixtures(self.config), seeds
            )
        except Undecided as fault:
            self.feedback = str(fault)
            raise
        self.record(judged)
        if judged.note:
            is_right = judged.outcome is Outcome.PASSED
            self.user_properties.append(("remark" if is_right else "note", judged.note))
        if judged.explanation is not None:
            self.user_properties.append(("misconception", judged.explanation.name))
        if judged.outcome is Outcome.TODO:
            todo(f"{name}: {judged.note}" if judged.note else f"{name} is still to do")
        if judged.said:
            raise AlreadySaid
        self.feedback, verdict = judged.feedback, judged.verdict
        if verdict is None:
            raise BrokenAnswer from judged.cause
        if judged.outcome is Outcome.WRONG:
            # --pdb stops in this frame; these are what to look at.
            case, observed, expected = verdict.case, verdict.observed, verdict.expected  # noqa: F841
            raise WrongAnswer
        if judged.outcome is Outcome.ERROR:
            assert verdict.raised is not None
            raised = verdict.raised.exception
            assert raised is not None
            pytests_own = (pytest.exit.Exception, unittest.SkipTest)
            if isinstance(raised, Exception) and not isinstance(raised, pytests_own):
                raise raised  # as it is, for --pdb to stop in their frame
            raise BrokenAnswer from raised

    def record(self, judged: Judged) -> None:
        """What the summary, JUnit files and xdist's controller see of this check."""
        self.user_properties = list(judged.counts(self.check).items())
        if self.answers.remarks:
            self.user_properties.append(("failed", "\n".join(self.answers.remarks)))
        if self.will_run_reference:
            self.user_properties.append(("reference", fixtures(self.config).describe()))

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str:  # type: ignore[override]
        # Without feedback it is a fault of the kit: show it all.
        return self.feedback or str(super().repr_failure(excinfo))


def todo(reason: str) -> NoReturn:
    # `pytest.skip` would name this line, not the student's.
    raise pytest.skip.Exception(reason, _use_item_location=True)  # what is to do is no failure


_FIXTURES: pytest.StashKey[Fixtures] = pytest.StashKey()


def fixtures(config: pytest.Config) -> Fixtures:
    if _FIXTURES not in config.stash:
        from grader.verdict import load

        name, device = config.getoption("--reference"), config.getoption("--device")
        config.stash[_FIXTURES] = load.fixtures(name, device)
    return config.stash[_FIXTURES]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load the reference before the first check runs, so that a run it fails is not half done."""
    checks = [item for item in session.items if isinstance(item, CheckItem)]
    if session.config.option.collectonly or not any(c.will_run_reference for c in checks):
        return
    import torch

    from grader.inside.reference import Unavailable

    try:
        reference = fixtures(session.config)("reference")
    except Unavailable as error:
        pytest.exit(f"ERROR: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
    # A small model is no faster on several threads, and processes that wait for one another's
    # threads (xdist, another run beside this one) are many times slower.
    if reference.cfg.d_model < 512 or "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, CheckItem) and call.when == "call":
        from grader.verdict.show import clip

        report.sections = [(name, clip(text, PRINTED_LINES)) for name, text in report.sections]
        if call.excinfo is not None and isinstance(call.excinfo.value, AlreadySaid):
            report.outcome = "skipped"  # still an error in the summary, without a section
            report.longrepr = (str(item.path), 0, "the same as above")
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    outcome = dict(report.user_properties).get("outcome") if report.when == "call" else None
    if outcome == "todo":
        return "todo", "t", ("TODO", {"yellow": True})
    if outcome in ("wrong", "error") and report.skipped:
        mark = "f" if outcome == "wrong" else "e"
        return "same error", mark, (outcome.upper(), {"red": True})
    if outcome in ("wrong", "error") and report.failed:
        return "failed", "F" if outcome == "wrong" else "E", (outcome.upper(), {"red": True})
    return None
