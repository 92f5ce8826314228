"""What handing in late costs. A YAML file says so:

    time_zone: Europe/Berlin       # of all times below that name no offset of their own
    due: 2026-03-01 23:59
    lessons:                       # where a lesson is due at another time
      lesson1_tokens: 2026-02-20 23:59
    grace: 15 minutes              # or hours, or days; nothing is taken off within it
    percent_per_day: 10            # of the points made, for each day begun after the due date
    cap: 50                        # percent; never more than this is taken off
    extensions:                    # a due date of their own, for all lessons or for some
      Ada Lovelace (11): 2026-03-05 23:59
      Bob Li (12): {lesson1_tokens: 2026-02-25 23:59}
    submitted:                     # when somebody handed in, whatever the gradebook says
      Cy Ng (13): 2026-03-01 20:00
    file_times: ignore             # or count: where a file's time is all there is

`percent_per_day` and `due`, or a due date for each lesson, are needed; the rest may be left out.

The lateness is counted from the due date, also where it is more than the grace. Points are rounded
to hundredths by lesson, halves up (ROUND_HALF_UP); points made are whole numbers, so this never
adds to them. Nothing is taken off where nobody knows when something was handed in. What counts is
when the submission was handed in that a lesson was graded of, or the same work before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from grader.gradebook.whom import is_like_one, whom
from grader.intake.layouts import CANVAS_LATE, CANVAS_ON_TIME, FILE_TIME
from grader.problem import Problem

KEYS = (
    "time_zone", "due", "lessons", "grace", "percent_per_day", "cap", "extensions", "submitted",
    "file_times",
)  # fmt: skip
HUNDREDTH = Decimal("0.01")
DAY = timedelta(days=1)
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}
POLICY_FILE = "the late policy"


class WrongPolicy(Problem):
    """Something in the file cannot be meant. One line: where, what, and what to write."""


@dataclass(frozen=True)
class Judgement:
    """What handing in late costs in one lesson."""

    percent: Decimal = Decimal(0)  # of the points made
    says: str = ""  # one sentence for the student; empty where all was in time
    submitted: str = ""  # ISO 8601 in the policy's time zone
    is_doubtful: bool = False  # judged by a file's time, or not judged at all
    is_in_time_by_file: bool = False  # nothing is taken off, and only a file's time says so


@dataclass(frozen=True)
class Policy:
    zone: timezone | ZoneInfo
    due: datetime | None
    lessons: Mapping[str, datetime]
    percent_per_day: Decimal
    grace: timedelta = timedelta(0)
    cap: Decimal = Decimal(100)
    # student -> lesson, or "" for all -> when
    extensions: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    submitted: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    file_times: bool = False
    not_here: tuple[str, ...] = ()  # who have an extension, and have handed in nothing yet

    def due_for(self, student: str, lesson: str) -> datetime | None:
        """An extension never makes a due date earlier."""
        due = self.lessons.get(lesson, self.due)
        theirs = self.extensions.get(student, {})
        extended = theirs.get(lesson, theirs.get(""))
        return due if extended is None or due is None else max(due, extended)

    def percent(self, late: timedelta) -> Decimal:
        """Of the points made, for something handed in so long after its due date."""
        if late <= self.grace or late <= timedelta(0):
            return Decimal(0)
        return min(self.cap, self.percent_per_day * days_begun(late))

    def judge(self, student: str, lesson: str, submitted: str, submitted_by: str) -> Judgement:
        """By what the gradebook says of when it was handed in, if the policy does not."""
        due = self.due_for(student, lesson)
        theirs = self.submitted.get(student, {})
        given = theirs.get(lesson, theirs.get(""))
        if given is not None:
            when, by = given, POLICY_FILE
        elif submitted:
            when, by = datetime.fromisoformat(submitted), submitted_by
        else:
            return _unknown(submitted_by, due)
        local = _in(self.zone, when).isoformat(" ", "seconds")
        if due is None:
            return Judgement(submitted=local)
        # Due at 23:59 means until it is 0:00.
        late = when.replace(second=0, microsecond=0) - due
        percent = self.percent(late)
        if late <= max(self.grace, timedelta(0)):
            return Judgement(submitted=local, is_in_time_by_file=by == FILE_TIME)
        days = days_begun(late)
        begun = "1 day" if days == 1 else f"{days} days"
        if by == FILE_TIME and not self.file_times:
            return Judgement(
                submitted=local,
                is_doubtful=True,
                says=f"Its file was changed at {self._shown(when)}, and it was due at"
                f" {self._shown(due)}; by a file's time alone nothing is taken off.",
            )
        how = " (the time of change of its file, which copies and archives often do not keep)"
        guess = how if by == FILE_TIME else ""
        capped = ", the most there is" if percent == self.cap and percent < 100 else ""
        return Judgement(
            percent,
            f"Handed in at {self._shown(when)}{guess}, due at {self._shown(due)}: for {begun} begun"
            f" {_number(percent)} % of the points are taken off{capped}.",
            local,
            bool(guess),
        )

    def _shown(self, time: datetime) -> str:
        return _in(self.zone, time).strftime("%Y-%m-%d %H:%M %Z")


def _in(zone: timezone | ZoneInfo, time: datetime) -> datetime:
    try:
        return time.astimezone(zone)
    except OverflowError:  # in the years 1 and 9999
        return time


def _unknown(submitted_by: str, due: datetime | None) -> Judgement:
    if due is None or submitted_by == CANVAS_ON_TIME:
        return Judgement()
    if submitted_by == CANVAS_LATE:
        says = "Canvas has it as late, but not by how much: nothing is taken off."
    else:
        says = "When it was handed in is not known: nothing is taken off."
    return Judgement(says=says, is_doubtful=True)


def days_begun(late: timedelta) -> int:
    return -(-late // DAY)


def final(points: int, percent: Decimal) -> Decimal:
    """What is left of the points of a lesson, in hundredths.

    `percent` from 0 to 100 with at most four decimals, so that all but the rounding is exact."""
    return (points * (100 - percent) / 100).quantize(HUNDREDTH, ROUND_HALF_UP)


def shares(points: Iterable[int], percent: Decimal) -> list[Decimal]:
    """What is left of each check's points. Their sum is what is left of the lesson's, to the
    hundredth, and none is more than it was."""
    found, so_far = [], 0
    for some in points:
        found.append(final(so_far + some, percent) - final(so_far, percent))
        so_far += some
    return found


# --- Reading it ----------------------------------------------------------------------------------


def read(path: Path, students: Collection[str], lessons: Collection[str]) -> Policy:
    """Raises WrongPolicy."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongPolicy(f"{path} cannot be read ({problem}). Name a YAML file.") from None
    try:
        return parse(text, students, lessons)
    except WrongPolicy as problem:
        raise WrongPolicy(f"{path}: {problem}") from None


def parse(text: str, students: Collection[str], lessons: Collection[str]) -> Policy:
    """Raises WrongPolicy."""
    given = _yaml(text)
    _known(given, KEYS, "the file")
    zone = _zone(given)

    def time(value: object, what: str) -> datetime:
        # Of a time that the clocks have twice, or not at all, the one that is kinder.
        return max(_times(value, what, zone, given))

    def handed_in(value: object, what: str) -> datetime:
        return min(_times(value, what, zone, given))

    due = time(given["due"], "due") if "due" in given else None
    by_lesson = _mapping(given.get("lessons", {}), "lessons")
    _known(by_lesson, lessons, "lessons")
    lessons_due = {name: time(value, f"lessons, {name}") for name, value in by_lesson.items()}
    if due is None and not lessons_due:
        raise WrongPolicy("there is no due date. Write, say, `due: 2026-03-01 23:59`.")
    if "percent_per_day" not in given:
        raise WrongPolicy("percent_per_day is missing. Write, say, `percent_per_day: 10`.")
    told = given.get("file_times", "ignore")
    if told not in ("count", "ignore"):
        raise WrongPolicy(f"file_times is {_short(told)}. Write count or ignore.")
    extensions = _by_student(given, "extensions", students, lessons, time)
    return Policy(
        zone=zone or timezone.utc,
        due=due,
        lessons=lessons_due,
        percent_per_day=_percent(given["percent_per_day"], "percent_per_day"),
        grace=_duration(given.get("grace", "0 minutes"), "grace"),
        cap=_percent(given.get("cap", "100"), "cap"),
        extensions=extensions,
        submitted=_by_student(given, "submitted", students, lessons, handed_in),
        file_times=told == "count",
        not_here=tuple(name for name in extensions if name not in students),
    )


def _yaml(text: str) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.BaseLoader):  # type: ignore[misc]
        """Everything stays text, and nothing is said twice: YAML would take the last."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            pairs = [(self.construct_object(key, True), value) for key, value in node.value]
            for key, _ in pairs:
                if not isinstance(key, str):
                    raise WrongPolicy(f"{key!r} is no name. Put it in quotes.")
                if [name for name, _ in pairs].count(key) > 1:
                    raise WrongPolicy(f"{key!r} is there twice. Leave one of them.")
            return {key: self.construct_object(value, True) for key, value in pairs}

        def construct_yaml_map(self, node: Any) -> Any:
            return self.construct_mapping(node)

    Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_yaml_map)
    try:
        found = yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        why = getattr(problem, "problem", None) or type(problem).__name__
        raise WrongPolicy(f"not YAML{line} ({why}). Look for a missing colon or quote.") from None
    return _mapping(found, "the file")


def _mapping(value: object, what: str) -> dict[str, Any]:
    if value == "" and what != "the file":  # a key with nothing after it
        return {}
    if not isinstance(value, dict):
        raise WrongPolicy(f"{what} is no list of names with values (`name: value`).")
    return value


def _known(given: Mapping[str, object], names: Collection[str], where: str) -> None:
    for name in given:
        if name not in names:
            raise WrongPolicy(f"{where}: there is no {name!r}. There are {', '.join(names)}.")


def _zone(given: Mapping[str, Any]) -> ZoneInfo | None:
    if "time_zone" not in given:
        return None
    try:
        return ZoneInfo(given["time_zone"])
    except (KeyError, ValueError, OSError, TypeError):
        raise WrongPolicy(
            f"time_zone: {_short(given['time_zone'])} is not known here. Write a name like"
            " Europe/Berlin or UTC (where there are none at all: pip install tzdata)."
        ) from None


def _times(
    value: object, what: str, zone: ZoneInfo | None, given: Mapping[str, Any]
) -> Sequence[datetime]:
    if not isinstance(value, str):
        raise WrongPolicy(f"{what}: {_short(value)} is no time. Write 2026-03-01 23:59.")
    value = value.strip()
    if re.fullmatch(r"\d{4}-\d\d?-\d\d?", value):
        raise WrongPolicy(f"{what}: {value} has no time of day. Write {value} 23:59.")
    try:
        time = datetime.fromisoformat(re.sub(r"\s*[zZ]$", "+00:00", value))
    except ValueError:
        raise WrongPolicy(f"{what}: {value!r} is no time. Write 2026-03-01 23:59.") from None
    if time.tzinfo is None and zone is None:
        raise WrongPolicy(
            f"{what}: {value} is in no time zone. Add a line `time_zone: Europe/Berlin` for all,"
            " or an offset here (2026-03-01 23:59+01:00)."
        )
    if not 1970 <= time.year <= 9000:
        raise WrongPolicy(f"{what}: {value!r} is out of all reach.")
    try:
        if time.tzinfo is not None:
            return [time.astimezone(timezone.utc)]
        return [time.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
    except OverflowError:
        raise WrongPolicy(f"{what}: {value!r} is out of all reach.") from None


def _percent(value: object, what: str) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,3}(\.\d{1,4})?( ?%)?", value):
        raise WrongPolicy(
            f"{what}: {_short(value)} is no percentage. Write a number from 0 to 100."
        )
    percent = Decimal(value.rstrip("% "))
    if percent > 100:
        raise WrongPolicy(f"{what}: {value} is more than 100.")
    return percent


def _duration(value: object, what: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6}) ?(minute|hour|day)s?", value if isinstance(value, str) else "")
    if not found:
        raise WrongPolicy(
            f"{what}: {_short(value)} is no length of time. Write 15 minutes, or 2 days."
        )
    return int(found[1]) * UNITS[found[2]]


def _by_student(
    given: Mapping[str, Any],
    what: str,
    students: Collection[str],
    lessons: Collection[str],
    time: Callable[[object, str], datetime],
) -> dict[str, dict[str, datetime]]:
    found = {}
    for student, value in _mapping(given.get(what, {}), what).items():
        # Whoever has handed in nothing yet may have an extension all the same.
        is_to_come = what == "extensions" and not is_like_one(student, sorted(students))
        if student not in students and not is_to_come:
            raise WrongPolicy(
                f"{what}: {whom(student, sorted(students))} Name them as `grader results` does;"
                " whoever has handed in nothing yet is not in the gradebook."
            )
        if isinstance(value, dict):
            _known(value, lessons, f"{what}, {student}")
            found[student] = {
                lesson: time(one, f"{what}, {student}, {lesson}") for lesson, one in value.items()
            }
        else:
            found[student] = {"": time(value, f"{what}, {student}")}
    return found


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def _number(value: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
