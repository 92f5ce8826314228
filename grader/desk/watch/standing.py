"""Where the student stands, as the watcher knows it: what came of what, and what is next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.desk.watch import saved
from grader.verdict.progress import score, tally, written_order

Key = tuple[str, str]  # lesson, exercise
Checks = list[dict[str, Any]]


class Standing:
    def __init__(self, folder: saved.Folder, only: list[str]) -> None:
        self.folder, self.lessons = folder, only
        self.exercises: dict[str, dict[str, dict[str, Any]]] = {}  # lesson -> name -> about it
        # As last imported, or at first as found.
        self.sources = {lesson: saved.source(self.text(lesson)) for lesson in self.lessons}
        self.results: dict[Key, Checks] = {}
        self.broken: set[str] = set()  # lessons that cannot be imported
        self.current: Key | None = None

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

    def affected(self, lesson: str, changed: bool, words: set[str]) -> list[tuple[str, bool]]:
        """What of a lesson is to be run, since its file has changed or others have that it calls
        by these words; and whether whatever comes of it is to be shown."""
        old, new = self.sources[lesson], saved.source(self.text(lesson))
        names = list(self.exercises[lesson])
        own: set[str] = set()
        touched: set[str] | None = None
        if new is None:  # so that it is said
            return [(name, False) for name in names]
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
        return [(name, name in shown) for name in ordered]

    def of(self, lesson: str) -> tuple[str, str]:
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

    def points(self) -> str:
        return score([check for lesson in self.lessons for check in self.checks(lesson)])
