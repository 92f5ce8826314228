"""The gradebook: what was handed in, and what came of it. One SQLite file, to be kept on a local
disk; beside it lie FILE.lock, and while it is open FILE-wal and FILE-shm (after a crash they belong
to it). A person asks it with any SQLite client, also while a run is writing:

    sqlite3 FILE "SELECT student, sum(points) FROM grades GROUP BY student"
    sqlite3 FILE "SELECT misconception, count(*) FROM checks GROUP BY 1 ORDER BY 2 DESC"
    sqlite3 FILE "SELECT * FROM refusals"

`grades` has a row per exercise, `checks` one per check; both hold what is current. A grading is one
lesson of one student. It is current until this lesson of this student is graded again, or until the
submission that it was made of is replaced by a later one. So whoever is missing from the class this
time keeps what they had: a class that hands in a lesson a week has one gradebook. Nothing is ever
removed; gradings that are no longer current are in `gradings` and `results`, with `latest` 0.

All text in it is bounded and, sources aside, free of control characters, which are written out as
Python would ("\\x1b"): what a student's code says can neither break nor steer what shows it.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from grader.gradebook.opening import (
    Unusable,
    connect,
    explained,
    format_of,
    is_blank,
    lock,
    now,
    prepare,
    shown,
)
from grader.gradebook.rows import Conditions, Grading, HandedIn, Result, Row
from grader.gradebook.text import NAME, PRINTED, bounded, line, lines, name_of, source_of

# Waiting for the disk takes longer than everything else together. Between two waits a power cut may
# take the last gradings along, which the next run makes again; a killed process loses none.
SYNC_EVERY = 1.0  # seconds


class Gradebook:
    """A context manager. What reads or writes raises `Unusable` where the file or its disk does not
    allow it; what was recorded before is kept. While it is open to write, a forked child keeps
    the lock, unless it runs another program."""

    def __init__(self, path: Path, db: sqlite3.Connection, cleanup: ExitStack) -> None:
        self.path, self._db, self._cleanup = path, db, cleanup
        self._synced = -math.inf
        # A file of an earlier version that is only read stays as it is.
        self._format = format_of(db)
        times = ("submissions.submitted", "submissions.submitted_by")
        time, time_by = times if self._format > 1 else ("''", "''")
        self._times = f"{time} AS time, {time_by} AS time_by"

    @classmethod
    def open(cls, path: Path, writing: bool) -> Gradebook:
        """To write: creates it where there is none, and holds a lock that keeps other writers out
        until it is closed or this process ends, however it ends. To read: as it is at this moment.

        Raises Unusable."""
        path = Path(os.path.realpath(path))  # a second name of the file has the same lock
        if path.is_dir():
            raise Unusable(f"{shown(path)} is a folder. Name a file.")
        with ExitStack() as cleanup, explained(path):
            if writing:
                lock(path, cleanup)
            db = connect(path, writing)
            cleanup.callback(db.close)
            if writing:
                prepare(db, path)
            else:
                if is_blank(db, path):
                    raise Unusable(f"{shown(path)} is empty. `grader grade` fills it.")
                db.execute("PRAGMA query_only = ON")
                db.execute("BEGIN")  # all that is read belongs to one moment,
                db.execute("SELECT 1 FROM runs").fetchone()  # which is this
            return cls(path, db, cleanup.pop_all())

    def close(self) -> None:
        self._cleanup.close()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- Writing ---------------------------------------------------------------------------------

    def begin_run(self, conditions: Conditions, class_folder: str, layout: str) -> int:
        """Raises Unusable."""
        row = {
            **{name: str(value) for name, value in vars(conditions).items()},
            "case_seeds": json.dumps(conditions.case_seeds),
            "class_folder": class_folder,
            "layout": layout,
            "started": now(),
        }
        columns = ", ".join(row)
        values = [line(value, PRINTED) for value in row.values()]
        with self._transaction() as db:
            cursor = db.execute(f"INSERT INTO runs ({columns}) VALUES ({_marks(row)})", values)
        return _id(cursor)

    def end_run(self, run: int) -> None:
        """Raises Unusable."""
        self._synced = -math.inf
        with self._transaction() as db:
            db.execute("UPDATE runs SET ended = ? WHERE id = ?", (now(), run))

    def add_submission(
        self,
        run: int,
        student: str,
        digest: str,
        files: dict[str, str],
        origin: str,
        counts: bool,
        remarks: Sequence[str],
        refused: str = "",
        submitted: str = "",
        submitted_by: str = "",
    ) -> int:
        """The number of a student's submission. The same student, digest and origin are the same
        submission; whether it counts, when it was handed in (ISO 8601 in UTC, and who says so) and
        what there is to say of it may have changed since. One that counts takes the place of what
        had the same origin, and, if it can be read, of those that could not.

        Raises Unusable."""
        which = (name_of(student), digest, line(origin))
        now = (run, counts, lines(remarks), line(refused, 5 * NAME), submitted, submitted_by)
        with self._transaction() as db:
            db.execute(
                "INSERT INTO submissions (student, digest, origin, run, counts, remarks, refused,"
                " submitted, submitted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (student, digest, origin) DO UPDATE SET"
                " run = excluded.run, counts = excluded.counts, remarks = excluded.remarks,"
                " refused = excluded.refused, submitted = excluded.submitted,"
                " submitted_by = excluded.submitted_by",
                which + now,
            )
            [submission] = db.execute(
                "SELECT id FROM submissions WHERE (student, digest, origin) = (?, ?, ?)", which
            ).fetchone()
            if counts:  # in the same place lay another one, or one that could not be read
                db.execute(
                    "UPDATE submissions SET counts = 0 WHERE student = ? AND id <> ?"
                    " AND (origin = ? OR (refused <> '' AND ?))",
                    (which[0], submission, which[2], not refused),
                )
            db.executemany(
                "INSERT INTO files VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(submission, line(name), source_of(text)) for name, text in files.items()],
            )
        return int(submission)

    def choose(self, submission: int, name: str, source: str) -> None:
        """Of several files of one lesson, this is the one that counts.

        Raises Unusable."""
        with self._transaction() as db:
            db.execute(
                "UPDATE files SET source = ? WHERE (submission, name) = (?, ?)",
                (source_of(source), submission, line(name)),
            )

    def record(
        self,
        run: int,
        submission: int,
        student: str,
        lesson: str,
        key: str,
        results: Sequence[Result],
        printed: str = "",
        remarks: Sequence[str] = (),
    ) -> None:
        """One grading, all of it or nothing; earlier ones of this student's lesson are kept.

        Raises Unusable, and sqlite3.IntegrityError where run, submission and student do not belong
        together or a result cannot be."""
        student, lesson = name_of(student), line(lesson)
        row = (run, submission, student, lesson, key, now(), bounded(printed, PRINTED))
        with self._transaction() as db:
            db.execute(
                "UPDATE gradings SET latest = 0 WHERE student = ? AND lesson = ? AND latest",
                (student, lesson),
            )
            grading = _id(
                db.execute(
                    "INSERT INTO gradings (run, submission, student, lesson, key, graded, printed,"
                    " remarks, latest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
                    (*row, lines(remarks)),
                )
            )
            db.executemany(
                "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(grading, position, *_row(result)) for position, result in enumerate(results)],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        is_due = time.monotonic() - self._synced > SYNC_EVERY
        with explained(self.path):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if is_due else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
                if is_due:
                    self._synced = time.monotonic()
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    # --- Reading ---------------------------------------------------------------------------------

    def is_graded(self, student: str, lesson: str, key: str) -> bool:
        """Is the latest grading of this student's lesson one with this key?"""
        question = "SELECT 1 FROM gradings WHERE student = ? AND lesson = ? AND latest AND key = ?"
        return bool(list(self._ask(question, name_of(student), line(lesson), key)))

    def students(self) -> list[str]:
        """Whoever handed in something, sorted."""
        return [s for [s] in self._ask("SELECT DISTINCT student FROM submissions ORDER BY student")]

    def current(self, student: str | None = None) -> Iterator[Row]:
        """By student, lesson, and the order in which the results were recorded."""
        return map(
            Row._make,
            self._ask(
                "SELECT student, lesson, exercise, check_name, outcome, points, max_points,"
                f" misconception, feedback, seconds FROM checks {_of(student)}"
                " ORDER BY student, lesson, position",
                *_given(student),
            ),
        )

    def outcomes(self) -> Iterator[tuple[str, str, int]]:
        """A student, an outcome, how many of the student's current results have it."""
        return self._ask("SELECT student, outcome, count(*) FROM checks GROUP BY student, outcome")

    def gradings(self, student: str | None = None) -> Iterator[Grading]:
        """Those that are current and those that were, by student and lesson, oldest first."""
        return map(
            Grading._make,
            self._ask(
                "SELECT student, lesson, gradings.id IN (SELECT id FROM current), graded,"
                " (SELECT coalesce(sum(points), 0) FROM results WHERE grading = gradings.id),"
                " (SELECT coalesce(sum(max_points), 0) FROM results WHERE grading = gradings.id),"
                " printed, remarks, reference, device, isolation"
                f" FROM gradings JOIN runs ON runs.id = run {_of(student)}"
                " ORDER BY student, lesson, gradings.id",
                *_given(student),
            ),
        )

    def handed_in(self, student: str | None = None) -> Iterator[HandedIn]:
        """By student, in the order in which they were first found."""
        return map(
            HandedIn._make,
            self._ask(
                "SELECT id, student, digest, origin, counts, remarks, refused, run >="
                f" (SELECT coalesce(max(id), 0) FROM runs WHERE ended IS NOT NULL), {self._times}"
                f" FROM submissions {_of(student)} ORDER BY student, id",
                *_given(student),
            ),
        )

    def submitted(self, student: str | None = None) -> Iterator[tuple[str, str, str, str]]:
        """(student, lesson, when what is graded there was handed in, whose word that is), by
        student and lesson. Of the same lesson handed in more than once, as with a later one beside
        it, the first time that is known counts."""
        rows = self._ask(
            f"SELECT current.student, lesson, {self._times} FROM current"
            " JOIN submissions AS graded ON graded.id = submission"
            " JOIN submissions ON submissions.student = graded.student"
            " AND (submissions.digest = graded.digest OR EXISTS ("
            "SELECT 1 FROM files JOIN files AS same USING (name, source)"
            " WHERE files.submission = graded.id AND same.submission = submissions.id"
            " AND name = lesson || '.py'))"
            f" {_of(student).replace('student', 'current.student')}"
            " ORDER BY current.student, lesson, time = '', time, time_by",
            *_given(student),
        )
        for _, same in groupby(rows, key=lambda row: row[:2]):
            yield next(same)

    def kept(self, versions: str) -> list[tuple[str, int]]:
        """Current gradings by other versions of what computes than these: which, and how many."""
        question = (
            "SELECT versions, count(*) FROM current JOIN runs ON runs.id = run"
            " WHERE versions NOT IN ('', ?) GROUP BY versions ORDER BY versions"
        )
        return list(self._ask(question, versions)) if self._format > 2 else []

    def files(self, submission: int) -> dict[str, str]:
        """Name -> source. Sources hold what the student wrote, terminal escapes included."""
        question = "SELECT name, source FROM files WHERE submission = ? ORDER BY name"
        return dict(self._ask(question, submission))

    def sources(self, student: str | None = None) -> Iterator[tuple[str, str, str]]:
        """(student, lesson, the source that the current grading is of), by student and lesson."""
        return self._ask(
            "SELECT student, lesson, source FROM current JOIN files"
            " ON files.submission = current.submission AND files.name = lesson || '.py'"
            f" {_of(student)} ORDER BY student, lesson",
            *_given(student),
        )

    def has_hidden_cases(self, student: str) -> bool:
        """Was any current grading of this student made with cases of a secret seed?"""
        question = "SELECT case_seeds FROM current JOIN runs ON runs.id = run WHERE student = ?"
        return any(len(json.loads(seeds)) > 1 for [seeds] in self._ask(question, name_of(student)))

    def _ask(self, question: str, *values: object) -> Iterator[Any]:
        with explained(self.path):
            for row in self._db.execute(question, values):
                if any(type(value) is bytes for value in row):  # SQLite lets them be anywhere
                    raise sqlite3.DatabaseError("bytes where a text belongs")
                yield row


def _row(r: Result) -> tuple[str | int | float, ...]:
    names = line(r.exercise), line(r.check), r.outcome
    return (*names, r.points, r.max_points, line(r.misconception), bounded(r.feedback), r.seconds)


def _of(student: str | None) -> str:
    return "" if student is None else "WHERE student = ?"


def _given(student: str | None) -> tuple[str, ...]:
    return () if student is None else (name_of(student),)


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
