"""What a gradebook's tables hold. A person reads them, too: see `grader.gradebook.book`."""

from __future__ import annotations

OUTCOMES = ("passed", "wrong", "todo", "error", "timeout", "memory", "blocked")

APPLICATION = int.from_bytes(b"GPT2", "big")
VERSION = 3
SCHEMA = f"""
CREATE TABLE writer (  -- who opened it last to write
    only INTEGER PRIMARY KEY CHECK (only = 1), process INTEGER, host TEXT, since TEXT
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL, ended TEXT,  -- NULL: still going on, or cut off
    class_folder TEXT NOT NULL, layout TEXT NOT NULL,
    kit_version TEXT NOT NULL, reference TEXT NOT NULL, reference_fingerprint TEXT NOT NULL,
    device TEXT NOT NULL, case_seeds TEXT NOT NULL, isolation TEXT NOT NULL, timeout REAL NOT NULL,
    versions TEXT NOT NULL DEFAULT ''  -- of what computes; '': unknown
);
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,  -- the last that found it in the class
    student TEXT NOT NULL, digest TEXT NOT NULL, origin TEXT NOT NULL,
    counts INTEGER NOT NULL,  -- 0: replaced by a later one
    remarks TEXT NOT NULL,
    refused TEXT NOT NULL,  -- why it cannot be read, or ''
    submitted TEXT NOT NULL DEFAULT '',  -- when, in UTC, as 2026-03-01T22:59:00+00:00; '': unknown
    submitted_by TEXT NOT NULL DEFAULT '',  -- whose word that is: one of layouts.SOURCES
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
# version -> what makes the next one of it. Version 1 did not know when something was handed in,
# version 2 not by which versions of PyTorch and the others it was graded.
MIGRATIONS = {
    1: """
ALTER TABLE submissions ADD COLUMN submitted TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN submitted_by TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 2;
""",
    2: """
ALTER TABLE runs ADD COLUMN versions TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 3;
""",
}
