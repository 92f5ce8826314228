"""What `pytest exercises` prints of failures, and at the end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from _pytest._code.code import TerminalRepr

from grader.verdict.progress import score, tally, written_order
from grader.words import EXPECTED, NAMES, STUCK, YOURS

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter
    from _pytest.terminal import TerminalReporter

# How a line of feedback looks where the terminal has colours, by what it begins with.
STYLES: dict[str, dict[str, bool]] = {
    **{name: {"bold": True, "yellow": True} for name in NAMES},
    YOURS: {"red": True},
    EXPECTED: {"green": True},
    STUCK: {"cyan": True},
}


class Feedback(TerminalRepr):
    """A report's text, of which pytest's own short summary takes no more than the first line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reprcrash = SimpleNamespace(message=text.partition("\n")[0])

    def toterminal(self, tw: TerminalWriter) -> None:
        for line in self.text.split("\n"):
            style = next((s for begin, s in STYLES.items() if line.startswith(begin)), {})
            tw.line(line, **style)


class Progress:
    """Counts outcomes as reports come in, from this process or from xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        # file -> exercise -> one dict of user properties per check
        self.seen: dict[str, dict[str, list[dict[str, Any]]]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if report.when == "call" and "max_points" in properties:
            file, exercise, _ = report.nodeid.rsplit("::", 2)
            self.seen.setdefault(file, {}).setdefault(exercise, []).append(properties)
            if isinstance(report.longrepr, str):
                report.longrepr = Feedback(report.longrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        everything = [
            c for exercises in self.seen.values() for cs in exercises.values() for c in cs
        ]
        unfinished = any(check["outcome"] != "passed" for check in everything)
        if unfinished and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if not self.seen:
            return
        write = terminalreporter.write_line
        terminalreporter.section("progress")
        next_up = None
        references = set()
        remarks: dict[str, str] = {}
        failed: dict[str, None] = {}
        for file in sorted(self.seen):
            order = written_order(self.path(file))
            at_the_end = (10**6, "")
            exercises = sorted(
                self.seen[file].items(), key=lambda item: order.get(item[0], at_the_end)
            )
            checks = [check for _, checks in exercises for check in checks]
            failed |= dict.fromkeys(check["failed"] for check in checks if "failed" in check)
            references |= {check["reference"] for check in checks if "reference" in check}
            write(f"{Path(file).stem:<28}{score(checks):>9}  {tally(checks)}")
            says_more = any(check.keys() & {"note", "misconception"} for check in checks)
            if says_more or len({check["outcome"] for check in checks}) > 1:
                for name, checks in exercises:
                    named = next(
                        (f": {c['misconception']}" for c in checks if "misconception" in c), ""
                    )
                    write(f"  {name:<26}{score(checks):>9}  {tally(checks)}{named}")
            for name, checks in exercises:
                said = [c["remark"] for c in checks if "remark" in c]
                if said and tally(checks) == "passed":
                    remarks[name] = said[0]
                if next_up is None and tally(checks) != "passed":
                    line, summary = order.get(name, at_the_end)
                    here = f"{self.path(file).name}:{line}" if summary else "not there yet"
                    if not order and self.path(file).exists():  # it cannot be read
                        here = self.path(file).name
                    next_up = f"Next: {name} ({here})  {summary}"
        for text in failed:
            for said_of in text.split("\n"):
                write(f"L{said_of[1:]}" if said_of.startswith("line ") else said_of)
        for name, remark in remarks.items():
            write(f"{name} passes, with a remark: {remark}.")
        for reference in references:
            write(f"Checked against {reference}.")
        if next_up:
            write(next_up.rstrip())

    def path(self, file: str) -> Path:
        """The file of answers behind a node id's first part."""
        given = self.config.rootpath / file
        answers = self.config.getoption("--answers")
        return cast(Path, answers / given.name) if answers else given
