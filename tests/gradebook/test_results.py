"""The gradebook handed on: as csv and json to programs, as a table and in full to people."""

import csv
import io
import json
import random
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from books import BUBBLEWRAP, HOSTILE, NOTHING, PASSED, TODO, WRONG, grade, refuse
from grader.gradebook import results
from grader.gradebook.book import Gradebook
from grader.gradebook.exports import records as export
from grader.gradebook.opening import Unusable
from grader.gradebook.rows import Result
from grader.gradebook.text import bounded

KEYS = "student lesson exercise check outcome points max_points misconception feedback seconds"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


def exported(path, format):
    stream = io.StringIO(newline="")
    with Gradebook.open(path, writing=False) as gradebook:
        export.write(gradebook, format, stream)
    return stream.getvalue()


def printed(path, student=None, **options):
    stream = io.StringIO()
    console = Console(file=stream, **options)
    with Gradebook.open(path, writing=False) as gradebook:
        if student is None:
            results.table(gradebook, console)
        else:
            results.student(gradebook, student, console)
    return stream.getvalue()


# --- Export --------------------------------------------------------------------------------------


def test_json_has_an_object_per_check(path):
    grade(path, {"bob": {"lesson1": [PASSED, WRONG]}, "ann": {"lesson2": [TODO]}})
    objects = json.loads(exported(path, "json"))
    assert [list(o) for o in objects] == [KEYS.split()] * 3
    assert [tuple(o.values()) for o in objects] == [
        ("ann", "lesson2", "loss", "is_a_mean", "todo", 0, 10, "", "", 0),
        ("bob", "lesson1", "softmax", "sums_to_one", "passed", 5, 5, "", "", 0),
        ("bob", "lesson1", "softmax", "is_stable", "wrong", 0, 5, "one maximum", "Look:\n\tnan", 1),
    ]


def test_csv_says_the_same(path):
    grade(path, {"bob": {"lesson1": [PASSED, WRONG]}, "Ünal, A.": {"lesson2": [TODO]}})
    [header, *records] = csv.reader(io.StringIO(exported(path, "csv"), newline=""))
    assert header == KEYS.split()
    objects = json.loads(exported(path, "json"))
    assert records == [[str(value) for value in o.values()] for o in objects]


def test_of_nothing_there_is_an_empty_export(path):
    grade(path, {})
    assert json.loads(exported(path, "json")) == []
    assert exported(path, "csv").split() == [KEYS.replace(" ", ",")]


def test_a_format_that_is_none_is_refused(path):
    grade(path, {})
    with pytest.raises(ValueError, match="csv and json"):
        exported(path, "xlsx")


@pytest.mark.parametrize("format", export.FORMATS)
def test_the_bytes_depend_on_what_was_graded_and_not_on_when(path, tmp_path, format):
    work = {
        f"student{n}": {"lesson1": [PASSED, WRONG], "lesson2": [TODO]} for n in range(20)
    }  # in the order in which two jobs happened to finish
    mixed = list(work.items())
    random.Random(0).shuffle(mixed)
    grade(path, work)
    grade(tmp_path / "other", {s: dict(reversed(lessons.items())) for s, lessons in mixed[:9]})
    slower = Result("softmax", "is_stable", "wrong", 0, 5, "one maximum", "Look:\n\tnan", 1.2)
    grade(
        tmp_path / "other", {s: {"lesson1": [PASSED, slower], "lesson2": [TODO]} for s, _ in mixed}
    )
    assert exported(path, format) == exported(tmp_path / "other", format)


def test_who_handed_in_what_cannot_be_read_is_not_lost(path):
    grade(path, {"ann": {"lesson1": [PASSED]}, "cem": {"lesson1": [PASSED]}})
    refuse(path, "bob")
    refuse(path, "cem")
    refuse(path, "dan", counts=False)
    objects = json.loads(exported(path, "json"))
    assert [(o["student"], o["lesson"], o["outcome"], o["points"]) for o in objects] == [
        ("ann", "lesson1", "passed", 5),
        ("bob", "", "refused", 0),
        ("cem", "", "refused", 0),
        ("cem", "lesson1", "passed", 5),
    ]
    assert objects[1]["feedback"] == "broken.zip: no zip. Pack it again."
    assert objects[1]["max_points"] == 0


@given(st.text().map(bounded))
def test_no_cell_is_a_formula(text):
    row = ("s", "l", "e", "c", "wrong", 0, 5, text, text, 0)
    stream = io.StringIO(newline="")
    export._csv(iter([row]), stream)
    [_, [*_, misconception, feedback, _seconds]] = csv.reader(
        io.StringIO(stream.getvalue(), newline="")
    )
    assert misconception == feedback
    assert not export.FORMULA.search(feedback)
    assert feedback.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_what_a_spreadsheet_would_run_is_quoted(path, text):
    grade(path, {text: {"lesson1": [Result("e", "c", "wrong", 0, 5, text, text)]}})
    with Gradebook.open(path, writing=False) as gradebook:
        [row] = gradebook.current()
    [_, record] = csv.reader(io.StringIO(exported(path, "csv"), newline=""))
    for cell, stored in ((record[0], row.student), (record[8], row.feedback)):
        assert cell.replace("'", "") == stored
        assert cell[0] not in "=+-@\t\r\n＝"
    assert json.loads(exported(path, "json"))[0]["feedback"] == row.feedback


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_nor_where_the_cells_of_a_sheet_end_otherwise(path, delimiter):
    text = "a;=1+1\nhi\n=cmd|calc!A1;@SUM(1)\n\n- one"
    grade(path, {"a;=2": {"lesson1": [Result("e", "c", "wrong", 0, 5, text, text)]}})
    for line in exported(path, "csv").splitlines():
        for cell in line.split(delimiter):
            assert not cell.lstrip('"').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("format", export.FORMATS)
def test_hostile_text_is_exported_tame(path, format):
    grade(path, {HOSTILE: {"lesson1": [Result("e", "c", "wrong", 0, 5, HOSTILE, HOSTILE)]}})
    text = exported(path, format)
    text.encode("utf-8")
    assert all(c.isprintable() or c in "\n\t" for c in text)
    if format == "json":
        assert text.isascii()
        [record] = [list(o.values()) for o in json.loads(text)]
    else:
        [_, record] = csv.reader(io.StringIO(text, newline=""))
    assert record[8] == '\\x1b]0;owned\\x07\n[red]"quoted", and; more[/red]\\x00\\ud800 :smile: Ġ'


def test_exporting_takes_no_more_memory_for_a_larger_class(path):
    def peak(students):
        grade(path, {f"student{n:04}": {"lesson1": [WRONG] * 40} for n in range(students)})
        tracemalloc.start()
        with Gradebook.open(path, writing=False) as gradebook, open("/dev/null", "w") as stream:
            export.write(gradebook, "json", stream)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(5)
    assert peak(400) < peak(20) + 50_000


# --- The table -----------------------------------------------------------------------------------


def line(text, start):
    [found] = [line.split() for line in text.splitlines() if line.split()[:1] == [start]]
    return found


def test_the_table_has_points_outcomes_and_remarks(path):
    grade(
        path, {"ann": {"lesson1": [PASSED, WRONG], "lesson2": [TODO]}, "bob": {"lesson1": [PASSED]}}
    )
    text = printed(path)
    assert line(text, "student") == [
        *("student", "lesson1", "lesson2", "total", "passed", "wrong", "todo"),
    ]
    assert line(text, "ann") == ["ann", "5/10", "0/10", "5/20", "1", "1", "1"]
    assert line(text, "bob") == ["bob", "5/5", "-", "5/5", "1", "0", "0"]
    assert "students: 2" in text
    assert "lessons graded against gpt2-tiny on cpu, isolated by bubblewrap: 3" in text
    assert "WITHOUT" not in text
    assert "s3cret" not in text


def test_the_table_says_what_an_instructor_must_not_miss(path):
    grade(path, {"ann": {"lesson1": [PASSED]}}, NOTHING)
    grade(path, {"gone": {"lesson1": [PASSED]}}, remarks=["cell 3: left out", "cell 4: left out"])
    refuse(path, "bob")
    grade(path, {"new": {}, "ann": {}})
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(BUBBLEWRAP, "class", "folder")
        gradebook.add_submission(run, "ann", "d0", {}, "old.py", False, [])
    text = printed(path)
    assert "\nann: WITHOUT ISOLATION; replaced submissions: 1\n" in text
    assert "\ngone: not in the last run\ngone: cell 3: left out\ngone: cell 4: left out\n" in text
    assert "\nbob: cannot be read: broken.zip: no zip. Pack it again." in text
    assert "\nnew: not graded yet\n" in text
    assert "lessons graded against gpt2-tiny on cpu, WITHOUT ISOLATION: 1" in text


def test_in_a_narrow_terminal_points_are_whole_and_counts_give_way(path):
    results = [PASSED, WRONG, TODO, Result("e", "d", "timeout", 0, 5, "", "")]
    grade(path, {"Ada Lovelace": {f"lesson{n}_logits": results for n in range(1, 5)}})
    text = printed(path, force_terminal=True, width=60)
    assert text.count("5/25") == 4
    assert "20/100" in text
    assert "timeout" not in text
    assert "timeout" in printed(path, force_terminal=True, width=200)


def test_in_a_pipe_nothing_is_cut_or_coloured(path):
    name, lesson = "a" * 90, "lesson1_" + "b" * 90
    grade(path, {name: {lesson: [Result("e", "c", "wrong", 0, 5, "", "f" * 300)]}})
    for text in (printed(path), printed(path, name)):
        assert "\x1b" not in text
        assert name in text
        assert lesson in text
    assert "f" * 300 in printed(path, name)
    assert len({len(line) for line in printed(path).splitlines() if "a" * 90 in line}) == 1


def test_a_class_without_a_submission_has_a_table(path):
    grade(path, {})
    assert "students: 0" in printed(path)


# --- One student ---------------------------------------------------------------------------------


def test_a_student_is_shown_in_full(path):
    grade(path, {"ann": {"lesson1": [TODO]}})
    again = Result("loss", "is_finite", "wrong", 0, 5, "one maximum", "Look:\n\tnan")
    grade(
        path,
        {"ann": {"lesson1": [PASSED, WRONG, again, TODO]}, "bob": {"lesson1": [PASSED]}},
        NOTHING,
        printed="hello\n  there\n",
        remarks=["a list for a tuple"],
    )
    with Gradebook.open(path, writing=True) as gradebook:
        run = gradebook.begin_run(BUBBLEWRAP, "class", "folder")
        gradebook.add_submission(run, "ann", "d0" * 32, {}, "old.py", False, ["cell 3: left out"])
    refuse(path, "ann", "nothing in it.")
    shown = [line.rstrip() for line in printed(path, "ann").splitlines()]
    graded = [line for line in shown if "graded" in line]
    assert [line for line in shown if "graded" not in line] == [
        "ann  5/25 points",
        "",
        "lesson1  5/25",
        "  a list for a tuple",
        "  softmax  5/10",
        "    is_stable: wrong, 0/5",
        "      one maximum",
        "      Look:",
        "        nan",  # rich makes spaces of tabs
        "  loss  0/15",
        "    is_finite: wrong, 0/5",
        "      one maximum",
        "      (as above)",
        "    is_a_mean: todo, 0/10",
        "  Their code printed:",
        "      hello",
        "        there",
        "",
        "Handed in",
        "  ann.py  d1  counts",
        "  old.py  d0d0d0d0d0d0  replaced by a later one",
        "    cell 3: left out",
        "  broken.zip    counts",
        "    cannot be read: nothing in it.",
        "",
        "No longer current",
    ]
    assert graded[0].endswith(", WITHOUT ISOLATION")
    assert graded[1].startswith("  lesson1  0/10  graded 20")
    assert len(graded) == 2
    assert "hello" not in printed(path)


@pytest.mark.parametrize("terminal", [False, True])
def test_student_text_is_neither_markup_nor_terminal_escapes(path, terminal):
    given = {HOSTILE: {HOSTILE: [Result("e", "c", "wrong", 0, 5, HOSTILE, HOSTILE)]}}
    grade(path, given, printed=HOSTILE, remarks=[HOSTILE])
    refuse(path, HOSTILE, HOSTILE)
    for text in (
        printed(path, force_terminal=terminal, width=2000),
        printed(path, HOSTILE, force_terminal=terminal, width=2000),
    ):
        assert "[red]" in text
        assert ":smile:" in text
        assert "\\x1b]0;owned\\x07" in text
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # rich's own: bold headings
        assert all(c.isprintable() or c in "\n\t" for c in text)


def test_what_the_encoding_lacks_is_written_out(path, tmp_path):
    grade(path, {"Ünal": {"lesson1": [Result("e", "c", "wrong", 0, 5, "", "Ġ\N{SNOWMAN}")]}})
    for encoding, name, sign in (("ascii", "\\xdcnal", "\\u2603"), ("cp1252", "Ünal", "\\u2603")):
        with open(tmp_path / "pipe", "w+", encoding=encoding) as stream:
            with Gradebook.open(path, writing=False) as gradebook:
                results.table(gradebook, Console(file=stream))
                results.student(gradebook, "Ünal", Console(file=stream))
            stream.seek(0)
            text = stream.read()
        assert name in text
        assert sign in text


def test_an_unknown_student_is_one_line_with_who_may_be_meant(path):
    grade(path, {"Müller, Anna (4711)": {}, "alice": {}, "alicia": {}, "bob": {}})
    for asked, meant in (("anna", "Müller, Anna (4711)"), ("alise", "alice or alicia")):
        with pytest.raises(Unusable, match="there is no student") as raised:
            printed(path, asked)
        assert str(raised.value) == f"there is no student {asked!r}. Did you mean {meant}?"
    with pytest.raises(results.NoSuchStudent, match=r"'\\x1bzzz'\.$"):
        printed(path, "\x1bzzz")
