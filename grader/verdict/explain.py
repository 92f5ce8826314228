"""Why an answer is wrong: the fewest mistakes that together account for what it does.

An answer has been run on all cases. A misconception *explains* a case where it does the same as
the answer, both wrong. It is *contradicted* by a case on which it is wrong and the answer is right;
then it is out. Where two of several are wrong at once, they may make together what neither makes
alone.

What no misconception explains may show in the observation itself (`grader.verdict.patterns`): a
forgotten return, a factor, another order.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from threading import Lock
from typing import Any, Protocol

import torch

from grader.inside import observe
from grader.inside.plain import sampled
from grader.inside.run import Raised
from grader.verdict import agree, parts, patterns
from grader.verdict.counting import says_something
from grader.verdict.exercise import Case, Check, Exercise, Misconception
from grader.verdict.grade import Question, Verdict, difference, judge, observation
from grader.words import AT_ONCE, CALLS, IN_PART, LOOKS_LIKE, SEVERAL

MOST = 3  # causes at once
SUSPECTS = 12  # misconceptions that are combined with one another
SURE = 0.6  # the share of what is wrong from which on a name is given without reserve
ALL_BUT = 0.85  # the same, of what is no more than True, False or 0
ONE_BY_ONE = 0.42  # for the same: the share of what is wrong that one of them alone does
AT_ODDS = 0.3  # for the same: the share on which one of them is wrong otherwise, at the most
RIVALS = 2  # misconceptions that may do the same where one of several shows in one number
WORK = 60_000  # entries that are compared, about, before it is too much
FAINT = 0.3  # below this none is given


class Cause(Protocol):
    """What somebody did wrong: a misconception, or what a pattern shows."""

    @property
    def name(self) -> str: ...
    @property
    def says(self) -> str: ...


@dataclass(frozen=True)
class Helper:
    """Another exercise that an answer calls, and that is wrong itself."""

    exercise: str

    @property
    def name(self) -> str:
        return f"calls {self.exercise}, which is not right yet"


@dataclass(frozen=True)
class Explanation:
    causes: tuple[Cause, ...]  # in the order in which to mend them
    is_sure: bool = True
    helper: Helper | None = None  # to be mended before any of them
    shows: frozenset[int] = frozenset()  # numbers of the cases that one of them explains

    @property
    def name(self) -> str:
        """For tables and gradebooks."""
        in_part = "" if self.is_sure else "in part: "
        names = [f"{in_part}{cause.name}" for cause in self.causes]
        return SEVERAL.join([self.helper.name, *names] if self.helper is not None else names)

    @property
    def heading(self) -> str:
        """The sentence that a feedback begins with."""
        names = [cause.name for cause in self.causes]
        words = IN_PART if not self.is_sure else AT_ONCE.get(len(names), LOOKS_LIKE)
        looks_like = f"{words}{'; and '.join(names)}." if names else ""
        if self.helper is None:
            return looks_like
        begin = f"{CALLS}{self.helper.exercise}, which is not right yet: begin there."
        return f"{begin} {looks_like}".rstrip()

    @property
    def says(self) -> list[str]:
        """What to think about, a paragraph a cause."""
        return [cause.says for cause in self.causes if cause.says]


@dataclass(frozen=True, eq=False)
class Seen:
    """What came of an answer on a case."""

    check: Check
    case: Case
    expected: Any
    observed: Any

    @classmethod
    def of(cls, check: Check, question: Question, observed: Any) -> Seen:
        expected = question.expected
        return cls(check, question.case, expected, parts.within_reason(observed, expected))

    @cached_property
    def is_wrong(self) -> bool:
        return is_wrong(self.check, self.observed, self.expected)

    @property
    def is_todo(self) -> bool:
        return isinstance(self.observed, Raised) and self.observed.is_todo

    @cached_property
    def wrong_parts(self) -> frozenset[Any]:
        return self.wrong_parts_of(self.observed)

    def wrong_parts_of(self, observed: Any) -> frozenset[Any]:
        """Of what the answer, or a misconception, gave: one slip may show in one part and another
        in the next."""
        if not is_wrong(self.check, observed, self.expected):
            return frozenset()
        here, should = parts.split(observed, self.expected), self._expected_parts
        agrees = parts.AGREE.get(self.check.agree, {})
        wrong = frozenset(
            part
            for part in should
            if isinstance(here[part], Raised)
            or not agrees.get(part, same)(here[part], should[part])
        )
        return wrong or frozenset(should)

    def same_parts(self, other: Any) -> frozenset[Any]:
        """Where a misconception gave the same."""
        here, there = self._parts, parts.split(other, self.expected)
        return frozenset(part for part in here if same(here[part], there[part]))

    @cached_property
    def _parts(self) -> dict[Any, Any]:
        return parts.split(self.observed, self.expected)

    @cached_property
    def _expected_parts(self) -> dict[Any, Any]:
        return parts.split(self.expected, self.expected)

    @property
    def parting(self) -> float:
        try:
            return agree.parting(self.observed, self.expected)
        except Exception:  # whatever they returned, it is not this grader's end
            return 1.0


def shown(
    check: Check, verdict: Verdict, seen: Sequence[Seen], explained: Explanation | None
) -> Verdict:
    """The same verdict on the case of this check that shows the mistake best: of those where it is
    of the same kind, the one where it departs the furthest, and of several the smallest."""
    if explained is None:
        return verdict
    kind = verdict.raised.kind if verdict.raised is not None else None
    fit = [
        one
        for i, one in enumerate(seen)
        if one.check is check and i in explained.shows
        and (one.observed.kind if isinstance(one.observed, Raised) else None) == kind
    ]  # fmt: skip
    if not fit:
        return verdict
    best = max(fit, key=lambda one: round(one.parting, 1))
    return judge(check, Question(best.case, best.expected), best.observed)


def is_wrong(check: Check, observed: Any, expected: Any) -> bool:
    if observed is expected:
        return False
    return isinstance(observed, Raised) or difference(check, observed, expected) is not None


def same(one: Any, other: Any) -> bool:
    """Exceptions by type, and by what they complain of where PyTorch says it: the same mistake is
    made in other operations, with other words."""
    if isinstance(one, Raised) or isinstance(other, Raised):
        if not isinstance(one, Raised) or not isinstance(other, Raised) or one.kind != other.kind:
            return False
        complaints = patterns.complaint(one), patterns.complaint(other)
        return None in complaints or complaints[0] == complaints[1]
    return agree.equal(one, other)


def begin_with(helper: str, left: Explanation | None, seen: Sequence[Seen]) -> Explanation:
    """Where an answer calls another one that is wrong: that first, then what is left to say."""
    if left is not None and left.is_sure:
        return replace(left, helper=Helper(helper))
    return Explanation((), helper=Helper(helper), shows=_wrong(seen))


def _wrong(seen: Sequence[Seen]) -> frozenset[int]:
    return frozenset(i for i, one in enumerate(seen) if one.is_wrong)


Point = tuple[int, Any]  # number of a case, and part of its result


@dataclass(frozen=True)
class _Suspect:
    """A cause, and where it does the same as the answer, and where it is wrong."""

    causes: tuple[Cause, ...]
    explains: frozenset[Point]
    wrong: frozenset[Point]
    price: float = 0.0  # what it has to explain beyond others to be preferred to them
    is_alone: bool = False  # not one of several

    def parts(self, case: int) -> list[Any]:
        """Of a case, those that are wrong."""
        return self._parts.get(case, [])

    @cached_property
    def _parts(self) -> dict[int, list[Any]]:
        found: defaultdict[int, list[Any]] = defaultdict(list)
        for case, part in self.wrong:
            found[case].append(part)
        return found


class Misconceptions:
    """What they do on cases, and where that is wrong: run once each, whatever answers are held
    against them."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], tuple[Case, Any, frozenset[Any]]] = {}
        self._lock = Lock()  # what runs sets what is global

    def observed(self, misconception: Misconception, one: Seen) -> Any:
        return self._of(misconception, one)[1]

    def wrong_parts(self, misconception: Misconception, one: Seen) -> frozenset[Any]:
        return self._of(misconception, one)[2]

    def _of(self, misconception: Misconception, one: Seen) -> tuple[Case, Any, frozenset[Any]]:
        key = id(misconception), id(one.case)
        if key not in self._made:
            with self._lock:
                made = sampled(observation(one.check, misconception.implementation, one.case))
            self._made[key] = one.case, made, one.wrong_parts_of(made)
        return self._made[key]


class _Answer:
    """All that came of an answer."""

    def __init__(self, seen: Sequence[Seen], known: Misconceptions) -> None:
        self.seen, self._known = seen, known
        self.wrong = frozenset((i, part) for i, one in enumerate(seen) for part in one.wrong_parts)
        self.cases = sorted({i for i, _ in self.wrong})

    def known(self, misconception: Misconception, i: int) -> Any:
        """What a misconception does on a case."""
        return self._known.observed(misconception, self.seen[i])

    def known_wrong(self, misconception: Misconception, i: int) -> frozenset[Any]:
        return self._known.wrong_parts(misconception, self.seen[i])

    def is_contradicted(self, misconception: Misconception) -> bool:
        """Is it wrong where the answer is right?"""
        return any(
            not self.known_wrong(misconception, i) <= one.wrong_parts
            for i, one in sorted(enumerate(self.seen), key=lambda at: at[1].is_wrong)
        )

    @cached_property
    def telling(self) -> frozenset[Point]:
        """Where what came back is more than True, 0 or nothing."""
        return frozenset(point for point in self.wrong if _tells(self.seen[point[0]].observed))

    @cached_property
    def numbers(self) -> frozenset[Point]:
        """Where what came back is one finite number, which many a way leads to."""
        return frozenset(p for p in self.wrong if _is_number(self.seen[p[0]].observed))

    @cached_property
    def places(self) -> list[frozenset[Point]]:
        """Where the answer raised, by what and on which line of it."""
        found: defaultdict[Any, set[Point]] = defaultdict(set)
        for i, part in self.wrong:
            raised = self.seen[i].observed
            if isinstance(raised, Raised) and raised.frames:
                last = raised.frames[-1]
                place = raised.kind, patterns.complaint(raised), last.file, last.line
                found[place].add((i, part))
        return [frozenset(points) for points in found.values()]


def _is_number(observed: Any) -> bool:
    if isinstance(observed, torch.Tensor) and observed.numel() == 1 and not observed.is_complex():
        observed = observed.item()
    return isinstance(observed, int) or (isinstance(observed, float) and math.isfinite(observed))


def _tells(observed: Any) -> bool:
    if isinstance(observed, (str, bytes)):
        return bool(observed)
    return isinstance(observed, Raised) or says_something(observed)


def explanation(
    exercise: Exercise, seen: Sequence[Seen], known: Misconceptions
) -> Explanation | None:
    """Of an answer that is wrong somewhere; None where nothing accounts for it."""
    try:
        return _explanation(exercise, seen, known)
    except Exception:  # as in `grade.judge`: whatever they returned, it is not this grader's end
        return None


def _explanation(
    exercise: Exercise, seen: Sequence[Seen], known: Misconceptions
) -> Explanation | None:
    answer = _Answer(seen, known)
    possible = [one for one in exercise.misconceptions if not answer.is_contradicted(one)]
    suspects = [*_misconceptions(possible, answer), *_patterns(answer)]
    found = _fewest(suspects, answer)
    if not found.says_all and (found.share < SURE or any(one.price for one in found.suspects)):
        found = _fewest(
            [*suspects, *_in_another_form(exercise, possible, answer, suspects)], answer
        )
    is_sure = found.is_sure
    if not is_sure and not found.says_much:
        return None
    if not is_sure:  # one is the most that can be said
        found = _fewest(suspects, answer, most=1)
    explained = frozenset(i for suspect in found.suspects for i, _ in suspect.explains)
    if not is_sure and (found.share < FAINT or (len(explained) < 2 and found.share < 0.5)):
        return None
    causes = dict.fromkeys(cause for suspect in found.suspects for cause in suspect.causes)
    return Explanation(tuple(causes), is_sure, shows=explained)


def _misconceptions(possible: Sequence[Misconception], answer: _Answer) -> list[_Suspect]:
    """Those that explain something, of those that nothing contradicts."""
    wrong = {
        id(known): frozenset(
            (i, part) for i in answer.cases for part in answer.known_wrong(known, i)
        )
        for known in possible
    }
    found = []
    for known in possible:
        others = [points for one, points in wrong.items() if one != id(known)]
        own = wrong[id(known)]
        explains = _explains(known, own, answer)
        for points in answer.places:  # one line that raises is one mistake: all of it, or nothing
            if not points <= own.union(*others):
                explains -= points
        if explains:
            found.append(_Suspect((known,), explains, own))
    return found


def _explains(
    misconception: Misconception, wrong: frozenset[Point], answer: _Answer
) -> frozenset[Point]:
    """Where it does the same as the answer."""
    same_there, both_raise, both_write = set(), set(), set()
    for i in {i for i, _ in wrong}:
        one, theirs = answer.seen[i], answer.known(misconception, i)
        points = {point for point in wrong if point[0] == i}
        same_there |= {(i, part) for part in one.same_parts(theirs)} & points
        if isinstance(theirs, Raised) and isinstance(one.observed, Raised):
            both_raise |= points
        elif one.check.observe is observe.arguments_after:
            both_write |= points
    # Where it gives the same often, whatever it raises is the same, and writes.
    values = wrong - both_raise - both_write
    if values and len(same_there & values) >= 0.34 * len(values):
        same_there |= both_raise
    if same_there:
        same_there |= both_write
    return frozenset(same_there & answer.wrong)


def _patterns(answer: _Answer) -> Iterator[_Suspect]:
    """What the results show by themselves."""
    for one in patterns.found(answer.seen):
        points = frozenset(point for point in answer.wrong if point[0] in one.cases)
        yield _Suspect((one.pattern,), points, points, one.price, is_alone=not one.is_certain)


def _in_another_form(
    exercise: Exercise,
    possible: Sequence[Misconception],
    answer: _Answer,
    others: Sequence[_Suspect],
) -> Iterator[_Suspect]:
    """Two at once on every case: a pattern in what came back, if the right result were that of a
    misconception. Not tried where that is a lot of work."""
    work = sum(parts.work(answer.seen[i].observed) for i in answer.cases)
    if work * len(exercise.misconceptions) > WORK:
        return
    for known in possible:
        if not any(answer.known_wrong(known, i) for i in answer.cases):
            continue
        theirs = {i: answer.known(known, i) for i in answer.cases}
        alike = {
            i for i in answer.cases
            if answer.seen[i].same_parts(theirs[i]) >= answer.seen[i].wrong_parts
        }  # fmt: skip
        left = [i for i in answer.cases if i not in alike]
        if not left or any(isinstance(theirs[i], Raised) for i in left):
            continue
        supposed = [replace(answer.seen[i], expected=theirs[i]) for i in left]
        for one in patterns.found(supposed, forms=True):
            cases = {left[n] for n in one.cases} | alike
            points = frozenset(point for point in answer.wrong if point[0] in cases)
            if any(other.causes == (one.pattern,) and points <= other.explains for other in others):
                continue  # it needs no misconception
            yield _Suspect((known, one.pattern), points, points, price=1.0)


class _Group:
    """Several suspects, and what they account for between them."""

    def __init__(self, suspects: Sequence[_Suspect], answer: _Answer) -> None:
        self.suspects, self.answer = suspects, answer

    @cached_property
    def explained(self) -> frozenset[Point]:
        return _explained(self.suspects)

    @cached_property
    def left(self) -> frozenset[Point]:
        return self.answer.wrong - self.explained

    def _wrong_at_once(self, point: Point) -> int:
        return sum(point in one.wrong for one in self.suspects)

    @cached_property
    def together(self) -> int:
        """How many points two of them may make together: no more than they make one by one."""
        made = sum(self._wrong_at_once(point) > 1 for point in self.left)
        return min(made, len(self.explained))

    @property
    def share(self) -> float:
        return len(self.explained) / max(1, len(self.answer.wrong) - self.together)

    @property
    def says_all(self) -> bool:
        """Is it one that accounts for all, and holds whatever else is wrong?"""
        return len(self.suspects) == 1 and all(
            self.answer.wrong <= one.explains and not one.is_alone for one in self.suspects
        )

    @property
    def says_much(self) -> bool:
        return bool(self.explained & self.answer.telling)

    @property
    def is_sure(self) -> bool:
        """Do they account for most of what is wrong, the better part of it one by one, and is
        hardly any of them wrong in another way than the answer?"""
        wrong = len(self.answer.wrong)
        at_odds = sum(self._wrong_at_once(point) == 1 for point in self.left)
        # True and False, or 0, are soon the same: of such alone, hardly any may be left.
        return (
            self.share >= (SURE if self.says_much else ALL_BUT)
            and len(self.explained) >= ONE_BY_ONE * wrong
            and at_odds <= AT_ODDS * wrong
        )

    def can_be(self, rivals: Mapping[Point, int]) -> bool:
        """Each of them is needed, and says something beside the others."""
        is_one = len(self.suspects) == 1
        if not is_one and any(one.is_alone for one in self.suspects):
            return False
        if sum(len(one.causes) for one in self.suspects) > MOST:
            return False
        for one in self.suspects:
            own = one.explains - _explained([other for other in self.suspects if other is not one])
            # Of several, each does something that hardly any other does, where it is one number.
            is_common = all(rivals[p] > RIVALS and p in self.answer.numbers for p in own)
            if not own or (is_common and not is_one):
                return False
        return True

    def cost(self, rivals: Mapping[Point, int]) -> tuple[float, int]:
        left = len(self.left) - 0.5 * self.together
        # What many a mistake does, or what is soon done, speaks less for any of them.
        for point in self.explained:
            is_telling = point in self.answer.telling
            left += min(0.45, 0.8 * (1 - 1 / max(1, rivals[point])) + 0.3 * (not is_telling))
        # A further cause has to explain more than a case or two of many; a third one still more.
        n = sum(len(one.causes) for one in self.suspects)
        further = (0, 0, 0.4, 2.4)[n] * max(1.0, 0.05 * len(self.answer.wrong))
        price = further + sum(one.price for one in self.suspects)
        return left + price, sum(len(one.wrong) for one in self.suspects)


def _fewest(suspects: Sequence[_Suspect], answer: _Answer, most: int = MOST) -> _Group:
    """Those that leave the least of what is wrong unexplained, the fewer the better; in the order
    of the checks that show them."""
    likely = sorted(suspects, key=lambda s: (-len(s.explains), len(s.wrong)))[:SUSPECTS]
    rivals = Counter(p for suspect in suspects if not suspect.price for p in suspect.explains)
    groups = (_Group(some, answer) for n in range(1, most + 1) for some in combinations(likely, n))
    can_be = [group for group in groups if group.can_be(rivals)]
    best = min(can_be, key=lambda group: group.cost(rivals), default=_Group((), answer))
    return _Group(sorted(best.suspects, key=lambda one: min(i for i, _ in one.explains)), answer)


def _explained(suspects: Collection[_Suspect]) -> frozenset[Point]:
    """Not a part of a result of which one of them makes another part otherwise, unless that part is
    another's, or is what two of them make together."""
    explained = frozenset().union(*(one.explains for one in suspects))
    left = {
        point
        for one in suspects
        for point in one.wrong - one.explains - explained
        if sum(point in other.wrong for other in suspects) == 1
    }
    if not left:
        return explained
    return frozenset(
        point
        for one in suspects
        for point in one.explains
        if not any((point[0], part) in left for part in one.parts(point[0]))
    )
