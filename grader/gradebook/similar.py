"""Who wrote much the same. A place to look, and no verdict: nothing here says who copied, or that
anybody did.

Code is compared as tokens (`grader.intake.excerpts`), so that renaming and reformatting change
nothing. What the stubs and the solutions say, and what many in the class wrote, does not
count. How much of the rest two students share is counted for all pairs through an index of
passages, which compares no two texts; only what is reported is compared in full (by RapidFuzz).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.int64]]

PASSAGE = 10  # tokens
COMMON = 0.05  # a passage in more than this share of a class is common,
FEW = 5  # but not if it is in no more than so many students' work
ENOUGH = 25  # uncommon passages; two who share fewer say nothing
SHARE = 0.5  # of the smaller one's uncommon passages
ALIKE = 0.85  # an exercise, as tokens
GROUPS = 100


class Group(NamedTuple):
    members: tuple[int, ...]  # indices of students
    least: float  # shares of uncommon passages, over the pairs that make it a group
    most: float
    passages: int  # that the closest two share
    closest: tuple[int, int]
    exercises: tuple[tuple[str, float], ...]  # of the closest two: (exercise, how alike)


def groups(answers: Sequence[Mapping[str, str]], known: Iterable[str] = ()) -> list[Group]:
    """Students whose code is much the same, closest first; at most GROUPS.

    answers: a student each: exercise -> code, as `excerpts.tokens`. known: what everybody has seen.

    Time grows with the number of students times the passages of one, times how many others have one
    of them too, which COMMON bounds.
    """
    passages = _Passages()
    for code in known:
        passages.subtract(code)
    each = [
        np.unique(np.concatenate([passages.of(code) for code in theirs.values()] or [_NONE]))
        for theirs in answers
    ]
    uncommon = _uncommon(each, passages)
    pairs = dict(_close(uncommon, len(passages)))
    found = []
    for members in _cliques(pairs)[:GROUPS]:
        within = [(pair, *pairs[pair]) for pair in combinations(sorted(members), 2)]
        closest, shared, most = max(within, key=lambda w: (w[2], w[1]))
        a, b = (answers[i] for i in closest)
        alike = [
            (exercise, likeness)
            for exercise in a
            if exercise in b and (likeness := _likeness(a[exercise], b[exercise])) >= ALIKE
            if np.intersect1d(
                np.intersect1d(passages.of(a[exercise]), passages.of(b[exercise])),
                uncommon[closest[0]],
            ).size
        ]
        found.append(
            Group(
                tuple(sorted(members)), min(w[2] for w in within), most, shared, closest,
                tuple(sorted(alike, key=lambda pair: -pair[1])),
            )
        )  # fmt: skip
    found.sort(key=lambda g: (-g.passages, -g.most, g.members))
    return found


_NONE = np.empty(0, np.int64)


class _Passages:
    """Numbers for passages: equal for equal ones."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._of: dict[str, Numbers] = {}
        self.known: set[int] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, code: str) -> Numbers:
        if code not in self._of:
            numbers = self._numbers
            ends = range(PASSAGE, len(code) + 1)
            found = {numbers.setdefault(code[e - PASSAGE : e], len(numbers)) for e in ends}
            self._of[code] = np.array(sorted(found), np.int64)
        return self._of[code]

    def subtract(self, code: str) -> None:
        self.known.update(self.of(code).tolist())


def _uncommon(each: Sequence[Numbers], passages: _Passages) -> list[Numbers]:
    have = np.bincount(np.concatenate([*each, _NONE]), minlength=len(passages))
    is_uncommon = have <= max(FEW, COMMON * len(each))
    is_uncommon[list(passages.known)] = False
    return [numbers[is_uncommon[numbers]] for numbers in each]


def _close(
    uncommon: Sequence[Numbers], n: int
) -> Iterable[tuple[tuple[int, int], tuple[int, float]]]:
    """((a, b), (passages shared, share of the smaller one's)) with a < b."""
    sizes = np.array([len(numbers) for numbers in uncommon], np.int64)
    owners = np.repeat(np.arange(len(uncommon)), sizes)
    every = np.concatenate([*uncommon, _NONE])
    order = np.argsort(every, kind="stable")
    owners = owners[order]
    begins = np.searchsorted(every[order], np.arange(n + 1))
    for a, numbers in enumerate(uncommon):
        if len(numbers) < ENOUGH:
            continue
        lists = [owners[begins[number] : begins[number + 1]] for number in numbers]
        shared = np.bincount(np.concatenate(lists), minlength=len(uncommon))
        smaller = np.minimum(sizes, sizes[a])
        for b in np.flatnonzero((shared >= ENOUGH) & (shared >= SHARE * smaller)):
            if b > a:
                yield (a, int(b)), (int(shared[b]), float(shared[b] / smaller[b]))


def _cliques(pairs: Mapping[tuple[int, int], tuple[int, float]]) -> list[set[int]]:
    """Of whom any two are a pair, so that no chain of half likenesses joins strangers; closest ones
    first. Who fits in no other group has one with whom they are closest to."""
    found: list[set[int]] = []
    of: dict[int, set[int]] = {}
    for pair in sorted(pairs, key=lambda pair: (pairs[pair], pair), reverse=True):
        new = [student for student in pair if student not in of]
        if len(new) == 1:
            clique = of[pair[1] if new[0] == pair[0] else pair[0]]
            if all((min(new[0], m), max(new[0], m)) in pairs for m in clique):
                clique.add(new[0])
                of[new[0]] = clique
                continue
        if new:
            found.append(set(pair))
            of.update(dict.fromkeys(new, found[-1]))
    return found


@lru_cache(maxsize=100_000)
def _likeness(a: str, b: str) -> float:
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(a, b))
