"""What `check` gives back: it shows itself, as HTML in a notebook and as text elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from grader.desk.html import box, code, feedback, heading, table
from grader.outcome import Outcome, worst
from grader.verdict.answers import Judged
from grader.verdict.exercise import Check, Exercise
from grader.verdict.progress import score, tally


@dataclass
class Result:
    """What came of one check."""

    check: Check
    judged: Judged
    printed: str = ""

    @property
    def outcome(self) -> str:
        return self.judged.outcome.value

    @property
    def properties(self) -> dict[str, Any]:
        return self.judged.counts(self.check)

    @property
    def is_shown(self) -> bool:
        return bool(self.judged.feedback) and not self.judged.said


@dataclass
class Checked:
    """What came of an exercise's checks. Shows itself."""

    lesson: str
    exercise: Exercise
    results: list[Result]
    is_cell: bool = True  # and not a file that was imported
    summary: str = ""  # of the exercise: the first line of its docstring
    against: str = ""  # which reference, if one took part
    next: str = ""

    @property
    def properties(self) -> list[dict[str, Any]]:
        return [result.properties for result in self.results]

    @property
    def points(self) -> int:
        return sum(properties["points"] for properties in self.properties)

    @property
    def max_points(self) -> int:
        return self.exercise.points

    @property
    def is_passed(self) -> bool:
        return self.points == self.max_points

    @property
    def headline(self) -> str:
        return f"{self.exercise.name}: {tally(self.properties)}, {score(self.properties)} points"

    @property
    def misconception(self) -> str:
        explained = (r.judged.explanation for r in self.results)
        return next((e.name for e in explained if e is not None), "")

    @property
    def remark(self) -> str:
        notes = [r.judged.note for r in self.results if r.judged.note]
        if self.is_passed and notes:
            return f"{self.exercise.name} passes, with a remark: {notes[0]}."
        return ""

    @property
    def _end(self) -> list[str]:
        """What is said at last."""
        name = self.exercise.name
        said = [self.remark, f"Checked against {self.against}." if self.against else ""]
        if not self.is_passed:
            is_todo = all(result.judged.outcome is Outcome.TODO for result in self.results)
            do = "Write it in place of `raise NotImplementedError`" if is_todo else f"Change {name}"
            again = "run its cell" if self.is_cell else "load it again"
            said.append(f"{do}, {again}, then check({name}).")
        elif self.next:
            said.append(f"Next: {self.next}")
        return [line for line in said if line]

    def __repr__(self) -> str:
        lines = [self.headline]
        for r in self.results:
            same = "  (the same as above)" if r.judged.said else ""
            lines.append(f"  {r.outcome:<7} {score([r.properties]):>6}  {r.check.name}{same}")
        for r in self.results:
            if r.is_shown:
                lines += ["", f"--- {r.check.name} ---", r.judged.feedback]
                if r.printed:
                    lines += ["", "It printed:", r.printed]
        return "\n".join([*lines, "", *self._end])

    def _repr_html_(self) -> str:
        rows = []
        for r in self.results:
            says = code(r.check.says) + (" <i>(the same as above)</i>" if r.judged.said else "")
            rows.append((r.outcome, escape(r.check.name), score([r.properties]), says))
        parts = [heading(self.headline), table(rows)]
        is_open = True
        for r in self.results:
            if r.is_shown:
                printed = f"\n\nIt printed:\n{r.printed}" if r.printed else ""
                parts.append(feedback(r.check.name, r.judged.feedback + printed, is_open))
                is_open = False
        parts += [f'<p style="margin:.5em 0 0">{code(line)}</p>' for line in self._end]
        return box("\n".join(parts), worst(r.outcome for r in self.results))


@dataclass
class Progress:
    """What came of all exercises. Shows itself."""

    checked: list[Checked] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(checked.points for checked in self.checked)

    @property
    def max_points(self) -> int:
        return sum(checked.max_points for checked in self.checked)

    def _by_lesson(self) -> dict[str, list[Checked]]:
        found: dict[str, list[Checked]] = {}
        for checked in self.checked:
            found.setdefault(checked.lesson, []).append(checked)
        return found

    @property
    def _end(self) -> list[str]:
        if not self.checked:
            return ["No exercise is defined here yet. Run the cells that define them first."]
        said = [checked.remark for checked in self.checked if checked.remark]
        said += {f"Checked against {c.against}.": None for c in self.checked if c.against}
        left = next((checked for checked in self.checked if not checked.is_passed), None)
        if left is None:
            said.append("All of them pass.")
        else:
            said.append(f"Next: {left.exercise.name}  {left.summary}".rstrip())
        return said

    def __repr__(self) -> str:
        lines = []
        for lesson, exercises in self._by_lesson().items():
            everything = [p for checked in exercises for p in checked.properties]
            lines.append(f"{lesson:<28}{score(everything):>9}  {tally(everything)}")
            for c in exercises:
                named = f": {c.misconception}" if c.misconception else ""
                came = f"{score(c.properties):>9}  {tally(c.properties)}{named}"
                lines.append(f"  {c.exercise.name:<26}{came}")
        return "\n".join(lines + self._end)

    def _repr_html_(self) -> str:
        parts = []
        for lesson, exercises in self._by_lesson().items():
            everything = [p for checked in exercises for p in checked.properties]
            parts.append(heading(f"{lesson}: {score(everything)} points, {tally(everything)}"))
            rows = []
            for c in exercises:
                named = f"<b>{code(c.misconception)}</b>" if c.misconception else ""
                name = escape(c.exercise.name)
                rows.append((tally(c.properties), name, score(c.properties), named))
            parts.append(table(rows))
        parts += [f'<p style="margin:.5em 0 0">{code(line)}</p>' for line in self._end]
        outcomes = (r.outcome for checked in self.checked for r in checked.results)
        return box("\n".join(parts), worst(outcomes))
