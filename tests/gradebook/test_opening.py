"""What can be wrong with a gradebook's file, and what is said of it."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from bookkeeping import CONDITIONS, PRELUDE, WRONG, add, fill, python, refusal, rows, sql
from grader.gradebook import opening, schema
from grader.gradebook.book import Gradebook
from grader.gradebook.opening import Unusable


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


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


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE submissions SET student = x'ff00' WHERE id = 1",
        "UPDATE results SET feedback = x'80'",
        "UPDATE gradings SET printed = x'ff'",
        "UPDATE submissions SET origin = CAST(x'ff' AS TEXT)",
    ],
)
def test_bytes_where_a_text_belongs_are_damage(path, change):
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(change)
        db.commit()

    def look_at_all(book):
        return [book.students(), *book.handed_in(), *book.current(), *book.gradings()]

    with Gradebook.open(path, writing=False) as book, pytest.raises(Unusable, match="is damaged"):
        look_at_all(book)


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


HOLDER = """
import subprocess, sys
from pathlib import Path
from grader.gradebook.book import Gradebook
gradebook = Gradebook.open(Path(sys.argv[1]), writing=True)
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
sys.stdin.read()
"""


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
