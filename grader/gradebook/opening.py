"""A gradebook's file: opened, locked, made where there is none; and why it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from grader.gradebook.schema import APPLICATION, MIGRATIONS, SCHEMA, VERSION
from grader.gradebook.text import line
from grader.problem import Problem

PATIENCE = 60.0  # seconds, with a person who is changing something by hand


class Unusable(Problem):
    """Why a gradebook cannot be used: one clear line, with what to do."""


def lock(path: Path, cleanup: ExitStack) -> None:
    import filelock  # readers do not wait for it

    if not path.parent.is_dir():
        raise Unusable(f"There is no folder {shown(path.parent)}. Make it first.")
    try:
        cleanup.enter_context(filelock.FileLock(f"{path}.lock").acquire(timeout=0))
    except filelock.Timeout:
        raise Unusable(
            f"{shown(path)} is in use by another run{_holder(path)}. Wait for its end, or stop"
            " it: what it has graded is kept."
        ) from None
    except OSError as problem:
        raise Unusable(_cannot_write(path, problem.strerror or type(problem).__name__)) from problem


def _holder(path: Path) -> str:
    with suppress(Unusable), explained(path), closing(connect(path, writing=False)) as db:
        for process, host, since in db.execute("SELECT process, host, since FROM writer"):
            return f" (process {process} on {host}, since {since})"
    return ""


def connect(path: Path, writing: bool) -> sqlite3.Connection:
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
        raise Unusable(f"There is no gradebook {shown(path)}. `grader grade` makes one.")
    try:
        # Not mode=ro: that would leave -wal and -shm files behind.
        return connect("mode=rw")
    except sqlite3.OperationalError:
        # In a folder that cannot be written to, a reader cannot tell writers that it is there. It
        # need not where no run is going on.
        if os.access(path.parent, os.W_OK) or Path(f"{path}-wal").exists():
            raise
        return connect("immutable=1")


def prepare(db: sqlite3.Connection, path: Path) -> None:
    import platform  # readers do not wait for it, either

    blank = is_blank(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA foreign_keys = ON")
    try:
        db.executescript("BEGIN IMMEDIATE;" + (SCHEMA if blank else ""))
        while (found := format_of(db)) in MIGRATIONS:
            for statement in MIGRATIONS[found].split(";"):  # a script would end the transaction
                db.execute(statement)
        db.execute(
            "REPLACE INTO writer VALUES (1, ?, ?, ?)", (os.getpid(), line(platform.node()), now())
        )
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def format_of(db: sqlite3.Connection) -> int:
    [version] = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def is_blank(db: sqlite3.Connection, path: Path) -> bool:
    """Is there nothing in it yet? (A run may be cut off before the first thing is.)

    Raises Unusable where there is something else in it than a gradebook that this kit knows."""
    [application] = db.execute("PRAGMA application_id").fetchone()
    version = format_of(db)
    [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == version == tables == 0:
        return True
    if application != APPLICATION:
        raise Unusable(f"{shown(path)} is a database of another program. Name another file.")
    if not 1 <= version <= VERSION:
        raise Unusable(
            f"{shown(path)} was written by a newer kit (format {version}; this one knows"
            f" {VERSION}). Update the kit, or name another file."
        )
    return False


# --- Words for what SQLite says ------------------------------------------------------------------


@contextmanager
def explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # the caller's fault
    except sqlite3.DatabaseError as problem:
        raise Unusable(_explanation(path, str(problem))) from problem


def _explanation(path: Path, said: str) -> str:
    # By its words: Python 3.10 does not hand on SQLite's numbers.
    name = shown(path)
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
        f"{name} is damaged ({line(said)}). Put back a copy, or name another file and grade again."
    )


def shown(path: Path) -> str:
    return line(str(path), 4096)


def _cannot_write(path: Path, why: str) -> str:
    return (
        f"{shown(path)} cannot be opened for writing ({why}). Copy it, with its -wal if there"
        " is one, to a folder where you may write, or name another file."
    )


def now() -> str:
    return datetime.now(timezone.utc).isoformat(" ", "seconds")
