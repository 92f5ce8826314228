"""What the watcher shows: lines that stay, and one below them that does not."""

from __future__ import annotations

import ast
import contextlib
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grader.desk.watch.standing import Checks, Key, Standing
from grader.outcome import worst
from grader.verdict.progress import score, tally, written_order
from grader.words import EXPECTED, NAMES, STUCK, YOURS, harmless

LINES, WIDTH = 20, 192  # shown of what an exercise prints, as pytest does
# How a line of feedback looks, by what it begins with; `pytest exercises` has the same.
STYLES = {
    **dict.fromkeys(NAMES, "bold yellow"),
    YOURS: "red",
    EXPECTED: "green",
    STUCK: "cyan",
}
KEYS = {
    "h": "a hint; press it again for a plainer one",
    "n": "the next unfinished exercise",
    "l": "list all exercises",
    "r": "run again",
    "q": "quit",
    "?": "this help",
}
COLOURS = {"passed": "green", "todo": "yellow"}


class Screen:
    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.live: Live | None = None
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(
                Text(), console=self.console, auto_refresh=False, transient=True,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
        self.status = ""

    def start(self) -> None:
        if self.live:
            self.live.start()

    def stop(self) -> None:
        if self.live:
            self.live.stop()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone
            self.stop()

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(harmless(text), style), soft_wrap=True)

    def show(self, *lines: Text) -> None:
        self.console.print(Text("\n").join(lines), soft_wrap=True)

    def show_status(self, status: str) -> None:
        """In the place of the one before."""
        if self.live and status != self.status:
            self.status = status
            text = Text(status, "dim", no_wrap=True, overflow="ellipsis")
            self.live.update(text, refresh=True)

    def feedback(self, text: str, first: str = "") -> list[Text]:
        """Its lines; `first` is the style of the first."""
        lines = []
        for number, line in enumerate(harmless(text).split("\n")):
            style = next((s for begin, s in STYLES.items() if line.startswith(begin)), "")
            if line.startswith(STUCK) and self.live:
                line = line.replace("Stuck?", "Stuck? Press h, or")
            lines.append(Text(line, style or (first if number == 0 else "")))
        return lines

    def show_verdict(self, name: str, checks: Checks, printed: str, seconds: float) -> None:
        line = Text(time.strftime("\n%H:%M:%S "), "dim")
        line.append(f"{name}  {score(checks)}  ", "bold")
        line.append(harmless(summary(checks)), COLOURS.get(outcome_of(checks), "red"))
        line.append(f"  ({seconds:.2f} s)", "dim")
        shown = [line]
        failed = [check for check in checks if check.get("feedback")]
        if failed:
            shown += [Text(), *self.feedback(failed[0]["feedback"])]
        if others := ", ".join(f"{check['check']} ({check['outcome']})" for check in failed[1:]):
            shown.append(Text(harmless(f"It fails on these checks, too: {others}.")))
        for remark in {check["remark"] for check in checks if "remark" in check}:
            shown.append(Text(harmless(f"It passes, with a remark: {remark}.")))
        shown += first_lines(printed)
        self.show(*shown)

    def say_next(self, standing: Standing, docstring: bool = False) -> Key | None:
        if (key := standing.unfinished()) is None:
            self.say("Everything passes.", "bold green")
            return None
        lesson, name = key
        line, says = written_order(standing.file(lesson)).get(name, (0, ""))
        here = f"{lesson}.py:{line}" if line else "not there yet"
        if not line and standing.sources[lesson] is None and standing.text(lesson):
            here = f"{lesson}.py"  # which Python cannot read
        self.say(f"Next: {name} ({here})  {'' if docstring else says}".rstrip(), "bold")
        if docstring:
            self.say(docstring_of(standing.text(lesson), name))
        return key

    def show_keys(self) -> None:
        for name, does in KEYS.items():
            self.say(f"  {name}  {does}")

    def show_list(self, standing: Standing) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column()
        table.add_column(justify="right")
        order = standing.order()
        for lesson in standing.lessons:
            points, what = standing.of(lesson)
            table.add_row(Text(lesson, "bold"), points, Text(harmless(what)))
            for key in [key for key in order if key[0] == lesson]:
                checks = standing.result(key)
                mark = ">" if key == standing.current else " "
                outcome = Text(harmless(summary(checks)), COLOURS.get(outcome_of(checks), "red"))
                table.add_row(Text(f"{mark} {key[1]}"), score(checks), outcome)
        self.console.print(table)


def outcome_of(checks: Checks) -> str:
    """The worst of them."""
    return worst(check["outcome"] for check in checks)


def summary(checks: Checks) -> str:
    named = next((f": {c['misconception']}" for c in checks if "misconception" in c), "")
    return tally(checks) + named


def first_lines(text: str) -> list[Text]:
    """The first lines of what an exercise has printed."""
    lines = harmless(text).rstrip("\n").split("\n")
    if not any(lines):
        return []
    shown = [f"    {line[:WIDTH]}{'...' if len(line) > WIDTH else ''}" for line in lines[:LINES]]
    cut = ["    ..."] if len(lines) > LINES else []
    return [Text(line) for line in ("It printed:", *shown, *cut)]


def docstring_of(text: str, name: str) -> str:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return ast.get_docstring(node) or ""
    return ""
