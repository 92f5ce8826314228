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

import hashlib
import json
import math
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from grader.problem import Problem

OUTCOMES = ("passed", "wrong", "todo", "error", "timeout", "memory", "blocked")

# Waiting for the disk takes longer than everything else together. Between two waits a power cut may
# take the last gradings along, which the next run makes again; a killed process loses none.
SYNC_EVERY = 1.0  # seconds

PATIENCE = 60.0  # seconds, with a person who is changing something by hand

NAME = 200  # characters of a name or remark
REMARKS = 100
FEEDBACK = 20_000  # of one check
PRINTED = 100_000  # of one grading
SOURCE = 1_000_000  # of one file

APPLICATION = int.from_bytes(b"GPT2", "big")
VERSION = 2
SCHEMA = f"""
CREATE TABLE writer (  -- who opened it last to write
    only INTEGER PRIMARY KEY CHECK (only = 1), process INTEGER, host TEXT, since TEXT
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL, ended TEXT,  -- NULL: still going on, or cut off
    class_folder TEXT NOT NULL, layout TEXT NOT NULL,
    kit_version TEXT NOT NULL, reference TEXT NOT NULL, reference_fingerprint TEXT NOT NULL,
    device TEXT NOT NULL, case_seeds TEXT NOT NULL, isolation TEXT NOT NULL, timeout REAL NOT NULL
);
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,  -- the last that found it in the class
    student TEXT NOT NULL, digest TEXT NOT NULL, origin TEXT NOT NULL,
    counts INTEGER NOT NULL,  -- 0: replaced by a later one
    remarks TEXT NOT NULL,
    refused TEXT NOT NULL,  -- why it cannot be read, or ''
    submitted TEXT NOT NULL DEFAULT '',  -- when, in UTC, as 2026-03-01T22:59:00+00:00; '': unknown
    submitted_by TEXT NOT NULL DEFAULT '',  -- whose word that is: one of classes.SOURCES
    UNIQUE (student, digest, origin), UNIQUE (id, student)
);
CREATE TABLE files (
    submission INTEGER NOT NULL REFERENCES submissions, name TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (submission, name)
);
CREATE TABLE gradings (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs, submission INTEGER NOT NULL,
    student TEXT NOT NULL, lesson TEXT NOT NULL, key TEXT NOT NULL,
    latest INTEGER NOT NULL, graded TEXT NOT NULL, printed TEXT NOT NULL, remarks TEXT NOT NULL,
    FOREIGN KEY (submission, student) REFERENCES submissions (id, student)
);
CREATE UNIQUE INDEX latest_gradings ON gradings (student, lesson) WHERE latest;
CREATE INDEX gradings_of ON gradings (student, lesson);
CREATE TABLE results (
    grading INTEGER NOT NULL REFERENCES gradings, position INTEGER NOT NULL,
    exercise TEXT NOT NULL, check_name TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN {OUTCOMES}),
    points INTEGER NOT NULL, max_points INTEGER NOT NULL CHECK (points BETWEEN 0 AND max_points),
    misconception TEXT NOT NULL, feedback TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (grading, position)
) WITHOUT ROWID;
-- The same submission may lie in the class twice, under two names, and be graded but once.
CREATE VIEW current AS
    SELECT gradings.* FROM gradings JOIN submissions ON submissions.id = submission
    WHERE latest AND EXISTS (
        SELECT 1 FROM submissions AS same WHERE same.student = gradings.student
        AND same.digest = submissions.digest AND same.counts
    );
CREATE VIEW checks AS
    SELECT student, lesson, exercise, check_name, outcome, points, max_points, misconception,
        feedback, seconds, position
    FROM current JOIN results ON grading = current.id;
CREATE VIEW grades AS
    SELECT student, lesson, exercise, sum(points) AS points, sum(max_points) AS max_points
    FROM checks GROUP BY student, lesson, exercise ORDER BY student, lesson, min(position);
CREATE VIEW refusals AS
    SELECT student, origin, refused FROM submissions WHERE counts AND refused <> '';
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
# version -> what makes the next one of it. Version 1 did not know when something was handed in.
MIGRATIONS = {
    1: """
ALTER TABLE submissions ADD COLUMN submitted TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN submitted_by TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 2;
"""
}


class Unusable(Problem):
    """Why a gradebook cannot be used: one clear line, with what to do."""


@dataclass(frozen=True)
class Result:
    """What came of one check of one exercise."""

    exercise: str
    check: str
    outcome: str  # one of OUTCOMES
    points: int
    max_points: int
    misconception: str = ""  # its name
    feedback: str = ""  # many lines; may hold any text that a student's code made up
    seconds: float = 0.0


@dataclass(frozen=True)
class Conditions:
    """Under which a run grades."""

    kit_version: str
    reference: str
    reference_fingerprint: str
    device: str
    case_seeds: tuple[str, ...]
    isolation: str  # "none", or what isolates
    timeout: float


class Row(NamedTuple):
    """A current result."""

    student: str
    lesson: str
    exercise: str
    check: str
    outcome: str
    points: int
    max_points: int
    misconception: str
    feedback: str
    seconds: float


class Grading(NamedTuple):
    student: str
    lesson: str
    is_current: bool
    graded: str  # when
    points: int
    max_points: int
    printed: str
    remarks: str  # a line each
    reference: str
    device: str
    isolation: str


class HandedIn(NamedTuple):
    id: int
    student: str
    digest: str
    origin: str
    counts: bool
    remarks: str  # a line each
    refused: str
    is_of_last_run: bool  # of those that came to an end
    submitted: str = ""  # ISO 8601 in UTC; empty where it is unknown
    submitted_by: str = ""  # whose word that is


class Gradebook:
    """A context manager. What reads or writes raises `Unusable` where the file or its disk does not
    allow it; what was recorded before is kept. While it is open to write, a forked child keeps
    the lock, unless it runs another program."""

    def __init__(self, path: Path, db: sqlite3.Connection, cleanup: ExitStack) -> None:
        self.path, self._db, self._cleanup = path, db, cleanup
        self._synced = -math.inf
        # A file of version 1 that is only read stays as it is.
        times = ("submissions.submitted", "submissions.submitted_by")
        time, time_by = times if _version(db) > 1 else ("''", "''")
        self._times = f"{time} AS time, {time_by} AS time_by"

    @classmethod
    def open(cls, path: Path, writing: bool) -> Gradebook:
        """To write: creates it where there is none, and holds a lock that keeps other writers out
        until it is closed or this process ends, however it ends. To read: as it is at this moment.

        Raises Unusable."""
        path = Path(os.path.realpath(path))  # a second name of the file has the same lock
        if path.is_dir():
            raise Unusable(f"{_shown(path)} is a folder. Name a file.")
        with ExitStack() as cleanup, _explained(path):
            if writing:
                _lock(path, cleanup)
            db = _connect(path, writing)
            cleanup.callback(db.close)
            if writing:
                _prepare(db, path)
            else:
                if _is_blank(db, path):
                    raise Unusable(f"{_shown(path)} is empty. `grader grade` fills it.")
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
            "started": _now(),
        }
        columns = ", ".join(row)
        values = [_line(value, PRINTED) for value in row.values()]
        with self._transaction() as db:
            cursor = db.execute(f"INSERT INTO runs ({columns}) VALUES ({_marks(row)})", values)
        return _id(cursor)

    def end_run(self, run: int) -> None:
        """Raises Unusable."""
        self._synced = -math.inf
        with self._transaction() as db:
            db.execute("UPDATE runs SET ended = ? WHERE id = ?", (_now(), run))

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
        what there is to say of it may have changed since. One
        that counts takes the place of what had the same origin, and, if it can be read, of those
        that could not.

        Raises Unusable."""
        which = (_name(student), digest, _line(origin))
        now = (run, counts, _lines(remarks), _line(refused, 5 * NAME), submitted, submitted_by)
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
                [(submission, _line(name), _source(text)) for name, text in files.items()],
            )
        return int(submission)

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
        student, lesson = _name(student), _line(lesson)
        row = (run, submission, student, lesson, key, _now(), _text(printed, PRINTED))
        with self._transaction() as db:
            db.execute(
                "UPDATE gradings SET latest = 0 WHERE student = ? AND lesson = ? AND latest",
                (student, lesson),
            )
            grading = _id(
                db.execute(
                    "INSERT INTO gradings (run, submission, student, lesson, key, graded, printed,"
                    " remarks, latest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
                    (*row, _lines(remarks)),
                )
            )
            db.executemany(
                "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(grading, position, *_row(result)) for position, result in enumerate(results)],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        is_due = time.monotonic() - self._synced > SYNC_EVERY
        with _explained(self.path):
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
        return bool(list(self._ask(question, _name(student), _line(lesson), key)))

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
        return any(len(json.loads(seeds)) > 1 for [seeds] in self._ask(question, _name(student)))

    def _ask(self, question: str, *values: object) -> Iterator[Any]:
        with _explained(self.path):
            yield from self._db.execute(question, values)


# --- Opening -------------------------------------------------------------------------------------


def _lock(path: Path, cleanup: ExitStack) -> None:
    import filelock  # readers do not wait for it

    if not path.parent.is_dir():
        raise Unusable(f"There is no folder {_shown(path.parent)}. Make it first.")
    try:
        cleanup.enter_context(filelock.FileLock(f"{path}.lock").acquire(timeout=0))
    except filelock.Timeout:
        raise Unusable(
            f"{_shown(path)} is in use by another run{_holder(path)}. Wait for its end, or stop"
            " it: what it has graded is kept."
        ) from None
    except OSError as problem:
        raise Unusable(_cannot_write(path, problem.strerror or type(problem).__name__)) from problem


def _holder(path: Path) -> str:
    with suppress(Unusable), Gradebook.open(path, writing=False) as gradebook:
        for process, host, since in gradebook._ask("SELECT process, host, since FROM writer"):
            return f" (process {process} on {host}, since {since})"
    return ""


def _connect(path: Path, writing: bool) -> sqlite3.Connection:
    def connect(how: str) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"{path.as_uri()}?{how}", uri=True, isolation_level=None, timeout=PATIENCE
        )
        try:
            db.execute("PRAGMA schema_version").fetchone()  # only now is the file looked at
        except BaseException:
            db.close()
            raise
        return db

    if writing:
        return connect("mode=rwc")
    if not path.exists():
        raise Unusable(f"There is no gradebook {_shown(path)}. `grader grade` makes one.")
    try:
        # Not mode=ro: that would leave -wal and -shm files behind.
        return connect("mode=rw")
    except sqlite3.OperationalError:
        # In a folder that cannot be written to, a reader cannot tell writers that it is there. It
        # need not where no run is going on.
        if os.access(path.parent, os.W_OK) or Path(f"{path}-wal").exists():
            raise
        return connect("immutable=1")


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    import platform  # readers do not wait for it, either

    is_blank = _is_blank(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA foreign_keys = ON")
    try:
        db.executescript("BEGIN IMMEDIATE;" + (SCHEMA if is_blank else ""))
        while (version := _version(db)) in MIGRATIONS:
            for statement in MIGRATIONS[version].split(";"):  # a script would end the transaction
                db.execute(statement)
        db.execute(
            "REPLACE INTO writer VALUES (1, ?, ?, ?)", (os.getpid(), _line(platform.node()), _now())
        )
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _version(db: sqlite3.Connection) -> int:
    [version] = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_blank(db: sqlite3.Connection, path: Path) -> bool:
    """Is there nothing in it yet? (A run may be cut off before the first thing is.)

    Raises Unusable where there is something else in it than a gradebook that this kit knows."""
    [application] = db.execute("PRAGMA application_id").fetchone()
    version = _version(db)
    [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == version == tables == 0:
        return True
    if application != APPLICATION:
        raise Unusable(f"{_shown(path)} is a database of another program. Name another file.")
    if not 1 <= version <= VERSION:
        raise Unusable(
            f"{_shown(path)} was written by a newer kit (format {version}; this one knows"
            f" {VERSION}). Update the kit, or name another file."
        )
    return False


# --- Words for what SQLite says ------------------------------------------------------------------


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # the caller's fault
    except sqlite3.DatabaseError as problem:
        raise Unusable(_explanation(path, str(problem))) from problem


def _explanation(path: Path, said: str) -> str:
    # By its words: Python 3.10 does not hand on SQLite's numbers.
    name = _shown(path)
    if "not a database" in said:
        return f"{name} is no gradebook. Name another file."
    if "is full" in said:
        return (
            f"{name}: the disk is full. Make room and run the same command again: what has been"
            " graded is kept."
        )
    if "readonly" in said or "unable to open" in said:
        return _cannot_write(path, said)
    if "locked" in said:
        return f"{name} is being changed by another program. Close it, and run this again."
    if "disk I/O error" in said:
        return f"{name} cannot be read or written ({said}). Is the disk full, or failing?"
    return (
        f"{name} is damaged ({_line(said)}). Put back a copy, or name another file and grade again."
    )


def _shown(path: Path) -> str:
    return _line(str(path), 4096)


def _cannot_write(path: Path, why: str) -> str:
    return (
        f"{_shown(path)} cannot be opened for writing ({why}). Copy it, with its -wal if there"
        " is one, to a folder where you may write, or name another file."
    )


# --- Text ----------------------------------------------------------------------------------------


class _Visible(dict[int, str]):
    """For str.translate: whatever cannot be printed, as Python writes it."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        printable = character.isprintable() or character in "\n\t"
        self[code] = character if printable else repr(character)[1:-1]
        return self[code]


_VISIBLE = _Visible()


def _text(text: str, limit: int = FEEDBACK) -> str:
    """Bounded, of lines, and harmless."""
    if len(text) <= limit and text.isprintable():
        return text
    kept = text[:limit].replace("\r\n", "\n").translate(_VISIBLE)
    if len(text) <= limit and len(kept) <= limit:
        return kept
    return f"{kept[:limit]}\n... ({len(text):,} characters in all)"


def _line(text: str, limit: int = NAME) -> str:
    return _text(text, limit).replace("\n", "\\n").replace("\t", "\\t")


def _lines(remarks: Iterable[str]) -> str:
    return "\n".join([_line(remark, 5 * NAME) for remark in remarks][:REMARKS])


def _row(r: Result) -> tuple[str | int | float, ...]:
    names = _line(r.exercise), _line(r.check), r.outcome
    return (*names, r.points, r.max_points, _line(r.misconception), _text(r.feedback), r.seconds)


def _name(student: str) -> str:
    """Long names that begin alike remain different."""
    if len(student) <= NAME and student.isprintable():
        return student
    shown = student[:NAME].translate(_VISIBLE).replace("\n", "\\n").replace("\t", "\\t")
    if len(student) > NAME or len(shown) > NAME:
        mark = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        shown = f"{shown[: NAME - 20]}...{mark}"
    return shown


def _source(text: str) -> str:
    return text[:SOURCE].encode("utf-8", "backslashreplace").decode()


def _of(student: str | None) -> str:
    return "" if student is None else "WHERE student = ?"


def _given(student: str | None) -> tuple[str, ...]:
    return () if student is None else (_name(student),)


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(" ", "seconds")


def _id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
