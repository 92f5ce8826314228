"""A platform's own list of students, as it exports it, and who in the gradebook is who in it.

Canvas and Moodle import grades by numbers that only they know. `grader grade` keeps the number that
a class export has in its names: `lovelaceada (11)` is user 11 of Canvas, `Ada Lovelace (123)`
participant 123 of a Moodle assignment.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.problem import Problem

LARGEST = 50_000_000  # bytes


class WrongRoster(Problem):
    """The file is not what the platform exports: one line, with what to do."""


@dataclass
class Sheet:
    """A CSV file as it was written: what is not changed in it goes back as it was."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    has_bom: bool = False

    def column(self, name: str) -> int | None:
        """Where it is; None if it is not there once."""
        where = [i for i, t in enumerate(self.header) if t.strip().casefold() == name.casefold()]
        return where[0] if len(where) == 1 else None

    def text(self) -> str:
        stream = io.StringIO(newline="")
        stream.write("\ufeff" if self.has_bom else "")
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([self.header, *self.rows])
        return stream.getvalue()


def read(path: Path, is_header: Callable[[list[str]], bool], what: str) -> Sheet:
    """Raises WrongRoster."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise WrongRoster(f"{path} is larger than {LARGEST / 1e6:.0f} MB. Name {what}.")
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongRoster(f"{path} cannot be read as UTF-8 ({problem}). Name {what}.") from None
    body = text.removeprefix("\ufeff")
    for delimiter in ",;\t":
        try:
            lines = list(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter))
        except csv.Error:
            continue
        lines = [line for line in lines if any(cell.strip() for cell in line)]
        if lines and is_header(lines[0]):
            header, *rows = lines
            rows = [row + [""] * (len(header) - len(row)) for row in rows]
            if wrong := next((i for i, row in enumerate(rows) if len(row) > len(header)), None):
                raise WrongRoster(f"{path}: row {wrong + 2} has more cells than the header.")
            return Sheet(header, rows, delimiter, body != text)
    raise WrongRoster(f"{path} is not {what}. Export it again, and do not change its columns.")


# --- Who is who ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A row of a roster."""

    row: int
    name: str  # as it is shown to the instructor
    names: frozenset[str]  # folded: those that it is known by
    number: str  # the platform's, which its class export puts behind the name
    ids: frozenset[str] = frozenset()  # casefolded: logins, addresses and numbers of other kinds


@dataclass
class Matched:
    rows: dict[str, int] = field(default_factory=dict)  # student -> row
    remarks: list[str] = field(default_factory=list)  # a line for each who could not be matched


def fold(name: str) -> str:
    """What is left of a name in a file's name: letters and digits."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in text if c.isalnum())


def names_of(*names: str) -> frozenset[str]:
    """Folded, also with the family name at the other end where a comma says which it is."""
    found = set()
    for name in names:
        found.add(fold(name))
        family, comma, given = name.partition(",")
        if comma:
            found.add(fold(given + family))
    return frozenset(found - {""})


def match(students: Sequence[str], people: Sequence[Person]) -> Matched:
    """By number and name, else by login or address, else by name; never by less, and never one of
    two who fit alike."""
    matched, claims = Matched(), defaultdict(list)
    for student in students:
        found, how = _find(student, people)
        if found is None:
            matched.remarks.append(f"{student}: {how}")
        else:
            claims[found.row].append((student, found, HOW.index(how)))
    for row, every in claims.items():
        best = min(strength for _, _, strength in every)
        claim = [(student, found) for student, found, strength in every if strength == best]
        for student, found, strength in every:
            if strength > best:
                matched.remarks.append(f"{student}: {found.name} is {claim[0][0]}. Left out.")
        if len(claim) == 1:
            matched.rows[claim[0][0]] = row
            continue
        several = " and ".join(student for student, _ in claim)
        matched.remarks.append(f"{claim[0][1].name}: {several} may each be this one. Left out.")
    matched.remarks.sort()
    return matched


# A stronger claim to a row stands above a weaker one, which a name alone may be.
HOW = BY_NUMBER, BY_ID, BY_NAME = "by number and name", "by login or address", "by name"


def _find(student: str, people: Sequence[Person]) -> tuple[Person | None, str]:
    """Who this is, and how that is known; or None, and why."""
    named = re.fullmatch(r"(?P<name>.*?) ?\((?P<id>[^()]*)\)", student)
    name, key = (named["name"], named["id"]) if named else (student, "")
    if key:
        by_number = [p for p in people if p.number == key]
        if found := _one(p for p in by_number if names_of(name) & p.names or not p.names):
            return found, BY_NUMBER
        if by_number:
            return None, f"number {key} is there, but is {by_number[0].name}. Left out."
    wanted = {text.casefold() for text in (key, student) if text}
    if key.isdigit():
        wanted.discard(key)  # a number of another kind may be somebody else's
    by_id = [p for p in people if p.ids & wanted]
    if len(by_id) == 1:
        return by_id[0], BY_ID
    by_name = by_id or [p for p in people if names_of(name) & p.names]
    if len(by_name) == 1 and not (key.isdigit() and by_name[0].number):
        addresses = [known for known in by_name[0].ids if "@" in known]
        if "@" in key and addresses:  # and this is none of them
            return None, f"{by_name[0].name} has the address {addresses[0]} there. Left out."
        return by_name[0], BY_NAME
    if not by_name:
        return None, "not in the roster. Left out."
    if len(by_name) == 1:
        return None, f"{by_name[0].name} has number {by_name[0].number} there. Left out."
    return None, f"{len(by_name)} in the roster have this name. Left out."


def _one(people: Iterable[Person]) -> Person | None:
    found = list(people)
    return found[0] if len(found) == 1 else None
