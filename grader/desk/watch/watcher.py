"""`grader watch`: run the exercise again whose source has just been saved.

This process looks at the files, reads keys and prints; it never imports an answer, nor PyTorch.
Answers run in others (`grader.desk.watch.warm`), one for all exercises and, once some answer needs
it, one that has loaded the reference. So nothing that a student's function does holds up a key or a
save.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from types import SimpleNamespace
from typing import Any

from rich.text import Text

from grader.desk import hint
from grader.desk.watch import saved
from grader.desk.watch.keys import Keys
from grader.desk.watch.process import Heard, Process, ended
from grader.desk.watch.screen import Screen, first_lines
from grader.desk.watch.standing import Checks, Key, Standing
from grader.problem import Problem
from grader.verdict.progress import tally
from grader.words import harmless

POLL = 0.02  # seconds between two looks at the files
LONG = 3.0  # seconds after which it is said that something is still running
REFERENCE = "reference"
STOP, END, SUSPEND, CONTINUE = "\x03", "\x04", "\x1a", "\x11"


@dataclass(frozen=True)
class _Item:
    """An exercise to be run."""

    key: Key
    shown: bool  # whatever comes of it; else only if that is something else than before


@dataclass
class _Run:
    number: int
    warm: Process
    items: list[_Item]  # that are not done yet, the one that is running first
    loaded: bool = False
    begun: float = field(default_factory=time.monotonic)
    printed: str = ""
    warned: bool = False
    stopping: str = ""  # why


class Watcher:
    def __init__(self, folder: Path, only: list[str], reference: str, device: str) -> None:
        self.arguments = [str(folder), reference, device]
        self.screen = Screen()
        self.signals: deque[str] = deque()
        self.keys = Keys(lambda key: self.heard.put((None, {"key": key})))
        # No SimpleQueue: its timeout is lost when a signal comes (Python 3.11.7).
        self.heard: Heard = Queue()
        self.folder = saved.Folder(folder)
        self.standing = Standing(self.folder, only)
        self.chosen = False  # it is what the last save, or key, was about
        self.waiting: list[_Item] = []
        self.running: _Run | None = None
        self.numbers = 0
        self.warm: dict[str, Process] = {}
        self.first = True  # nothing has been shown yet
        self.shown = False  # something has, since it was last quiet
        self.saved_at = time.monotonic()

    def run(self) -> None:
        self.begin_process("")
        self.screen.say(f"Watching {self.folder.path}", "bold")
        self.screen.start()
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
            if self.standing.exercises:
                if changed := self.folder.changed():
                    self.save(changed)
                self.go_on()

    def close(self) -> None:
        self.screen.close()
        for warm in self.warm.values():
            warm.close()

    def begin_process(self, kind: str) -> None:
        arguments = [*self.arguments, *([kind] if kind else [])]
        self.warm[kind] = Process(self.heard, self.screen.console.width, arguments)

    # What happens

    def hear(self, warm: Process, event: dict[str, Any]) -> None:
        if "problem" in event:
            raise Problem(event["problem"])
        if "ready" in event:
            warm.ready, warm.forks = True, event["forks"]
            if event["reference"]:
                self.screen.say(f"Checked against {event['reference']}.", "dim")
            if not self.standing.exercises:
                self.begin(event["ready"])
        elif "died" in event and not warm.ready:
            said = warm.raw.decode("utf-8", "replace").strip().split("\n")[-1]
            raise Problem(f"What runs the answers does not start: {harmless(said)}")
        elif self.running is not None and self.running.warm is warm:
            self.hear_of_run(self.running, event)
        elif "died" in event:
            self.warm = {kind: other for kind, other in self.warm.items() if other is not warm}

    def begin(self, exercises: dict[str, list[dict[str, Any]]]) -> None:
        self.standing.exercises = {
            lesson: {about["name"]: about for about in exercises[lesson]}
            for lesson in self.standing.lessons
        }
        for lesson in self.standing.lessons:
            names = self.standing.worth_running(lesson)
            if self.standing.sources[lesson] is None and self.standing.text(lesson):
                names = names or list(self.standing.exercises[lesson])[:1]  # so that it is said
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
            self.standing.sources[lesson] = saved.source(self.standing.text(lesson))
            if lesson in self.standing.broken:
                self.standing.broken.remove(lesson)
                self.screen.say(f"{lesson}.py can be imported again.", "green")
        elif "failure" in event:
            self.cannot_import(run.items[0].key[0], event["failure"])
            run.items.clear()
        elif "done" in event:
            item = next(i for i in run.items if i.key[1] == event["done"])
            run.items.remove(item)
            self.verdict(item, event["checks"], run.printed + run.warm.take_raw())

    def end(self, run: _Run, code: int | None) -> None:
        if not run.items:  # all is done
            return
        item, *others = run.items
        lesson, name = item.key
        if run.stopping == "saved":
            self.want(*self.waiting, *others, item)
            return
        seconds = time.monotonic() - run.begun
        happened = f"stopped after {seconds:.0f} s" if run.stopping else ended(code)
        if not run.loaded:
            self.cannot_import(lesson, f"{lesson}.py {happened} while it was being imported.")
            return
        self.waiting[:0] = others
        points = self.standing.exercises[lesson][name]["points"]
        checks: Checks = [
            {"outcome": "error", "points": 0, "max_points": p, "note": happened} for p in points
        ]
        self.verdict(_Item(item.key, True), checks, run.printed + run.warm.take_raw())

    def cannot_import(self, lesson: str, why: str) -> None:
        self.standing.broken.add(lesson)
        self.waiting = [item for item in self.waiting if item.key[0] != lesson]
        self.screen.show(Text(), *self.screen.feedback(why, "red"))
        self.shown = True

    def save(self, changed: list[str]) -> None:
        self.saved_at, self.chosen = self.folder.changed_at, False
        items = []
        hanging = saved.hang_on(self.folder.texts(), changed)
        for lesson in self.standing.lessons:
            file = f"{lesson}.py"
            if file in changed or file in hanging:
                words = hanging.get(file, set())
                affected = self.standing.affected(lesson, file in changed, words)
                items += [_Item((lesson, name), shown) for name, shown in affected]
                if file in changed and not affected:
                    self.screen.say(f"{file} is saved; no exercise in it has changed.", "dim")
        items.sort(key=lambda item: not item.shown)
        self.want(*items, *self.waiting)
        if self.running:
            self.stop("saved")

    def want(self, *items: _Item) -> None:
        """To be run from now on, each once, in this order."""
        shown = {item.key for item in items if item.shown}
        self.waiting = [_Item(key, key in shown) for key in dict.fromkeys(i.key for i in items)]

    def go_on(self) -> None:
        """Start the next run, if there is one and nothing is in its way."""
        if self.running or not self.folder.is_as_reported(look=False):
            return
        for item in self.waiting:
            kind = self.kind(item.key)
            if kind not in self.warm:
                self.begin_process(kind)
            if self.warm[kind].ready:
                self.start(item, kind)
                return
        if not self.waiting:
            self.be_quiet()

    def kind(self, key: Key) -> str:
        """Which process it takes."""
        return REFERENCE if REFERENCE in self.standing.needs(key) else ""

    def start(self, item: _Item, kind: str) -> None:
        lesson = item.key[0]
        items = [i for i in self.waiting if i.key[0] == lesson and self.kind(i.key) == kind]
        if item.shown:  # nobody waits for what only the others need
            items = [i for i in items if i.shown]
        self.waiting = [i for i in self.waiting if i not in items]
        needs = {need for i in items for need in self.standing.needs(i.key)}
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

    def verdict(self, item: _Item, checks: Checks, printed: str) -> None:
        before = self.standing.results.get(item.key)
        self.standing.results[item.key] = checks
        if not item.shown and (self.first or before is None or tally(before) == tally(checks)):
            return
        self.shown = True
        # What was saved comes first; what only calls it, where that is right and this is not.
        if not self.chosen or (
            self.standing.is_done(self.standing.current) and not self.standing.is_done(item.key)
        ):
            self.standing.current, self.chosen = item.key, True
        seconds = time.monotonic() - self.saved_at
        self.screen.show_verdict(item.key[1], checks, printed, seconds)

    def be_quiet(self) -> None:
        """Nothing is left to do."""
        if self.first:
            for lesson in self.standing.lessons:
                points, what = self.standing.of(lesson)
                self.screen.say(f"{lesson:<28}{points:>9}  {what}")
            self.screen.say_next(self.standing)
        elif self.shown and (
            self.standing.current is None or self.standing.is_done(self.standing.current)
        ):
            self.screen.say_next(self.standing)
        self.first = self.shown = False

    def show_status(self) -> None:
        status = self.status_now()
        run = self.running
        if run and not run.warned and time.monotonic() - run.begun > LONG:
            run.warned = True
            said = Text(f"{self.doing(run)} is still running. Ctrl-C stops it.", "yellow")
            self.screen.show(said, *first_lines(run.printed))
        self.screen.show_status(status)

    def doing(self, run: _Run) -> str:
        lesson, name = run.items[0].key if run.items else ("", "")
        return name if run.loaded else f"{lesson}.py"

    def status_now(self) -> str:
        if not self.standing.exercises:
            return "Loading PyTorch ..."
        if empty := self.folder.empty():
            return harmless(f"{empty[0]} is empty. Waiting for it ...")
        run = self.running
        if run and (seconds := int(time.monotonic() - run.begun)):
            return f"{self.doing(run)}: {seconds} s ... Ctrl-C stops it"
        if not run and self.waiting:
            return "Loading the reference ..." if REFERENCE in self.warm else "Loading ..."
        points = self.standing.points()
        return f"{points} points   h hint  n next  l list  r run again  q quit  ? help"

    # Keys

    def press(self, key: str) -> bool:
        """False at the end. Raises KeyboardInterrupt, and SystemExit."""
        if key == END:
            raise SystemExit(128 + 15)
        if key == SUSPEND:
            self.screen.stop()
            self.keys.suspend()
            self.screen.start()
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
            self.screen.show_keys()
        elif not self.standing.exercises:
            pass  # still loading
        elif key == "l":
            self.screen.show_list(self.standing)
        elif key == "n":
            self.show_next()
        elif key == "h":
            self.show_hint()
        elif key == "r":
            self.again()
        return True

    def show_next(self) -> None:
        key = self.screen.say_next(self.standing, docstring=True)
        if key is not None:
            self.standing.current = key
            if key[1] in self.standing.worth_running(key[0]):
                self.ask_for([key])

    def show_hint(self) -> None:
        key = self.standing.current
        if key is None or self.standing.is_done(key):
            key = self.standing.unfinished()
        if key is None:
            self.screen.say("Everything passes.", "bold green")
            return
        self.standing.current = key
        exercise: Any = SimpleNamespace(
            name=key[1], hints=self.standing.exercises[key[0]][key[1]]["hints"]
        )
        number = hint.next_one(exercise)
        if not number:
            self.screen.say(f"There is no hint to {key[1]}.")
            return
        of = f"Hint {number} of {len(exercise.hints)} to {key[1]}"
        self.screen.say(f"{of}: {exercise.hints[number - 1]}", "cyan")
        try:
            hint.remember(exercise, number)
        except OSError as error:
            self.screen.say(f"I cannot remember that you have seen it: {error}")

    def again(self) -> None:
        if self.standing.current is not None:
            self.ask_for([self.standing.current])
        else:
            self.ask_for(
                [
                    (at, name)
                    for at in self.standing.lessons
                    for name in self.standing.worth_running(at)
                ]
            )

    def ask_for(self, wanted: Iterable[Key]) -> None:
        self.saved_at, self.chosen = time.monotonic(), False
        self.want(*(_Item(key, True) for key in wanted), *self.waiting)
