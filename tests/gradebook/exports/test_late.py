"""What being late costs: a policy file read with care, and never more than it says taken off."""

import os
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books import BUBBLEWRAP
from grader import lessons as kit
from grader.gradebook import schema
from grader.gradebook.book import Gradebook
from grader.gradebook.exports import late
from grader.gradebook.exports.late import Policy, WrongPolicy, parse
from grader.gradebook.rows import Result
from grader.intake import classes, layouts
from handin import grader

LESSONS = ("lesson1", "lesson2")
STUDENTS = ("Ada (11)", "Bob (12)")
DUE = datetime(2026, 3, 1, 22, 59, tzinfo=timezone.utc)
GOOD = """
time_zone: Europe/Berlin
due: 2026-03-01 23:59
lessons: {lesson1: 2026-02-20 23:59}
grace: 15 minutes
percent_per_day: 10
cap: 50
extensions:
  Ada (11): 2026-03-05 23:59
  Bob (12): {lesson2: "2026-03-02T10:00:00Z"}
submitted: {Bob (12): {lesson1: 2026-02-21 00:30}}
file_times: ignore
"""


def read(text):
    return parse(text, STUDENTS, LESSONS)


def test_who_has_handed_in_nothing_yet_may_have_an_extension():
    text = "due: 2026-03-01 23:59Z\npercent_per_day: 1\nextensions: {Zoe (9): 2026-03-05 23:59Z}"
    policy = late.parse(text, ["Ada (11)", "Ben (12)"], [])
    assert policy.not_here == ("Zoe (9)",)


def refusal(text):
    with pytest.raises(WrongPolicy) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def judged(policy, student, lesson, when, by="Gradescope"):
    return policy.judge(student, lesson, when.isoformat() if when else "", by)


# --- The file ------------------------------------------------------------------------------------


def test_a_policy_is_read_in_its_time_zone():
    policy = read(GOOD)
    assert policy.due == DUE
    assert policy.lessons == {"lesson1": datetime(2026, 2, 20, 22, 59, tzinfo=timezone.utc)}
    assert policy.grace == timedelta(minutes=15)
    assert (policy.percent_per_day, policy.cap, policy.file_times) == (10, 50, False)
    assert policy.due_for("Ada (11)", "lesson1") == datetime(
        2026, 3, 5, 22, 59, tzinfo=timezone.utc
    )
    assert policy.due_for("Bob (12)", "lesson1") == policy.lessons["lesson1"]
    assert policy.due_for("Bob (12)", "lesson2") == datetime(2026, 3, 2, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "`name: value`"),
        ("- due", "`name: value`"),
        ("due: [", "not YAML, line 1"),
        ("due: 2026-03-01 23:59Z", "percent_per_day is missing"),
        ("percent_per_day: 10", "no due date"),
        ("due: 2026-03-01\npercent_per_day: 10", "Write 2026-03-01 23:59"),
        ("due: soon\npercent_per_day: 10", "'soon' is no time"),
        ("due: [1]\npercent_per_day: 10", "is no time"),
        ("due: 2026-02-30 10:00Z\npercent_per_day: 10", "is no time"),
        ("due: 2026-03-01 23:59\npercent_per_day: 10", "add a line `time_zone"),
        ("time_zone: Mars/Olympus\ndue: 2026-03-01 23:59", "'Mars/Olympus' is not known"),
        ("time_zone: ../../etc/passwd\ndue: 2026-03-01 23:59", "is not known"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: -1", "no percentage"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: 101", "more than 100"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: 1\ncap: 0.00001", "no percentage"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: 1\ngrace: 15", "no length of time"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: 1\nfile_times: yes", "count or ignore"),
        ("due: 2026-03-01 23:59Z\ndue: 2026-03-02 23:59Z", "'due' is there twice"),
        ("due: 2026-03-01 23:59Z\npercent_per_day: 1\nlate: 3", "there is no 'late'"),
        ("due: 2026-03-01 23:59Z\nlessons: {lesson9: 2026-03-01 23:59Z}", "no 'lesson9'"),
        (
            "due: 2026-03-01 23:59Z\npercent_per_day: 1\nextensions: {Ada: 2026-03-01 23:59Z}",
            "no student 'Ada'. Did you mean Ada (11)?",
        ),
        (
            "due: 2026-03-01 23:59Z\npercent_per_day: 1\nsubmitted: {Ada (11): 2026-03-01 23:59}",
            "submitted, Ada (11): 2026-03-01 23:59 is in no time zone",
        ),
    ],
)
def test_what_is_wrong_in_it_is_said_with_what_to_write(text, says):
    assert says.casefold() in refusal(text).casefold()


@given(st.text() | st.text(alphabet="due: \n{}[]-&*!0123456789Z'\""))
def test_any_text_is_a_policy_or_refused_in_one_line(text):
    said = ""
    try:
        read(text)
    except WrongPolicy as problem:
        said = str(problem)
    assert said  # none of these has all that a policy needs
    assert "\n" not in said


def test_a_time_that_the_clocks_have_twice_is_the_kinder_one():
    text = "time_zone: Europe/Berlin\ndue: 2026-10-25 02:30\npercent_per_day: 10\n"
    policy = read(text + "submitted: {Ada (11): 2026-10-25 02:30}")
    assert policy.due == datetime(2026, 10, 25, 1, 30, tzinfo=timezone.utc)
    assert policy.submitted["Ada (11)"][""] == policy.due - timedelta(hours=1)


# --- What it takes off ---------------------------------------------------------------------------

PERCENT = st.integers(0, 1_000_000).map(lambda n: Decimal(n) / 10_000)
LATE = st.timedeltas(timedelta(days=-400), timedelta(days=400))
POLICIES = st.builds(
    Policy,
    zone=st.just(timezone.utc),
    due=st.just(DUE),
    lessons=st.just({}),
    percent_per_day=PERCENT,
    grace=st.timedeltas(timedelta(0), timedelta(days=5)),
    cap=PERCENT,
)
POINTS = st.integers(0, 500)


@given(POLICIES, LATE, POINTS)
def test_it_never_adds_points_and_keeps_to_the_cap(policy, by, points):
    percent = policy.percent(by)
    left = late.final(points, percent)
    assert 0 <= percent <= policy.cap
    assert left <= points
    assert left >= points * (100 - policy.cap) / 100 - late.HUNDREDTH / 2


@given(POLICIES, LATE, LATE, POINTS)
def test_later_is_never_cheaper(policy, one, other, points):
    early, later = sorted((one, other))
    assert policy.percent(early) <= policy.percent(later)
    assert late.final(points, policy.percent(early)) >= late.final(points, policy.percent(later))


@given(POLICIES, LATE)
def test_within_due_and_grace_it_is_free_and_says_nothing(policy, by):
    found = judged(policy, "Ada (11)", "lesson1", DUE + by)
    if by <= max(policy.grace, timedelta(0)):
        assert (found.percent, found.says) == (0, "")
    else:
        assert found.says


@given(POLICIES, LATE, LATE)
def test_an_extension_is_a_due_date_of_ones_own_and_never_an_earlier_one(policy, extended, by):
    from dataclasses import replace

    theirs = replace(policy, extensions={"Ada (11)": {"": DUE + extended}})
    due = max(DUE, DUE + extended)
    when = DUE + by
    assert judged(theirs, "Ada (11)", "lesson1", when).percent == policy.percent(when - due)
    assert judged(theirs, "Bob (12)", "lesson1", when) == judged(
        policy, "Bob (12)", "lesson1", when
    )


@given(POINTS, PERCENT)
def test_the_rounding_is_exact(points, percent):
    exact = Fraction(points) * (100 - Fraction(percent)) / 100
    left = late.final(points, percent)
    assert left == left.quantize(Decimal("0.01"))
    assert -Fraction(1, 200) < Fraction(left) - exact <= Fraction(1, 200)  # halves go up


@given(st.lists(POINTS, max_size=20), PERCENT)
def test_the_checks_shares_are_the_lessons_to_the_hundredth(points, percent):
    left = late.shares(points, percent)
    assert sum(left) == late.final(sum(points), percent)
    assert all(0 <= some <= made for some, made in zip(left, points, strict=True))


def test_each_day_begun_counts_from_the_due_date():
    policy = read(GOOD.replace("file_times: ignore", "file_times: count"))
    day = timedelta(days=1)
    for by, percent in [
        (timedelta(minutes=15), 0),
        (timedelta(minutes=16), 10),
        (day, 10),
        (timedelta(minutes=15, seconds=59), 0),  # the minute that it is due in is still in time
        (day + timedelta(seconds=59), 10),
        (day + timedelta(minutes=1), 20),
        (40 * day, 50),
    ]:
        due = policy.due_for("Bob (12)", "lesson2")
        found = judged(policy, "Bob (12)", "lesson2", due + by)
        assert found.percent == percent
        assert not found.is_doubtful
        assert bool(found.says) == bool(percent)
    assert "50 % of the points are taken off, the most there is." in found.says
    assert "due at 2026-03-02 11:00 CET" in found.says


# --- Whose word it is ----------------------------------------------------------------------------


def test_nobody_is_punished_on_a_guess_in_silence():
    policy = read(GOOD.replace("file_times: ignore", "file_times: count"))
    after = DUE + timedelta(days=9)
    found = judged(policy, "Bob (12)", "lesson2", after, layouts.FILE_TIME)
    assert found.percent == 50
    assert found.is_doubtful
    assert "the time of change of its file" in found.says
    assert judged(read(GOOD.replace("file_times: ignore", "")), "Bob (12)", "lesson2", after,
                  layouts.FILE_TIME).percent == 0  # fmt: skip
    ignored = judged(read(GOOD), "Bob (12)", "lesson2", after, layouts.FILE_TIME)
    assert (ignored.percent, ignored.is_doubtful) == (0, True)
    assert "nothing is taken off" in ignored.says


def test_in_time_by_a_files_own_time_is_told_from_in_time():
    policy = read(GOOD)
    for by, alone in ((layouts.FILE_TIME, True), (layouts.GRADESCOPE, False)):
        found = judged(policy, "Bob (12)", "lesson2", DUE - timedelta(days=1), by)
        assert (found.percent, found.is_in_time_by_file, found.says) == (0, alone, "")


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_times_at_the_ends_of_the_calendar_are_no_traceback(year):
    for zone in ("Europe/Berlin", "America/New_York"):
        text = f"time_zone: {zone}\npercent_per_day: 10\ndue: "
        policy = late.parse(f"{text}2026-03-01 23:59", ["Bob"], ["lesson1"])
        month = "12-31T23:59:59" if year == "9999" else "01-01T00:00:00"
        found = policy.judge("Bob", "lesson1", f"{year}-{month}+00:00", layouts.GRADESCOPE)
        assert found.percent == (100 if year == "9999" else 0)
        with pytest.raises(late.WrongPolicy, match="out of all reach"):
            late.parse(f"{text}{year}-01-01 00:00", ["Bob"], ["lesson1"])


def test_a_files_time_that_cannot_be_is_unknown(tmp_path):
    for name, when in (("ada.py", 0), ("bob.py", 4_000_000_000)):
        os.utime(made(tmp_path, name) / name, (when, when))
    assert times(tmp_path) == {"ada": ("", "unknown"), "bob": ("", "unknown")}


def test_an_unknown_time_costs_nothing_and_is_remarked_on():
    policy = read(GOOD)
    for by, says in [
        (layouts.UNKNOWN, "not known"),
        ("", "not known"),
        (layouts.CANVAS_LATE, "not by how much"),
    ]:
        found = judged(policy, "Bob (12)", "lesson2", None, by)
        assert (found.percent, found.is_doubtful) == (0, True)
        assert says in found.says
    assert judged(policy, "Bob (12)", "lesson2", None, layouts.CANVAS_ON_TIME) == late.Judgement()


def test_the_policys_word_stands_above_the_gradebooks():
    found = judged(read(GOOD), "Bob (12)", "lesson1", DUE + timedelta(days=99))
    assert (found.percent, found.submitted) == (10, "2026-02-21 00:30:00+01:00")
    assert not found.is_doubtful


# --- When something was handed in ----------------------------------------------------------------


def times(folder):
    return {e.student: e.submitted(e.paths) for e in classes.find(folder, kit.names()).entries}


def made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
        os.utime(path, (1_757_382_400, 1_757_382_400))
    return folder


def test_gradescope_says_when(tmp_path):
    made(tmp_path, "submission_1/a.py", "submission_2/a.py", "submission_3/a.py")
    (tmp_path / "submission_metadata.yml").write_text(
        "---\n"
        "submission_1:\n  :submitters:\n  - :name: Ada\n    :email: ada@x.edu\n"
        "  :created_at: 2026-03-01 20:12:38.553434000 -08:00\n  :score: 1\n"
        "  :history:\n  - :created_at: 1999-01-01 00:00:00.000000000 Z\n"
        "submission_2:\n  :created_at: 2026-03-01 20:12:38.553434000 Z\n"
        "  :submitters:\n  - :name: Bob\n    :email: bob@x.edu\n"
        "submission_3:\n  :submitters:\n  - :name: Cy\n  :created_at: yesterday\n"
    )
    assert times(tmp_path) == {
        "Ada (ada@x.edu)": ("2026-03-02T04:12:38+00:00", "Gradescope"),
        "Bob (bob@x.edu)": ("2026-03-01T20:12:38+00:00", "Gradescope"),
        "Cy": ("2025-09-09T01:46:40+00:00", "file time"),
    }


def test_canvas_says_late_and_no_time(tmp_path):
    made(tmp_path, "ada_11_101_a.py", "bob_LATE_12_102_LATE_a.py", "LATE_anon_x1_103_a.py",
         "cy_13_104_my_LATE_a.py")  # fmt: skip
    assert times(tmp_path) == {
        "ada (11)": ("", "Canvas: on time"),
        "bob (12)": ("", "Canvas: late"),
        "anon_x1": ("", "Canvas: late"),
        "cy (13)": ("", "Canvas: on time"),
    }


def test_elsewhere_there_is_the_files_own_time_and_for_clones_none(tmp_path):
    made(tmp_path / "plain", "ada/a.py", "bob.py")
    changed = ("2025-09-09T01:46:40+00:00", "file time")
    assert times(tmp_path / "plain") == {"ada": changed, "bob": changed}
    made(tmp_path / "hw1-submissions", "hw1-ada/.git/config", "hw1-bob/.git/config")
    made(tmp_path / "hw1-submissions", "hw1-ada/a.py", "hw1-bob/a.py")
    assert times(tmp_path / "hw1-submissions") == {"ada": ("", "unknown"), "bob": ("", "unknown")}


# --- The gradebook -------------------------------------------------------------------------------


def record(path, student="Ada (11)", submitted="", by="", digest="d1", origin="a.py"):
    with Gradebook.open(path, writing=True) as book:
        run = book.begin_run(BUBBLEWRAP, "class", "folder")
        number = book.add_submission(
            run, student, digest, {}, origin, True, [], submitted=submitted, submitted_by=by
        )
        book.record(run, number, student, "lesson1", "key", [Result("e", "c", "passed", 5, 5)])
        book.end_run(run)


def test_a_time_is_kept_with_whose_word_it_is(tmp_path):
    path = tmp_path / "book"
    record(path, submitted="2026-03-02T00:00:00+00:00", by="Gradescope")
    with Gradebook.open(path, writing=False) as book:
        [handed_in] = book.handed_in()
        assert list(book.submitted()) == [
            ("Ada (11)", "lesson1", "2026-03-02T00:00:00+00:00", "Gradescope")
        ]
    assert (handed_in.submitted, handed_in.submitted_by) == (
        "2026-03-02T00:00:00+00:00",
        "Gradescope",
    )


def test_the_same_work_handed_in_again_is_as_early_as_it_first_was(tmp_path):
    path = tmp_path / "book"
    record(path, submitted="2026-03-02T00:00:00+00:00", by="Gradescope")
    record(path, submitted="2026-03-09T00:00:00+00:00", by="Gradescope", origin="b.py")
    record(path, digest="d2", student="Bob (12)", by="unknown")
    with Gradebook.open(path, writing=False) as book:
        assert [row[2] for row in book.submitted()] == ["2026-03-02T00:00:00+00:00", ""]


def test_a_lesson_is_as_early_as_it_first_was_whatever_is_added_beside_it(tmp_path):
    with Gradebook.open(tmp_path / "book", writing=True) as book:
        run = book.begin_run(BUBBLEWRAP, "class", "folder")
        for day, files in ((19, "2"), (27, "23"), (28, "23x")):
            sources = {f"lesson{n}.py": n for n in files if n in "23"}
            sources |= {"lesson3.py": "changed"} if "x" in files else {}
            number = book.add_submission(
                run, "Ada", f"d{day}", sources, f"{day}", day == 28, [],
                submitted=f"2026-02-{day}T12:00:00+00:00", submitted_by="file time",
            )  # fmt: skip
            for name in sources:
                result = Result("e", "c", "passed", 5, 5)
                book.record(run, number, "Ada", name.removesuffix(".py"), f"{day}", [result])
        assert [row[1:3] for row in book.submitted()] == [
            ("lesson2", "2026-02-19T12:00:00+00:00"),
            ("lesson3", "2026-02-28T12:00:00+00:00"),
        ]


def of_version(number, path):
    """As kits before this one made it."""
    record(path, submitted="2026-03-02T00:00:00+00:00", by="Gradescope")
    with sqlite3.connect(path) as db:
        for view in ("checks", "grades", "refusals", "current"):
            db.execute(f"DROP VIEW {view}")
        db.execute("ALTER TABLE runs DROP COLUMN versions")
        if number == 1:
            db.execute("ALTER TABLE submissions DROP COLUMN submitted")
            db.execute("ALTER TABLE submissions DROP COLUMN submitted_by")
        views = schema.SCHEMA[schema.SCHEMA.index("CREATE VIEW") :]
        now = f"user_version = {schema.VERSION}"
        assert now in views
        db.executescript(views.replace(now, f"user_version = {number}"))
    db.close()
    return path


def columns(path):
    with sqlite3.connect(path) as db:
        [version] = db.execute("PRAGMA user_version").fetchone()
        found = [
            row[1]
            for table in ("submissions", "runs")
            for row in db.execute(f"PRAGMA table_info({table})")
        ]
    db.close()
    return version, found


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 35), reason="no DROP COLUMN")
@pytest.mark.parametrize("number", [1, 2])
def test_an_old_gradebook_is_read_as_it_is_and_migrated_where_it_is_written(tmp_path, number):
    path = of_version(number, tmp_path / "book")
    time, by = ("", "") if number == 1 else ("2026-03-02T00:00:00+00:00", "Gradescope")
    with Gradebook.open(path, writing=False) as book:
        assert [s.submitted for s in book.handed_in()] == [time]
        assert list(book.submitted()) == [("Ada (11)", "lesson1", time, by)]
        assert book.kept("torch 3") == []
        rows = list(book.current())
    assert columns(path)[0] == number
    Gradebook.open(path, writing=True).close()
    version, found = columns(path)
    assert version == schema.VERSION
    record(tmp_path / "new")
    assert found == columns(tmp_path / "new")[1]
    with Gradebook.open(path, writing=False) as book:
        assert list(book.current()) == rows
        assert list(book._ask("SELECT student, points FROM grades")) == [("Ada (11)", 5)]
    record(path, submitted="2026-03-05T00:00:00+00:00", by="Gradescope")
    with Gradebook.open(path, writing=False) as book:
        assert [s.submitted for s in book.handed_in()] == ["2026-03-05T00:00:00+00:00"]


# --- The command ---------------------------------------------------------------------------------


def test_results_show_what_is_left_and_why(tmp_path):
    path = tmp_path / "book"
    record(path, submitted="2026-03-05T00:00:00+00:00", by="file time")
    policy = tmp_path / "late.yml"
    policy.write_text("due: 2026-03-01 23:59Z\npercent_per_day: 10\nfile_times: count\n")
    shown = grader("results", path, "--late-policy", policy).stdout
    assert "final" in shown.splitlines()[1]
    assert "3.00" in shown
    assert "for 4 days begun 40 % of the points are taken off" in shown
    one = grader("results", path, "--student", "Ada (11)", "--late-policy", policy).stdout
    assert "3.00 points" in one
    assert "2026-03-05T00:00:00+00:00 (file time)" in one
    policy.write_text("dew: x")
    assert "dew" in grader("results", path, "--late-policy", policy, code=4).stderr


def test_a_gradebook_is_shown_without_waiting_for_torch(tmp_path):
    code = "import sys, grader.gradebook.exports.command; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
