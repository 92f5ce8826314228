"""`grader watch`: run the exercise again whose source has just been saved.

This process looks at the files, reads keys and prints; it never imports an answer, nor PyTorch.
Answers run in others (`grader.warm`), one for all exercises and, once some answer needs it, one
that has loaded the reference. So nothing that a student's function does holds up a key or a save.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grader import hint, lessons, saved
from grader.keys import Keys
from grader.problem import Problem
from grader.progress import score, tally, worst, written_order
from grader.words import EXPECTED, LOOKS_LIKE, STUCK, YOURS, harmless

# The same grader as here, whatever lies in this folder.
START = f"import sys; sys.path[0] = {str(Path(__file__).parent.parent)!r}; "
START += "from grader import warm; warm.main()"
POLL = 0.02  # seconds between two looks at the files
LONG = 3.0  # seconds after which it is said that something is still running
LINES, WIDTH = 20, 192  # shown of what an exercise prints, as pytest does
REFERENCE = "reference"
KEYS = {
    "h": "a hint; press it again for a plainer one",
    "n": "the next unfinished exercise",
    "l": "list all exercises",
    "r": "run again",
    "q": "quit",
    "?": "this help",
}
STOP, END, SUSPEND, CONTINUE = "\x03", "\x04", "\x1a", "\x11"
SIGNALS = {
    "SIGINT": STOP,
    "SIGBREAK": STOP,  # Windows
    "SIGTERM": END,
    "SIGHUP": END,
    "SIGTSTP": SUSPEND,
    "SIGCONT": CONTINUE,
}
# How a line of feedback looks, by what it begins with; `pytest exercises` has the same.
STYLES = {
    LOOKS_LIKE: "bold yellow",
    YOURS: "red",
    EXPECTED: "green",
    STUCK: "cyan",
}
COLOURS = {"passed": "green", "todo": "yellow"}

Key = tuple[str, str]  # lesson, exercise
Checks = list[dict[str, Any]]


def watch(
    folder: Path, only: Sequence[str] = (), reference: str = "auto", device: str = "auto"
) -> None:
    """Until it is told to stop. Raises `Problem`, KeyboardInterrupt, and SystemExit on SIGTERM."""
    if not folder.is_dir():
        raise Problem(f"There is no folder {str(folder)!r}. Say where: --answers DIR.")
    if Path(reference).is_dir():
        reference = str(Path(reference).resolve())
    watcher = _Watcher(folder.resolve(), lessons.named(only), reference, device)
    before: dict[int, Any] = {}
    for name, key in SIGNALS.items():
        if (number := getattr(signal, name, None)) is not None:
            # They wait for their turn, so that none of them cuts anything in two.
            handler = lambda *_, key=key: watcher.signals.append(key)  # noqa: E731
            before[number] = signal.signal(number, handler)
    try:
        with watcher.keys:
            watcher.run()
    finally:
        watcher.close()
        for number, handler in before.items():
            signal.signal(number, handler)


# --- The other processes -------------------------------------------------------------------------


class _Process:
    """One that runs `grader.warm`."""

    def __init__(self, watcher: _Watcher, fixtures: Sequence[str]) -> None:
        self.ready = self.forks = False
        self.heard = watcher.heard
        self.raw = b""  # what it has printed past Python, since this was last cleared
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is not for them
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", START),
                *(str(watcher.folder.path), watcher.reference, watcher.device, *fixtures),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "COLUMNS": str(watcher.console.width)},
            **apart,
        )
        for read in (self._read_events, self._read_raw):
            threading.Thread(target=read, daemon=True).start()

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has died, and is heard of soon
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        if sys.platform == "win32":
            self.process.kill()
        else:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)  # and what an answer has started
        self.process.wait()

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.ready and self.forks:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)  # it takes its fork along
        self.kill()

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # half of one, and empty ones
                self.heard.put((self, json.loads(line)))
        self.heard.put((self, {"died": self.process.wait()}))

    def _read_raw(self) -> None:
        assert self.process.stderr is not None
        while data := self.process.stderr.read1(1 << 16):  # type: ignore[attr-defined]
            self.raw = (self.raw + data)[: LINES * WIDTH]


@dataclass(frozen=True)
class _Item:
    """An exercise to be run."""

    key: Key
    shown: bool  # whatever comes of it; else only if that is something else than before


@dataclass
class _Run:
    number: int
    warm: _Process
    items: list[_Item]  # that are not done yet, the one that is running first
    loaded: bool = False
    begun: float = field(default_factory=time.monotonic)
    printed: str = ""
    warned: bool = False
    stopping: str = ""  # why


# --- The watcher ---------------------------------------------------------------------------------


class _Watcher:
    def __init__(self, folder: Path, only: list[str], reference: str, device: str) -> None:
        self.reference, self.device = reference, device
        self.lessons = only
        self.console = Console(highlight=False)
        self.signals: deque[str] = deque()
        self.keys = Keys(lambda key: self.heard.put((None, {"key": key})))
        # No SimpleQueue: its timeout is lost when a signal comes (Python 3.11.7).
        self.heard: Queue[tuple[_Process | None, dict[str, Any]]] = Queue()
        self.folder = saved.Folder(folder)
        self.exercises: dict[str, dict[str, dict[str, Any]]] = {}  # lesson -> name -> about it
        # As last imported, or at first as found.
        self.sources = {lesson: saved.source(self.text(lesson)) for lesson in self.lessons}
        self.results: dict[Key, Checks] = {}
        self.broken: set[str] = set()  # lessons that cannot be imported
        self.current: Key | None = None
        self.chosen = False  # it is what the last save, or key, was about
        self.waiting: list[_Item] = []
        self.running: _Run | None = None
        self.numbers = 0
        self.warm: dict[str, _Process] = {}
        self.first = True  # nothing has been shown yet
        self.shown = False  # something has, since it was last quiet
        self.saved_at = time.monotonic()
        self.live: Live | None = None
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(
                Text(), console=self.console, auto_refresh=False, transient=True,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
        self.status = ""

    def run(self) -> None:
        self.warm[""] = _Process(self, [])
        self.say(f"Watching {self.folder.path}", "bold")
        if self.live:
            self.live.start()
        while True:
            self.show_status()
            while self.signals:
                self.press(self.signals.popleft())
            try:
                warm, event = self.heard.get(timeout=POLL)
            except Empty:
                pass
            else:
                if warm is None:
                    if not self.press(event["key"]):
                        return
                elif warm in self.warm.values():
                    self.hear(warm, event)
            if self.exercises:
                if changed := self.folder.changed():
                    self.save(changed)
                self.go_on()

    def close(self) -> None:
        if self.live:
            with contextlib.suppress(OSError):  # the terminal is gone
                self.live.stop()
        for warm in self.warm.values():
            warm.close()

    # Lessons

    def file(self, lesson: str) -> Path:
        return self.folder.path / f"{lesson}.py"

    def text(self, lesson: str) -> str:
        return self.folder.text(f"{lesson}.py")

    def order(self) -> list[Key]:
        """As they are written."""
        found = []
        for lesson, exercises in self.exercises.items():
            lines = written_order(self.file(lesson))
            names = sorted(exercises, key=lambda name: lines.get(name, (10**6, ""))[0])
            found += [(lesson, name) for name in names]
        return found

    def is_done(self, key: Key | None) -> bool:
        return key is not None and tally(self.results.get(key, [])) == "passed"

    def unfinished(self) -> Key | None:
        """The first one after the current one, which itself comes last."""
        order = self.order()
        start = order.index(self.current) + 1 if self.current in order else 0
        return next((k for k in [*order[start:], *order[:start]] if not self.is_done(k)), None)

    def worth_running(self, lesson: str) -> list[str]:
        there = saved.answered(self.text(lesson), tuple(self.exercises[lesson]))
        return [name for at, name in self.order() if at == lesson and name in there]

    def needs(self, key: Key) -> set[str]:
        """What has to be loaded for it: nothing for what can be seen to be still to do."""
        lesson, name = key
        if name not in saved.answered(self.text(lesson), tuple(self.exercises[lesson])):
            return set()
        return set(self.exercises[lesson][name]["needs"])

    # What happens

    def hear(self, warm: _Process, event: dict[str, Any]) -> None:
        if "problem" in event:
            raise Problem(event["problem"])
        if "ready" in event:
            warm.ready, warm.forks = True, event["forks"]
            if event["reference"]:
                self.say(f"Checked against {event['reference']}.", "dim")
            if not self.exercises:
                self.begin(event["ready"])
        elif "died" in event and not warm.ready:
            said = warm.raw.decode("utf-8", "replace").strip().split("\n")[-1]
            raise Problem(f"What runs the answers does not start: {harmless(said)}")
        elif self.running is not None and self.running.warm is warm:
            self.hear_of_run(self.running, event)
        elif "died" in event:
            self.warm = {kind: other for kind, other in self.warm.items() if other is not warm}

    def begin(self, exercises: dict[str, list[dict[str, Any]]]) -> None:
        self.exercises = {
            lesson: {about["name"]: about for about in exercises[lesson]} for lesson in self.lessons
        }
        for lesson in self.lessons:
            names = self.worth_running(lesson)
            if self.sources[lesson] is None and self.text(lesson):
                names = names or list(self.exercises[lesson])[:1]  # so that it is said
            self.waiting += [_Item((lesson, name), False) for name in names]

    def hear_of_run(self, run: _Run, event: dict[str, Any]) -> None:
        if "ended" in event or "died" in event:
            self.running = None
            self.end(run, event.get("code", event.get("died")))
            if "died" in event:
                self.warm = {k: other for k, other in self.warm.items() if other is not run.warm}
        elif run.stopping:
            pass
        elif "printed" in event:
            run.printed += event["printed"]
        elif "begun" in event:
            run.begun, run.printed, run.warned, run.warm.raw = time.monotonic(), "", False, b""
        elif not self.folder.is_as_reported():
            self.stop("saved")  # this may have been of half a file
        elif "loaded" in event:
            run.loaded = True
            lesson = run.items[0].key[0]
            self.sources[lesson] = saved.source(self.text(lesson))
            if lesson in self.broken:
                self.broken.remove(lesson)
                self.say(f"{lesson}.py can be imported again.", "green")
        elif "failure" in event:
            self.cannot_import(run.items[0].key[0], event["failure"])
            run.items.clear()
        elif "done" in event:
            item = next(i for i in run.items if i.key[1] == event["done"])
            run.items.remove(item)
            self.verdict(item, event["checks"], run.printed + _raw(run.warm))

    def end(self, run: _Run, code: int | None) -> None:
        if not run.items:  # all is done
            return
        item, *others = run.items
        lesson, name = item.key
        if run.stopping == "saved":
            self.want(*self.waiting, *others, item)
            return
        seconds = time.monotonic() - run.begun
        happened = f"stopped after {seconds:.0f} s" if run.stopping else _ended(code)
        if not run.loaded:
            self.cannot_import(lesson, f"{lesson}.py {happened} while it was being imported.")
            return
        self.waiting[:0] = others
        points = self.exercises[lesson][name]["points"]
        checks: Checks = [
            {"outcome": "error", "points": 0, "max_points": p, "note": happened} for p in points
        ]
        self.verdict(_Item(item.key, True), checks, run.printed + _raw(run.warm))

    def cannot_import(self, lesson: str, why: str) -> None:
        self.broken.add(lesson)
        self.waiting = [item for item in self.waiting if item.key[0] != lesson]
        self.console.print(Text("\n").join([Text(), *self.feedback(why, "red")]), soft_wrap=True)
        self.shown = True

    def save(self, changed: list[str]) -> None:
        self.saved_at, self.chosen = self.folder.changed_at, False
        items = []
        hanging = saved.hang_on(self.folder.texts(), changed)
        for lesson in self.lessons:
            file = f"{lesson}.py"
            if file in changed or file in hanging:
                affected = self.affected(lesson, file in changed, hanging.get(file, set()))
                items += affected
                if file in changed and not affected:
                    self.say(f"{file} is saved; no exercise in it has changed.", "dim")
        items.sort(key=lambda item: not item.shown)
        self.want(*items, *self.waiting)
        if self.running:
            self.stop("saved")

    def want(self, *items: _Item) -> None:
        """To be run from now on, each once, in this order."""
        shown = {item.key for item in items if item.shown}
        self.waiting = [_Item(key, key in shown) for key in dict.fromkeys(i.key for i in items)]

    def affected(self, lesson: str, changed: bool, words: set[str]) -> list[_Item]:
        """What of a lesson is to be run, since its file has changed or others have that it calls
        by these words."""
        old, new = self.sources[lesson], saved.source(self.text(lesson))
        names = list(self.exercises[lesson])
        own: set[str] = set()
        touched: set[str] | None = None
        if new is None:  # so that it is said
            return [_Item((lesson, name), False) for name in names]
        if old is not None:
            own, touched = saved.changed_names(old, new) if changed else (set(), set())
        by_others = new.mentioning(words) if words else set()
        shown = own | (touched or set()) | (by_others or set())
        runs = set(self.worth_running(lesson))
        if touched is not None and by_others is not None and lesson not in self.broken:
            runs &= shown
        runs |= own & set(names)
        if lesson in self.broken and not runs:
            runs = set(names[:1])
        ordered = [name for at, name in self.order() if at == lesson and name in runs]
        ordered.sort(key=lambda name: name not in own)
        return [_Item((lesson, name), name in shown) for name in ordered]

    def go_on(self) -> None:
        """Start the next run, if there is one and nothing is in its way."""
        if self.running or not self.folder.is_as_reported(look=False):
            return
        for item in self.waiting:
            kind = self.kind(item.key)
            if kind not in self.warm:
                self.warm[kind] = _Process(self, [kind] if kind else [])
            if self.warm[kind].ready:
                self.start(item, kind)
                return
        if not self.waiting:
            self.be_quiet()

    def kind(self, key: Key) -> str:
        """Which process it takes."""
        return REFERENCE if REFERENCE in self.needs(key) else ""

    def start(self, item: _Item, kind: str) -> None:
        lesson = item.key[0]
        items = [i for i in self.waiting if i.key[0] == lesson and self.kind(i.key) == kind]
        if item.shown:  # nobody waits for what only the others need
            items = [i for i in items if i.shown]
        self.waiting = [i for i in self.waiting if i not in items]
        needs = {need for i in items for need in self.needs(i.key)}
        self.numbers += 1
        self.running = _Run(self.numbers, self.warm[kind], items)
        self.warm[kind].raw = b""
        self.warm[kind].send(
            run=self.numbers,
            lesson=lesson,
            exercises=[i.key[1] for i in items],
            fixtures=sorted(needs - {REFERENCE}),
        )

    def stop(self, why: str) -> None:
        run = self.running
        assert run is not None
        if run.stopping:
            return
        run.stopping = why
        if run.warm.forks:
            run.warm.send(stop=run.number)
        else:
            run.warm.kill()  # heard of as "died"

    # What is shown

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(harmless(text), style), soft_wrap=True)

    def verdict(self, item: _Item, checks: Checks, printed: str) -> None:
        before = self.results.get(item.key)
        self.results[item.key] = checks
        if not item.shown and (self.first or before is None or tally(before) == tally(checks)):
            return
        self.shown = True
        # What was saved comes first; what only calls it, where that is right and this is not.
        if not self.chosen or (self.is_done(self.current) and not self.is_done(item.key)):
            self.current, self.chosen = item.key, True
        line = Text(time.strftime("\n%H:%M:%S "), "dim")
        line.append(f"{item.key[1]}  {score(checks)}  ", "bold")
        line.append(harmless(_summary(checks)), COLOURS.get(_outcome(checks), "red"))
        line.append(f"  ({time.monotonic() - self.saved_at:.2f} s)", "dim")
        shown = [line]
        failed = [check for check in checks if check.get("feedback")]
        if failed:
            shown += [Text(), *self.feedback(failed[0]["feedback"])]
        if others := ", ".join(f"{check['check']} ({check['outcome']})" for check in failed[1:]):
            shown.append(Text(harmless(f"It fails on these checks, too: {others}.")))
        for remark in {check["remark"] for check in checks if "remark" in check}:
            shown.append(Text(harmless(f"It passes, with a remark: {remark}.")))
        shown += _printed(printed)
        self.console.print(Text("\n").join(shown), soft_wrap=True)

    def feedback(self, text: str, first: str = "") -> list[Text]:
        """Its lines; `first` is the style of the first."""
        lines = []
        for number, line in enumerate(harmless(text).split("\n")):
            style = next((s for begin, s in STYLES.items() if line.startswith(begin)), "")
            if line.startswith(STUCK) and self.live:
                line = line.replace("Stuck?", "Stuck? Press h, or")
            lines.append(Text(line, style or (first if number == 0 else "")))
        return lines

    def be_quiet(self) -> None:
        """Nothing is left to do."""
        if self.first:
            for lesson in self.lessons:
                points, what = self.standing(lesson)
                self.say(f"{lesson:<28}{points:>9}  {what}")
            self.say_next()
        elif self.shown and (self.current is None or self.is_done(self.current)):
            self.say_next()
        self.first = self.shown = False

    def standing(self, lesson: str) -> tuple[str, str]:
        checks = self.checks(lesson)
        return score(checks), "cannot be imported" if lesson in self.broken else tally(checks)

    def checks(self, lesson: str) -> Checks:
        """Of all its exercises."""
        return [check for name in self.exercises[lesson] for check in self.result((lesson, name))]

    def result(self, key: Key) -> Checks:
        """What came of it last, or what a stub would get."""
        points = self.exercises[key[0]][key[1]]["points"]
        todo: Checks = [{"outcome": "todo", "points": 0, "max_points": p} for p in points]
        return self.results.get(key, todo)

    def say_next(self, docstring: bool = False) -> Key | None:
        if (key := self.unfinished()) is None:
            self.say("Everything passes.", "bold green")
            return None
        lesson, name = key
        line, summary = written_order(self.file(lesson)).get(name, (0, ""))
        here = f"{lesson}.py:{line}" if line else "not there yet"
        if not line and self.sources[lesson] is None and self.text(lesson):
            here = f"{lesson}.py"  # which Python cannot read
        self.say(f"Next: {name} ({here})  {'' if docstring else summary}".rstrip(), "bold")
        if docstring:
            self.say(_docstring(self.text(lesson), name))
        return key

    def show_status(self) -> None:
        status = self.status_now()
        run = self.running
        if run and not run.warned and time.monotonic() - run.begun > LONG:
            run.warned = True
            said = Text(f"{self.doing(run)} is still running. Ctrl-C stops it.", "yellow")
            self.console.print(Text("\n").join([said, *_printed(run.printed)]), soft_wrap=True)
        if self.live and status != self.status:
            self.status = status
            text = Text(status, "dim", no_wrap=True, overflow="ellipsis")
            self.live.update(text, refresh=True)

    def doing(self, run: _Run) -> str:
        lesson, name = run.items[0].key if run.items else ("", "")
        return name if run.loaded else f"{lesson}.py"

    def status_now(self) -> str:
        if not self.exercises:
            return "Loading PyTorch ..."
        if empty := self.folder.empty():
            return harmless(f"{empty[0]} is empty. Waiting for it ...")
        run = self.running
        if run and (seconds := int(time.monotonic() - run.begun)):
            return f"{self.doing(run)}: {seconds} s ... Ctrl-C stops it"
        if not run and self.waiting:
            return "Loading the reference ..." if REFERENCE in self.warm else "Loading ..."
        points = score([check for lesson in self.lessons for check in self.checks(lesson)])
        return f"{points} points   h hint  n next  l list  r run again  q quit  ? help"

    # Keys

    def press(self, key: str) -> bool:
        """False at the end. Raises KeyboardInterrupt, and SystemExit."""
        if key == END:
            raise SystemExit(128 + 15)
        if key == SUSPEND:
            if self.live:
                self.live.stop()
            self.keys.suspend()
            if self.live:
                self.live.start()
        elif key == CONTINUE:
            self.keys.take()
        elif key == STOP:
            run = self.running
            if run is None or not run.items or run.stopping == "asked":
                raise KeyboardInterrupt
            self.stop("asked")
        elif key == "q":
            return False
        elif key == "?":
            for name, does in KEYS.items():
                self.say(f"  {name}  {does}")
        elif not self.exercises:
            pass  # still loading
        elif key == "l":
            self.show_list()
        elif key == "n":
            self.show_next()
        elif key == "h":
            self.show_hint()
        elif key == "r":
            self.again()
        return True

    def show_list(self) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column()
        table.add_column(justify="right")
        order = self.order()
        for lesson in self.lessons:
            points, what = self.standing(lesson)
            table.add_row(Text(lesson, "bold"), points, Text(harmless(what)))
            for key in [key for key in order if key[0] == lesson]:
                checks = self.result(key)
                mark = ">" if key == self.current else " "
                outcome = Text(harmless(_summary(checks)), COLOURS.get(_outcome(checks), "red"))
                table.add_row(Text(f"{mark} {key[1]}"), score(checks), outcome)
        self.console.print(table)

    def show_next(self) -> None:
        key = self.say_next(docstring=True)
        if key is not None:
            self.current = key
            if key[1] in self.worth_running(key[0]):
                self.ask_for([key])

    def show_hint(self) -> None:
        key = self.current
        if key is None or self.is_done(key):
            key = self.unfinished()
        if key is None:
            self.say("Everything passes.", "bold green")
            return
        self.current = key
        exercise: Any = SimpleNamespace(name=key[1], hints=self.exercises[key[0]][key[1]]["hints"])
        number = hint.next_one(exercise)
        if not number:
            self.say(f"There is no hint to {key[1]}.")
            return
        of = f"Hint {number} of {len(exercise.hints)} to {key[1]}"
        self.say(f"{of}: {exercise.hints[number - 1]}", "cyan")
        try:
            hint.remember(exercise, number)
        except OSError as error:
            self.say(f"I cannot remember that you have seen it: {error}")

    def again(self) -> None:
        if self.current is not None:
            self.ask_for([self.current])
        else:
            self.ask_for([(at, name) for at in self.lessons for name in self.worth_running(at)])

    def ask_for(self, wanted: Iterable[Key]) -> None:
        self.saved_at, self.chosen = time.monotonic(), False
        self.want(*(_Item(key, True) for key in wanted), *self.waiting)


def _outcome(checks: Checks) -> str:
    """The worst of them."""
    return worst(check["outcome"] for check in checks)


def _summary(checks: Checks) -> str:
    named = next((f": {c['misconception']}" for c in checks if "misconception" in c), "")
    return tally(checks) + named


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"ended Python ({signal.Signals(-code).name})"
    return f"ended Python (exit code {code})"


def _raw(warm: _Process) -> str:
    raw, warm.raw = warm.raw, b""
    return raw.decode("utf-8", "replace")


def _docstring(text: str, name: str) -> str:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return ast.get_docstring(node) or ""
    return ""


def _printed(text: str) -> list[Text]:
    """The first lines of what an exercise has printed."""
    lines = harmless(text).rstrip("\n").split("\n")
    if not any(lines):
        return []
    shown = [f"    {line[:WIDTH]}{'...' if len(line) > WIDTH else ''}" for line in lines[:LINES]]
    cut = ["    ..."] if len(lines) > LINES else []
    return [Text(line) for line in ("It printed:", *shown, *cut)]
