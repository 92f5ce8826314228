"""The gradebook keeps what was recorded, whatever happens, and says what is current."""

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookkeeping import CONDITIONS, PASSED, WRONG, add, fill, python, rows, sql
from grader import outcome
from grader.gradebook import book
from grader.gradebook import text as text_module
from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Result, Row
from grader.gradebook.schema import OUTCOMES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


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
