"""Grades in the forms that learning platforms and test reports have, and back from them.

tests/data/canvas_gradebook.csv and moodle_worksheet.csv are samples of what the two platforms
export, written after the code that exports and imports them.
"""

import csv
import io
import json
import re
import tracemalloc
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books import BUBBLEWRAP, HOSTILE, NOTHING, PASSED, TODO, WRONG, grade, refuse
from grader.gradebook.book import Gradebook
from grader.gradebook.exports import command, junit, totals
from grader.gradebook.exports import records as export
from grader.gradebook.exports.command import CannotExport, Order
from grader.gradebook.exports.roster import Person, WrongRoster, match, names_of
from grader.gradebook.rows import Conditions, Result
from grader.lessons import KIT as ROOT
from gradescope import is_results, seen_by_students
from handin import grader

DATA = ROOT / "tests" / "data"
CANVAS, MOODLE = DATA / "canvas_gradebook.csv", DATA / "moodle_worksheet.csv"
ONE, THREE = "lesson1_tokens", "lesson3_logits"
MANY = Result("softmax", "works", "passed", 20, 20)
HALF = [Result("e", "c", "passed", 5, 5), Result("e", "d", "wrong", 0, 15, "", "no")]
LATE = "due: 2026-03-01 23:59Z\npercent_per_day: 10\n"
SECRET = Conditions("0.1", "gpt2-tiny", "f00", "cpu", ("0", "s3cret"), "bubblewrap", 10.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class.gradebook"


def written(path, format, to=None, **options):
    """(what was written, what was said)."""
    to = to or path.with_name(f"out.{format}")
    with Gradebook.open(path, writing=False) as book:
        said = command.write(book, Order(format, to, **options))
    return ("" if to.is_dir() else to.read_text("utf-8")), said


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def refusal(path, format, **options):
    with pytest.raises((CannotExport, WrongRoster)) as caught:
        written(path, format, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- Canvas --------------------------------------------------------------------------------------


def test_canvas_own_export_is_filled_in_and_keeps_what_only_canvas_knows(path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}, "=babbagecharles (12)": {ONE: [MANY]}})
    text, said = written(path, "canvas", roster=CANVAS)
    sample, found = cells(CANVAS.read_text()), cells(text)
    assert found[0] == [*sample[0][:5], "Lesson 1: Tokens (5001)"]
    assert found[1] == ["    Points Possible", "", "", "", "", "20"]
    # Names and numbers go back as they came, also where a spreadsheet would take one for a formula.
    assert [row[:5] for row in found[2:]] == [row[:5] for row in sample[3:]]
    assert [row[5] for row in found[2:]] == ["5.00", "20.00", "EX", "", ""]
    assert [line for line in said if "not in the gradebook" in line] == [
        f"{name}: in the roster, and not in the gradebook. Left as is."
        for name in ("Ng, Cy", "Ng, Cy", "Noether, Emmy")
    ]


def test_what_canvas_imported_and_exported_again_is_filled_in_to_the_same_bytes(path, tmp_path):
    grade(path, {"lovelaceada (11)": {ONE: HALF, THREE: [MANY]}})
    text, _ = written(path, "canvas", roster=CANVAS)
    again = tmp_path / "again.csv"
    again.write_text(text.replace(THREE, f"{THREE} (5009)"))
    assert written(path, "canvas", roster=again)[0] == again.read_text()


def test_a_grade_does_not_take_the_place_of_an_excuse(path):
    grade(path, {"ngcy (13)": {ONE: HALF}})
    text, said = written(path, "canvas", roster=CANVAS)
    assert cells(text)[4][5] == "EX"
    assert any("EX in Canvas, left so, in spite of 5.00 points" in line for line in said)


def test_a_lesson_without_a_column_is_a_new_one_and_one_may_be_named(path):
    grade(path, {"lovelaceada (11)": {THREE: HALF}})
    text, said = written(path, "canvas", roster=CANVAS)
    assert cells(text)[0][5] == THREE
    assert f"{THREE}: not in the roster, so Canvas makes a new assignment." in said
    for title in ("Homework 3", "Homework 3 (5003)"):
        text, said = written(path, "canvas", roster=CANVAS, titles=[f"{THREE}={title}"])
        assert cells(text)[0][5] == "Homework 3 (5003)"
        assert not any("new assignment" in line for line in said)
    assert "no column 'Homework 4'" in refusal(
        path, "canvas", roster=CANVAS, titles=["3=Homework 4"]
    )
    assert "nobody has a grade in lesson1" in refusal(
        path, "canvas", roster=CANVAS, titles=["1=Homework 3"]
    )


def test_one_total_is_out_of_the_same_for_everybody(path):
    grade(path, {"lovelaceada (11)": {ONE: HALF, THREE: [MANY]}, "noetheremmy (15)": {ONE: HALF}})
    text, said = written(path, "canvas", roster=CANVAS, by_lesson=False, titles=["Essay"])
    found = cells(text)
    assert [row[5] for row in found] == ["Essay (5002)", "10", "25.00", "8", "", "", "5.00"]
    assert "Essay (5002): out of 10 in Canvas, and of 40 here." in " ".join(said)


def test_two_columns_that_may_be_it_are_never_guessed(path, tmp_path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}})
    two = tmp_path / "two.csv"
    two.write_text(CANVAS.read_text().replace("Essay", "lesson 1 again"))
    assert "may each be lesson1_tokens. Say which with --column" in refusal(
        path, "canvas", roster=two
    )


def test_semicolons_a_byte_order_mark_and_split_names_go_back_as_they_came(path, tmp_path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}})
    other = tmp_path / "other.csv"
    other.write_text(
        "\ufeffLastName;FirstName;ID;SIS Login ID;Section;Lesson 1 (7)\n"
        "    Points Possible;;;;;20,00\nLovelace;Ada;11;ada;S;1,5\n",
        "utf-8",
    )
    text, said = written(path, "canvas", roster=other)
    assert text.startswith("\ufeffLastName;")
    assert cells(text, ";")[1:] == [
        ["    Points Possible", "", "", "", "", "20,00"],
        ["Lovelace", "Ada", "11", "ada", "S", "5.00"],
    ]
    assert said == []


def test_without_a_roster_the_form_is_as_canvas_has_it(path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}, "=cmd": {THREE: [MANY]}})
    text, _ = written(path, "canvas")
    assert cells(text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ONE, THREE],
        ["    Points Possible", "", "", "", "", "20", "20"],
        ["'=cmd", "", "", "", "", "", "20.00"],
        ["lovelaceada", "11", "", "", "", "5.00", ""],
    ]


def test_what_is_no_export_of_canvas_is_refused(path, tmp_path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}})
    for name, data in [("a", b""), ("b", b"Student,Name\n"), ("c", b"\xff\xfe"), ("d", b'"')]:
        (tmp_path / name).write_bytes(data)
        assert str(tmp_path / name) in refusal(path, "canvas", roster=tmp_path / name)
    assert "Export it again" in refusal(path, "canvas", roster=MOODLE)
    assert "cannot be read" in refusal(path, "canvas", roster=tmp_path / "missing")


# --- Moodle --------------------------------------------------------------------------------------


def test_moodles_worksheet_is_filled_in_and_otherwise_as_it_was(path, tmp_path):
    given = {
        "Ada Lovelace (101)": {ONE: HALF, THREE: [MANY]},
        "=Charles Babbage (102)": {ONE: HALF},
        "Cy Ng (103)": {ONE: HALF},
    }
    grade(path, given)
    text, said = written(path, "moodle", roster=MOODLE)
    sample, found = cells(MOODLE.read_text()), cells(text)
    assert found[0] == sample[0]
    assert [row[4] for row in found[1:]] == ["25.00", "5.00", "", ""]
    assert found[1][9] == "Points: lesson1_tokens 5/20, lesson3_logits 20/20."
    assert found[2][9] == "<p>Well done.</p>"
    for row, before in zip(found, sample, strict=True):
        assert [*row[:4], *row[5:9]] == [*before[:4], *before[5:9]]
    assert said == [
        "=Charles Babbage: has a comment in Moodle already, which is left as it is.",
        "Cy Ng: Moodle does not let this grade be changed. Left as is.",
        "Emmy Noether: in the roster, and not in the gradebook. Left as is.",
    ]
    again = tmp_path / "again.csv"
    again.write_text(text)
    assert written(path, "moodle", roster=again)[0] == text


def test_a_worksheet_is_of_one_assignment(path):
    grade(path, {"Ada Lovelace (101)": {ONE: HALF, THREE: [MANY]}})
    assert "--lesson" in refusal(path, "moodle", roster=MOODLE, by_lesson=True)
    text, said = written(path, "moodle", roster=MOODLE, by_lesson=True, lessons=[ONE])
    assert cells(text)[1][4] == "5.00"
    assert any("out of 40.00 in Moodle, and of 20 here" in line for line in said)


def test_what_moodle_would_not_take_is_said_before(path, tmp_path):
    grade(path, {"Ada Lovelace (101)": {ONE: HALF, THREE: [MANY]}})
    small = tmp_path / "small.csv"
    small.write_text(MOODLE.read_text().replace("40.00", "10.00"))
    said = refusal(path, "moodle", roster=small)
    assert "Set the assignment's maximum grade to 40" in said
    german = tmp_path / "german.csv"
    german.write_text(MOODLE.read_text().replace("Identifier", "Bezeichner"))
    assert "in English" in refusal(path, "moodle", roster=german)


def test_without_a_worksheet_the_form_is_as_moodle_has_it(path):
    grade(path, {"Ada Lovelace (101)": {ONE: HALF}, "Bob (bob@x.edu)": {}})
    found = cells(written(path, "moodle")[0])
    assert found[0][:3] == ["Identifier", "Full name", "Email address"]
    assert found[1][:6] == ["Participant 101", "Ada Lovelace", "", "", "5.00", "20.00"]
    assert found[2][:6] == ["", "Bob", "bob@x.edu", "", "", "20.00"]


# --- Who is who ----------------------------------------------------------------------------------

ADA = Person(0, "Lovelace, Ada", names_of("Lovelace, Ada"), "11", frozenset({"ada@x.edu", "7"}))
CY1 = Person(1, "Ng, Cy", names_of("Ng, Cy"), "13", frozenset({"cyng"}))
CY2 = Person(2, "Ng, Cy", names_of("Ng, Cy"), "14", frozenset({"cyng2"}))
PEOPLE = [ADA, CY1, CY2]


@pytest.mark.parametrize(
    ("student", "row"),
    [
        ("lovelaceada (11)", 0),
        ("Ada Lovelace (11)", 0),
        ("Lovelace, Ada", 0),
        ("ada lovelace", 0),
        ("Whoever (ada@x.edu)", 0),
        ("ADA@X.EDU", 0),
        ("Cy Ng (cyng2)", 2),
        ("Ng Cy (13)", 1),
    ],
)
def test_a_student_is_matched_by_number_login_or_name(student, row):
    matched = match([student], PEOPLE)
    assert (matched.rows, matched.remarks) == ({student: row}, [])


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("Cy Ng", "2 in the roster have this name"),
        ("Grace Hopper", "not in the roster"),
        ("Grace Hopper (11)", "number 11 is there, but is Lovelace, Ada"),
        ("Ada Lovelace (12)", "has number 11 there"),
        ("Grace Hopper (7)", "not in the roster"),  # 7 is a number of another kind
        ("anon_a1B2", "not in the roster"),
    ],
)
def test_what_does_not_fit_one_alone_is_left_out_and_said(student, says):
    matched = match([student], PEOPLE)
    assert matched.rows == {}
    assert len(matched.remarks) == 1
    assert says in matched.remarks[0]


def test_two_students_for_one_row_are_both_left_out():
    matched = match(["Ada Lovelace", "lovelaceada"], PEOPLE)
    assert matched.rows == {}
    assert "may each be this one" in matched.remarks[0]


def test_a_name_alone_takes_nothing_from_who_has_the_number():
    matched = match(["Ada Lovelace", "lovelaceada (11)", "ada@x.edu"], PEOPLE)
    assert matched.rows == {"lovelaceada (11)": 0}
    assert [line.partition(":")[0] for line in matched.remarks] == ["Ada Lovelace", "ada@x.edu"]


def test_a_name_with_another_address_is_somebody_else():
    matched = match(["Ada Lovelace (mal@evil.org)"], PEOPLE)
    assert matched.rows == {}
    assert "has the address ada@x.edu there" in matched.remarks[0]


@given(
    st.lists(st.sampled_from(["a (1)", "a", "b (2)", "b", "1", "x", "c (1)"]), unique=True),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=5),
)
def test_no_row_is_given_to_two_and_nobody_is_passed_over_in_silence(students, roster):
    people = [Person(i, name, names_of(name), n) for i, (name, n) in enumerate(roster)]
    matched = match(students, people)
    assert len(set(matched.rows.values())) == len(matched.rows)
    for student in students:
        assert student in matched.rows or any(student in line for line in matched.remarks)


# --- Late ----------------------------------------------------------------------------------------


def late_class(path, tmp_path):
    policy = tmp_path / "late.yml"
    policy.write_text(LATE + "submitted: {Ada Lovelace (101): 2026-03-02 00:00Z}\n")
    grade(path, {"Ada Lovelace (101)": {ONE: HALF, THREE: [MANY]}, "Emmy Noether": {ONE: HALF}})
    return policy


def test_platforms_get_the_final_points_and_the_reason(path, tmp_path):
    policy = late_class(path, tmp_path)
    text, said = written(path, "moodle", roster=MOODLE, late_policy=policy)
    found = cells(text)
    assert found[1][4] == "22.50"
    sentence = "due at 2026-03-01 23:59 UTC: for 1 day begun 10 % of the points are taken off."
    assert f"lesson1_tokens: Handed in at 2026-03-02 00:00 UTC, {sentence}" in found[1][9]
    assert found[4][4] == "5.00"
    assert any("Emmy Noether: lesson1_tokens: When it was handed in is not" in s for s in said)
    canvas, _ = written(path, "canvas", late_policy=policy)
    assert cells(canvas)[2][5:] == ["4.50", "18.00"]


def test_csv_and_json_keep_both_raw_and_final_points(path, tmp_path):
    policy = late_class(path, tmp_path)
    objects = json.loads(written(path, "json", late_policy=policy)[0])
    ada = [o for o in objects if o["student"].startswith("Ada")]
    assert [(o["points"], o["final_points"]) for o in ada] == [(5, 4.5), (0, 0.0), (20, 18.0)]
    assert ada[0]["submitted"] == "2026-03-02 00:00:00+00:00"
    assert "10 % of the points" in ada[0]["late"]
    [header, *records] = cells(written(path, "csv", late_policy=policy)[0])
    assert header[-3:] == ["final_points", "submitted", "late"]
    assert [row[10] for row in records] == ["4.50", "0.00", "18.00", "5.00", "0.00"]


def test_one_student_and_one_lesson_can_be_exported(path):
    grade(path, {"ann": {ONE: HALF, THREE: [MANY]}, "bob": {ONE: HALF}})
    for format in export.FORMATS:
        text, _ = written(path, format, student="ann", lessons=[THREE])
        assert "bob" not in text
        assert ONE not in text
        assert THREE in text
    with pytest.raises(Exception, match="no student 'al'"):
        written(path, "json", student="al")


# --- Gradescope ----------------------------------------------------------------------------------


def results(path, tmp_path, **options):
    to = tmp_path / "gradescope"
    to.mkdir(exist_ok=True)
    _, said = written(path, "gradescope", to=to, **options)
    files = sorted(to.glob("*/results.json"))
    return [is_results(json.loads(file.read_text("ascii"))) for file in files], said


def test_gradescope_has_a_results_file_per_student(path, tmp_path):
    policy = late_class(path, tmp_path)
    found, _ = results(path, tmp_path, late_policy=policy)
    assert [one["score"] for one in found] == [22.5, 5.0]
    assert sum(test["score"] for test in found[0]["tests"]) == 25
    assert found[0]["extra_data"]["points"] == 25
    assert "10 % of the points are taken off" in found[0]["output"]
    assert found[0]["tests"][1]["output"] == "wrong\nno"
    assert found[0]["tests"][1]["number"] == "1.2"


def test_of_a_grading_with_hidden_cases_students_see_outcomes_only(path, tmp_path):
    leak = Result("e", "c", "wrong", 0, 5, "", "the hidden case was 4711")
    passed = Result("e", "d", "passed", 5, 5, "", "With a remark: 4711.")
    grade(path, {"ann": {ONE: [leak, passed]}}, SECRET, printed="saw 4711", remarks=["found 4711"])
    [found], _ = results(path, tmp_path)
    assert "4711" not in seen_by_students(found)
    [instructors] = [test for test in found["tests"] if test["visibility"] == "hidden"]
    for words in (leak.feedback, passed.feedback, "saw 4711", "found 4711"):
        assert words in instructors["output"]
    assert instructors["max_score"] == 0


def test_what_code_printed_and_how_it_was_isolated_is_for_instructors(path, tmp_path):
    grade(path, {"ann": {ONE: [WRONG]}}, NOTHING, printed="my own words")
    refuse(path, "bob")
    found, _ = results(path, tmp_path)
    assert "my own words" not in seen_by_students(found[0])
    assert "without isolation" in found[0]["tests"][-1]["output"]
    assert found[1]["output"] == "Cannot be read: broken.zip: no zip. Pack it again."
    assert found[1]["score"] == 0


def test_gradescope_needs_a_folder_or_a_student(path):
    grade(path, {"ann": {ONE: [PASSED]}, "bob": {}})
    assert "--to" in grader("export", path, "--format", "gradescope", code=4).stderr
    shown = grader("export", path, "--format", "gradescope", "--student", "ann").stdout
    assert is_results(json.loads(shown))["score"] == 5


# --- JUnit ---------------------------------------------------------------------------------------


def is_junit(text):
    """What both schemas want: names, numbers that add up, and the order of the parts."""
    root = ET.fromstring(text.encode("utf-8"))
    assert root.tag == "testsuites"
    for number, suite in enumerate(root):
        assert suite.tag == "testsuite"
        assert suite.keys() == [
            "name", "package", "timestamp", "hostname", "tests", "failures", "errors", "skipped",
            "time", "id",
        ]  # fmt: skip
        assert suite.get("id") == str(number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        Decimal(suite.get("time"))
        first, *cases, out, err = suite
        assert [first.tag, out.tag, err.tag] == ["properties", "system-out", "system-err"]
        assert all(one.get("name") and one.get("value") is not None for one in first)
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for case in cases:
            assert case.tag == "testcase"
            assert set(case.keys()) == {"classname", "name", "time"}
            assert len(case) <= 1
            for said in case:
                counts[said.tag] += 1
                assert said.tag == "skipped" or said.get("type")
        assert suite.get("tests") == str(len(cases))
        assert [suite.get(a) for a in ("failures", "errors", "skipped")] == [
            str(counts[kind]) for kind in ("failure", "error", "skipped")
        ]
    return root


def test_junit_has_a_suite_per_student_and_lesson(path):
    late = Result("e", "c", "timeout", 0, 5, "", "no end")
    grade(path, {"bob": {ONE: [PASSED, WRONG, TODO, late]}, "ann": {ONE: [PASSED], THREE: [TODO]}})
    refuse(path, "cem")
    root = is_junit(written(path, "junit")[0])
    assert [suite.get("name") for suite in root] == [
        f"ann: {ONE}", f"ann: {THREE}", f"bob: {ONE}", "cem: submission",
    ]  # fmt: skip
    bob = root[2]
    assert [bob.get(a) for a in ("tests", "failures", "errors", "skipped")] == list("4111")
    assert bob.find(".//failure").get("message") == "one maximum"
    assert bob.find(".//failure").text == "Look:\n\tnan"
    assert root[3].find(".//error").text == "broken.zip: no zip. Pack it again."
    assert {p.get("name"): p.get("value") for p in bob[0]}["points"] == "5"


def test_hostile_text_is_legal_xml(path):
    grade(path, {HOSTILE: {ONE: [Result("e", "c", "wrong", 0, 5, HOSTILE, HOSTILE + "]]>&<")]}})
    root = is_junit(written(path, "junit")[0])
    assert "\\x1b]0;owned\\x07" in root[0].find(".//failure").text
    assert root[0].find(".//failure").text.endswith("]]>&<")


@given(st.text(st.characters(blacklist_categories=())))
def test_no_text_is_illegal_in_xml(text):
    element = ET.Element("a", b=junit.legal(text))
    element.text = junit.legal(text)
    found = ET.fromstring(ET.tostring(element))
    if all(c.isprintable() for c in text):
        assert (found.text or "", found.get("b")) == (text, text)


def test_junit_of_a_larger_class_takes_no_more_memory(path):
    def peak(students):
        grade(path, {f"student{n:04}": {ONE: [WRONG] * 40} for n in range(students)})
        tracemalloc.start()
        with Gradebook.open(path, writing=False) as book, open("/dev/null", "w") as stream:
            junit.write(totals.students(book), stream)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(5)
    assert peak(200) < peak(20) + 50_000


# --- All of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["canvas", "moodle", "junit"])
def test_the_same_grades_are_the_same_bytes(path, tmp_path, format):
    work = {"ann": {ONE: HALF, THREE: [TODO]}, "bob": {ONE: [PASSED]}}
    grade(path, work)
    other = tmp_path / "other"
    grade(other, {"bob": work["bob"]})
    grade(other, {"ann": {THREE: [TODO], ONE: HALF}})
    assert written(path, format)[0] == written(other, format, to=tmp_path / "o")[0]


def test_options_that_do_not_go_together_are_refused(path):
    grade(path, {"ann": {ONE: HALF}})
    for options in ({"roster": CANVAS}, {"by_lesson": True}, {"titles": ["x"]}):
        for format in ("csv", "json", "junit", "gradescope"):
            assert "canvas and moodle only" in refusal(path, format, **options)


def test_the_command_says_what_could_not_be_matched_and_writes_the_rest(path, tmp_path):
    grade(path, {"lovelaceada (11)": {ONE: HALF}, "nobody (99)": {ONE: HALF}}, BUBBLEWRAP)
    to = tmp_path / "canvas.csv"
    ran = grader("export", path, "--format", "canvas", "--roster", CANVAS, "--to", to)
    assert "nobody (99): not in the roster. Left out." in ran.stderr
    assert "Noether, Emmy: in the roster, and not in the gradebook" in ran.stderr
    assert cells(to.read_text())[2][5] == "5.00"
    missing = tmp_path / "no" / "folder.csv"
    assert "cannot be written" in grader("export", path, "--to", missing, code=4).stderr


@pytest.mark.parametrize(
    "command", [("export", "--format", "csv"), ("export", "--format", "junit"), ("report",)]
)
def test_nothing_is_written_over_the_gradebook_that_it_is_made_of(tmp_path, command):
    path = tmp_path / "book"
    with Gradebook.open(path, writing=True):
        pass
    before = path.read_bytes()
    name, *options = command
    ran = grader(name, path, *options, "--to", path, code=4)
    assert "would replace what it is made of" in ran.stderr
    assert path.read_bytes() == before
