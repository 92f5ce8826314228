"""The gradebook keeps what was recorded, whatever happens, and says what is current."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import outcome
from grader.gradebook import book, opening, schema
from grader.gradebook import text as text_module
from grader.gradebook.book import Gradebook
from grader.gradebook.opening import Unusable
from grader.gradebook.rows import Conditions, Result, Row
from grader.gradebook.schema import OUTCOMES

CONDITIONS = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("public",), "bubblewrap", 10.0)
PASSED = Result("softmax", "sums_to_one", "passed", 5, 5)
WRONG = Result("softmax", "is_stable", "wrong", 0, 5, "one maximum for all", "Look:\n\tnan", 0.25)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


def fill(path, students=("ann", "bob"), lessons=("lesson1", "lesson2"), results=(PASSED, WRONG)):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        for student in students:
            submission = add(gradebook, run, student)
            for lesson in lessons:
                gradebook.record(run, submission, student, lesson, "key", results)
        gradebook.end_run(run)


def add(gradebook, run, student, digest="d1", origin="here", counts=True, refused=""):
    return gradebook.add_submission(run, student, digest, {}, origin, counts, [], refused)


def rows(path, student=None):
    with Gradebook.open(path, writing=False) as gradebook:
        return list(gradebook.current(student))


def sql(path, question):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def refusal(path, writing):
    with pytest.raises(Unusable) as raised:
        Gradebook.open(path, writing).close()
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
    return str(raised.value)


# --- What it holds -------------------------------------------------------------------------------


def test_what_was_recorded_is_read_back(path):
    fill(path)
    assert rows(path) == [
        Row(student, lesson, r.exercise, r.check, r.outcome, r.points, r.max_points,
            r.misconception, r.feedback, r.seconds)
        for student in ("ann", "bob") for lesson in ("lesson1", "lesson2") for r in (PASSED, WRONG)
    ]  # fmt: skip
    assert [row.student for row in rows(path, "bob")] == ["bob"] * 4


def test_a_person_can_ask_it(path):
    fill(path)
    assert sql(path, "SELECT student, sum(points) FROM grades GROUP BY student") == [
        ("ann", 10),
        ("bob", 10),
    ]
    assert sql(
        path, "SELECT misconception, count(*) FROM checks GROUP BY 1 ORDER BY 2 DESC, 1"
    ) == [
        ("", 4),
        ("one maximum for all", 4),
    ]
    assert sql(path, "SELECT * FROM refusals") == []
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]
    assert sql(path, "PRAGMA user_version") != [(0,)]
    assert sql(path, "PRAGMA application_id") != [(0,)]
    [run] = sql(path, "SELECT kit_version, reference, reference_fingerprint, device, case_seeds,"
                      " isolation, timeout, ended IS NOT NULL FROM runs")  # fmt: skip
    assert run == ("0.1", "gpt2-tiny", "f00", "cpu", '["public"]', "bubblewrap", 10.0, 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob", "Ünal"]),
            st.sampled_from(["lesson1", "lesson2"]),
            st.sampled_from(["key1", "key2"]),
            st.lists(
                st.builds(Result, st.sampled_from(["b", "a"]), st.just("check"),
                          st.sampled_from(OUTCOMES), st.integers(0, 3), st.integers(3, 5)),
                max_size=3,
            ),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_the_latest_grading_of_a_students_lesson_is_current(tmp_path_factory, gradings):
    path = tmp_path_factory.mktemp("model") / "gradebook"
    model = {}
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        for student, lesson, key, results in gradings:
            gradebook.record(run, add(gradebook, run, student), student, lesson, key, results)
            model[student, lesson] = key, results
            for who in ("ann", "bob", "Ünal"):
                for which in ("lesson1", "lesson2"):
                    for told in ("key1", "key2"):
                        latest, _ = model.get((who, which), ("", []))
                        assert gradebook.is_graded(who, which, told) == (told == latest)
    assert [(r.student, r.lesson, r.exercise, r.outcome, r.points) for r in rows(path)] == [
        (student, lesson, r.exercise, r.outcome, r.points)
        for (student, lesson), (_, results) in sorted(model.items(), key=lambda item: item[0])
        for r in results
    ]
    assert sql(path, "SELECT count(*) FROM gradings") == [(len(gradings),)]


def test_a_student_missing_from_the_class_keeps_what_they_had(path):
    fill(path, lessons=["lesson1"])
    fill(path, students=["bob"], lessons=["lesson2"])
    assert {(row.student, row.lesson) for row in rows(path)} == {
        ("ann", "lesson1"),
        ("bob", "lesson1"),
        ("bob", "lesson2"),
    }
    with Gradebook.open(path, writing=False) as gradebook:
        assert gradebook.students() == ["ann", "bob"]
        assert [s.is_of_last_run for s in gradebook.handed_in()] == [False, True]


def test_a_file_that_was_changed_or_mended_takes_the_place_of_what_it_was(path):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        add(gradebook, run, "bob", "", "bob.zip", refused="It is encrypted.")
        add(gradebook, run, "ann", "", "ann.zip", refused="It is encrypted.")
        before = add(gradebook, run, "ann", "d1", "ann.py")
        gradebook.record(run, before, "ann", "lesson1", "key", [WRONG])
        gradebook.record(run, before, "ann", "lesson2", "key", [PASSED])
        elsewhere = add(gradebook, run, "ann", "d3", "week 2")
        gradebook.record(run, elsewhere, "ann", "lesson3", "key", [PASSED])
        after = add(gradebook, run, "ann", "d2", "ann.py")
        gradebook.record(run, after, "ann", "lesson1", "key2", [PASSED])
    assert [(row.lesson, row.outcome) for row in rows(path)] == [
        ("lesson1", "passed"),
        ("lesson3", "passed"),
    ]
    assert sql(path, "SELECT student FROM refusals") == [("bob",)]
    assert sql(path, "SELECT count(*) FROM submissions") == [(5,)]


def test_what_a_later_submission_replaced_is_not_current(path):
    fill(path, students=["ann"])
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        add(gradebook, run, "ann", counts=False)
        later = add(gradebook, run, "ann", "d2", "there")
        assert rows(path) == []
        gradebook.record(run, later, "ann", "lesson2", "key2", [PASSED])
    assert [(row.lesson, row.outcome) for row in rows(path)] == [("lesson2", "passed")]
    with Gradebook.open(path, writing=False) as gradebook:
        gradings = list(gradebook.gradings("ann"))
        assert [(g.lesson, bool(g.is_current)) for g in gradings] == [
            ("lesson1", False),
            ("lesson2", False),
            ("lesson2", True),
        ]
        assert [bool(s.counts) for s in gradebook.handed_in("ann")] == [False, True]


def test_the_same_work_handed_in_again_is_graded_already(path):
    fill(path, students=["ann"])
    before = rows(path)
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        add(gradebook, run, "ann", counts=False)
        add(gradebook, run, "ann", origin="there")
        assert gradebook.is_graded("ann", "lesson1", "key")
    assert rows(path) == before


def test_adding_a_submission_again_changes_what_is_said_of_it_and_nothing_else(path):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        files = {"lesson1": "x = 1\r\n\tprint('\x1b')\n"}
        add = gradebook.add_submission
        first = add(run, "ann", "d", files, "here", True, ["a", "b"], "")
        assert add(run, "ann", "d", files, "here", False, ["c"], "why") == first
        assert add(run, "ann", "e", files, "here", True, []) != first
        assert add(run, "bob", "d", files, "here", True, []) != first
        assert gradebook.files(first) == files
        again, *_ = gradebook.handed_in("ann")
        assert again[:7] == (first, "ann", "d", "here", False, "c", "why")


def test_the_disk_is_waited_for_now_and_then_and_at_the_end(path, monkeypatch):
    def safety():
        return gradebook._db.execute("PRAGMA synchronous").fetchone() == (2,)

    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        assert safety()
        add(gradebook, run, "ann")
        assert not safety()
        monkeypatch.setattr(book, "SYNC_EVERY", 0)
        add(gradebook, run, "bob")
        assert safety()
        monkeypatch.setattr(book, "SYNC_EVERY", 1000)
        add(gradebook, run, "cem")
        assert not safety()
        gradebook.end_run(run)
        assert safety()


def test_a_grading_is_of_its_students_own_submission(path):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        submission = add(gradebook, run, "ann")
        with pytest.raises(sqlite3.IntegrityError):
            gradebook.record(run, submission, "bob", "lesson1", "key", [PASSED])
        with pytest.raises(sqlite3.IntegrityError):
            gradebook.record(run + 1, submission, "ann", "lesson1", "key", [PASSED])


@pytest.mark.parametrize(
    "impossible",
    [
        Result("e", "c", "fine", 0, 5),
        Result("e", "c", "passed", 6, 5),
        Result("e", "c", "passed", -1, 5),
        Result("e", "c", "passed", 5, 5, seconds=float("nan")),
    ],
)
def test_a_grading_is_recorded_whole_or_not_at_all(path, impossible):
    fill(path, students=["ann"])
    before = rows(path)
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        with pytest.raises(sqlite3.IntegrityError):
            gradebook.record(
                run, add(gradebook, run, "ann"), "ann", "lesson1", "new", [PASSED, impossible]
            )
        assert not gradebook.is_graded("ann", "lesson1", "new")
    assert rows(path) == before


# --- Hostile text --------------------------------------------------------------------------------

HOSTILE = [
    "\0",
    "a\0b",
    "\ud800 \udfff",
    "\x1b]0;owned\x07\x1b[2J",
    "\u202egnp.exe",
    "\r\r\n\x85\u2028",
    "'; DROP TABLE results; --",
    "[red]no markup[/red] :smile:",
]


@given(st.text(st.characters(codec=None, categories=None), max_size=30) | st.sampled_from(HOSTILE))
def test_text_is_stored_printable(text):
    stored = text_module.bounded(text)
    assert all(c.isprintable() or c in "\n\t" for c in stored)
    assert text_module.bounded(stored) == stored
    assert text_module.line(text).isprintable()
    if all(c.isprintable() or c in "\n\t" for c in text):
        assert stored == text


@given(*[st.text(st.characters(codec=None, categories=None), max_size=300)] * 2)
def test_names_stay_apart_and_are_found_again(a, b):
    assert text_module.name_of(a).isprintable()
    assert len(text_module.name_of(a)) <= text_module.NAME
    assert text_module.name_of(text_module.name_of(a)) == text_module.name_of(a)
    if a.isprintable() and b.isprintable():
        assert (text_module.name_of(a) == text_module.name_of(b)) == (a == b)


def test_long_names_that_begin_alike_stay_apart(path):
    fill(path, students=["x" * 10_000 + "a", "x" * 10_000 + "b"], lessons=["lesson1"])
    with Gradebook.open(path, writing=False) as gradebook:
        assert len(gradebook.students()) == 2
        assert gradebook.is_graded("x" * 10_000 + "b", "lesson1", "key")


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000_000, "\x1b" * 10_000_000], ids=range(10))
def test_no_text_breaks_it_or_makes_it_large(path, text):
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, text, text)
        submission = gradebook.add_submission(
            run, text, "d", {"lesson1": text, text: text}, text, True, [text] * 1000, text
        )
        result = Result(text, text, "wrong", 0, 5, text, text)
        gradebook.record(run, submission, text, text, "k", [result], text, [text] * 1000)
        assert gradebook.is_graded(text, text, "k")
        [row] = gradebook.current(text)
        assert row[2:3] + row[4:7] == (row.exercise, "wrong", 0, 5)
        assert len(gradebook.files(submission)) == 2
    assert path.stat().st_size < 4_000_000


# --- Files that are none of ours -----------------------------------------------------------------


def no_database(path):
    path.write_bytes(b"student,points\nann,5\n" * 1000)
    return "is no gradebook"


def of_another_program(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE bookmarks (address TEXT)")
        db.commit()
    return "is a database of another program"


def of_a_newer_kit(path):
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    return "newer kit"


def truncated(path):
    fill(path, students=[f"student{n}" for n in range(50)])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    return "is damaged"


def cut_off_in_its_first_bytes(path):
    fill(path)
    with path.open("r+b") as file:
        file.truncate(60)
    return "is damaged"


@pytest.mark.parametrize("writing", [True, False])
@pytest.mark.parametrize(
    "make", [no_database, of_another_program, of_a_newer_kit, truncated, cut_off_in_its_first_bytes]
)
def test_what_is_no_usable_gradebook_is_said_and_left_alone(path, make, writing):
    said = make(path)
    before = path.read_bytes()
    assert said in refusal(path, writing)
    assert path.read_bytes() == before
    assert not path.with_name(f"{path.name}-wal").exists()


def test_damage_inside_is_said_where_it_is_met(path):
    fill(path, students=[f"student{n}" for n in range(50)])
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half:] = b"\xff" * (len(content) - half)
    path.write_bytes(content)
    with pytest.raises(Unusable, match="is damaged"):
        rows(path)
    assert path.read_bytes() == content


def test_what_is_not_there_is_said(path):
    assert "There is no gradebook" in refusal(path, writing=False)
    assert not path.exists()
    with pytest.raises(Unusable, match=r"There is no folder .*no"):
        Gradebook.open(path.parent / "no" / "gradebook", writing=True)
    assert "is a folder" in refusal(path.parent, writing=True)
    path.touch()
    assert "is empty" in refusal(path, writing=False)


def test_an_empty_file_becomes_a_gradebook(path):
    path.touch()  # what is left of a run that was killed at once
    fill(path)
    assert len(rows(path)) == 8


def test_a_change_by_hand_is_waited_for_and_then_reported(path, monkeypatch):
    fill(path)
    monkeypatch.setattr(opening, "PATIENCE", 0.1)
    with (
        Gradebook.open(path, writing=True) as gradebook,
        closing(sqlite3.connect(path, isolation_level=None)) as person,
    ):
        person.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unusable, match="being changed by another program"):
            gradebook.begin_run(CONDITIONS, "class", "folder")
        person.execute("ROLLBACK")
        gradebook.begin_run(CONDITIONS, "class", "folder")


# --- Disks ---------------------------------------------------------------------------------------

PRELUDE = f"""
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
sys.path[:0] = {sys.path!r}
from test_book import *
folder = Path(sys.argv[1])
path = folder / "class.gradebook"
"""


def on_a_disk_of_its_own(folder, script, size="1m"):
    """Run a script where `folder` is a small file system that nobody else sees."""
    unshare = ["unshare", "--mount", "--map-root-user"]
    mount = f'mount -t tmpfs -o size={size} none "$1"'
    try:
        subprocess.run([*unshare, "sh", "-c", mount, "sh", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a file system")
    command = f'{mount} && exec "$2" -c "$3" "$1"'
    subprocess.run(
        [*unshare, "sh", "-c", command, "sh", folder, sys.executable, PRELUDE + script], check=True
    )


def test_a_full_disk_is_said_and_takes_nothing_that_was_recorded(tmp_path):
    on_a_disk_of_its_own(
        tmp_path,
        """
recorded = 0
try:
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        submission = add(gradebook, run, "ann")
        while True:
            gradebook.record(run, submission, "ann", f"lesson{recorded}", "key", [WRONG] * 20)
            recorded += 1
except Unusable as problem:
    assert str(path) in str(problem) and "full" in str(problem), problem
assert recorded > 10
assert len(rows(path)) == 20 * recorded
assert sql(path, "PRAGMA integrity_check") == [("ok",)]

subprocess.run(["mount", "-o", "remount,size=4m", folder], check=True)
with Gradebook.open(path, writing=True) as gradebook:
    run = gradebook.begin_run(CONDITIONS, "class", "folder")
    assert gradebook.is_graded("ann", f"lesson{recorded - 1}", "key")
    assert not gradebook.is_graded("ann", f"lesson{recorded}", "key")
    gradebook.record(run, add(gradebook, run, "ann"), "ann", f"lesson{recorded}", "key", [WRONG])
assert len(rows(path)) == 20 * recorded + 1
""",
    )


def test_a_disk_that_is_full_from_the_start_is_said(tmp_path):
    on_a_disk_of_its_own(
        tmp_path,
        """
with suppress(OSError):
    (folder / "film").write_bytes(bytes(2_000_000))
assert "full" in refusal(path, writing=True)
(folder / "film").unlink()
fill(path)
assert len(rows(path)) == 8
""",
    )


def test_a_disk_that_cannot_be_written_to_can_be_read(tmp_path):
    on_a_disk_of_its_own(
        tmp_path,
        """
fill(path)
crash = "fill(path); Gradebook.open(path, True).begin_run(CONDITIONS, '', ''); os._exit(0)"
crashed = folder / "crashed"
crashed.mkdir()
subprocess.run([sys.executable, "-c", PRELUDE + crash, crashed], check=True)
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
before = path.read_bytes()
assert len(rows(crashed / path.name)) == 8
assert path.read_bytes() == before
subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
(crashed / f"{path.name}-shm").unlink()
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
assert "with its -wal" in refusal(crashed / path.name, writing=False)
assert "cannot be opened for writing" in refusal(path, writing=True)
assert len(rows(path)) == 8
assert path.read_bytes() == before
""",
    )


def test_without_room_a_grading_is_not_half_recorded(path):
    fill(path, students=["ann"])
    before = rows(path)
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(CONDITIONS, "class", "folder")
        submission = add(gradebook, run, "ann")
        [pages] = gradebook._db.execute("PRAGMA page_count").fetchone()
        gradebook._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unusable, match="the disk is full"):
            gradebook.record(run, submission, "ann", "lesson1", "new", [WRONG] * 1000)
        assert gradebook.is_graded("ann", "lesson1", "key")
    assert rows(path) == before
    assert sql(path, "PRAGMA integrity_check") == [("ok",)]


# --- Several at once -----------------------------------------------------------------------------

HOLDER = """
import subprocess, sys
from pathlib import Path
from grader.gradebook.book import Gradebook
gradebook = Gradebook.open(Path(sys.argv[1]), writing=True)
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
sys.stdin.read()
"""


def python(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_run_is_refused_until_the_first_is_gone(path, tmp_path):
    fill(path)
    other_name = tmp_path / "link"
    other_name.symlink_to(path)
    with python(HOLDER, path) as holder:
        child = int(holder.stdout.readline())
        said = refusal(path, writing=True)
        assert "in use by another run" in said
        assert f"process {holder.pid} on " in said
        with pytest.raises(Unusable, match="in use by another run"):
            Gradebook.open(other_name, writing=True)
        assert len(rows(path)) == 8
        holder.kill()
        holder.wait()
        try:
            fill(path, students=["eve"])  # though what it started lives on
        finally:
            os.kill(child, signal.SIGKILL)
    assert {row.student for row in rows(path)} == {"ann", "bob", "eve"}


def test_a_gradebook_that_was_closed_can_be_opened_again_at_once(path):
    for _ in range(3):
        fill(path)
    with pytest.raises(ZeroDivisionError), Gradebook.open(path, writing=True):
        _ = 1 / 0
    fill(path)
    assert sql(path, "SELECT count(*) FROM runs") == [(4,)]


def test_a_reader_sees_one_moment(path):
    fill(path, students=["ann"])
    with Gradebook.open(path, writing=False) as before:
        fill(path, students=["bob"])
        assert before.students() == ["ann"]
        assert len(list(before.current())) == 4
    assert len(rows(path)) == 8


def test_a_reader_cannot_write(path):
    fill(path)
    with Gradebook.open(path, writing=False) as gradebook, pytest.raises(Unusable):
        gradebook.begin_run(CONDITIONS, "class", "folder")


def test_only_the_gradebook_and_its_lock_are_left(path):
    fill(path)
    rows(path)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


# --- Killed --------------------------------------------------------------------------------------

CHECKS = 40
WORKER = f"""
import sys
from pathlib import Path
from grader.gradebook.schema import OUTCOMES
from grader.gradebook.rows import Conditions, Result
from grader.gradebook.book import Gradebook
path, students = Path(sys.argv[1]), int(sys.argv[2])
print("opening", flush=True)
with Gradebook.open(path, writing=True) as gradebook:
    run = gradebook.begin_run({CONDITIONS}, "class", "folder")
    said = False
    for n in range(students):
        who, files = f"student{{n}}", {{"lesson1": f"x = {{n}}"}}
        submission = gradebook.add_submission(run, who, f"digest{{n}}", files, who, True, [])
        for lesson in ("lesson1", "lesson2"):
            if not gradebook.is_graded(who, lesson, "key"):
                if not said:
                    said = print("recording", flush=True) is None
                results = [
                    Result(f"exercise{{k}}", "check", OUTCOMES[(n + k) % 7], 0, 5, "", f"{{n + k}}")
                    for k in range({CHECKS})
                ]
                gradebook.record(run, submission, who, lesson, "key", results)
    gradebook.end_run(run)
"""


def kill(after, delay, *arguments):
    """Start a worker, wait for what it says and a little longer, kill it. Was it still running?"""
    with python(WORKER, *arguments) as worker:
        for line in worker.stdout:
            if line.strip() == after:
                break
        time.sleep(delay)
        worker.kill()
        return worker.wait() == -signal.SIGKILL


def everything(path):
    """What is in it, but for runs and times."""
    return [
        sql(path, "SELECT student, digest, origin, counts, remarks, refused FROM submissions"),
        sql(path, "SELECT submission, name, source FROM files ORDER BY 1, 2"),
        sql(
            path, "SELECT submission, student, lesson, key, latest, printed, remarks FROM gradings"
        ),
        sql(path, "SELECT * FROM results ORDER BY grading, position"),
    ]


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.thorough)])
def test_killed_and_run_again_it_is_as_if_it_had_never_been(path, tmp_path, times):
    draw = random.Random(0)
    for moment in range(times):
        assert kill("recording", draw.uniform(0, 0.025), path, 10**9)  # never done by itself
        if moment % 2:  # else it is the next run that finds what the killed one left
            assert sql(path, "PRAGMA integrity_check") == [("ok",)]
            whole = sql(path, "SELECT count(*) FROM results GROUP BY grading")
            assert set(whole) <= {(CHECKS,)}
    [[gradings]] = sql(path, "SELECT count(*) FROM gradings")
    assert gradings > times
    students = gradings // 2 + 10
    for finished in (path, tmp_path / "uninterrupted"):
        with python(WORKER, finished, students) as worker:
            worker.communicate()
        assert worker.returncode == 0
    assert everything(path) == everything(finished)
    assert rows(path) == rows(finished)


@pytest.mark.parametrize("times", [3, pytest.param(12, marks=pytest.mark.thorough)])
def test_killed_while_it_is_made_it_is_made_by_the_next_run(tmp_path, times):
    draw = random.Random(0)
    for moment in range(times):
        path = tmp_path / f"gradebook{moment}"
        kill("opening", draw.uniform(0, 0.04), path, 10)
        with python(WORKER, path, 10) as worker:
            worker.communicate()
        assert worker.returncode == 0
        assert len(rows(path)) == 20 * CHECKS


def test_readers_see_whole_gradings_while_a_run_writes(path):
    with python(WORKER, path, 300) as worker:
        while worker.stdout.readline().strip() != "recording":
            pass
        seen = []
        while worker.poll() is None:
            seen.append(len(rows(path)))
        assert worker.returncode == 0
    assert len(set(seen)) > 3
    assert seen == sorted(seen)
    assert all(n % CHECKS == 0 for n in seen)


def test_gradings_by_other_versions_of_what_computes_are_counted(path):
    with Gradebook.open(path, writing=True) as gradebook:
        for versions, student in (("torch 1", "A"), ("torch 1", "B"), ("", "C"), ("torch 2", "B")):
            run = gradebook.begin_run(replace(CONDITIONS, versions=versions), "class", "folder")
            submission = add(gradebook, run, student)
            result = Result("softmax", "any_dim", "passed", 1, 1)
            gradebook.record(run, submission, student, "lesson3", versions, [result])
        assert gradebook.kept("torch 2") == [("torch 1", 1)]
        assert gradebook.kept("torch 1") == [("torch 2", 1)]
        assert gradebook.kept("torch 3") == [("torch 1", 1), ("torch 2", 1)]


def test_an_exercise_has_a_worst_outcome_whatever_there_is():
    assert set(outcome.WORST) == set(OUTCOMES)


def test_nothing_heavy_is_loaded():
    script = """
import sys
import grader.gradebook.book, grader.gradebook.exports.records, grader.gradebook.results
print(*{"torch", "numpy", "rich", "filelock", "asyncio"} & set(sys.modules))
"""
    with python(script) as process:
        assert process.communicate()[0] == "\n"
