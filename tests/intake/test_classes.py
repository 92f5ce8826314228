"""Who handed in what is told from a folder's names alone, for each platform's export."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import lessons as kit
from grader.intake.classes import find
from grader.intake.layouts import PLAIN
from grader.intake.submissions import read
from grader.intake.words import Refused

LESSONS = kit.names()
ONE, TWO, THREE, FOUR = LESSONS[:4]


def make(folder, *names):
    """Files and, where a name ends in a slash, folders; each newer than the one before."""
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text(f"x = {i}\n")
        if not name.endswith("/"):
            os.utime(path, (i + 1000, i + 1000))
    return folder


def who(folder):
    """(layout, student -> names that count, student -> names that were replaced)."""
    got = find(folder, LESSONS)
    assert [e.student for e in got.entries] == sorted({e.student for e in got.entries})
    return (
        got.layout,
        {e.student: [p.name for p in e.paths] for e in got.entries},
        {e.student: [p.name for p in e.earlier] for e in got.entries if e.earlier},
    )


def refusal(folder):
    with pytest.raises(Refused) as caught:
        find(folder, LESSONS)
    assert str(caught.value).isprintable()
    return str(caught.value)


# --- One entry per student -----------------------------------------------------------------------


def test_a_file_or_folder_is_a_student(tmp_path):
    make(tmp_path, "ada/x.py", "bob.zip", "cy.py", "dan.tar.gz", "Eve Li.ipynb", "fay.rar")
    layout, students, earlier = who(tmp_path)
    assert layout == PLAIN
    assert students == {
        "Eve Li": ["Eve Li.ipynb"],
        "ada": ["ada"],
        "bob": ["bob.zip"],
        "cy": ["cy.py"],
        "dan": ["dan.tar.gz"],
        "fay": ["fay.rar"],
    }
    assert earlier == {}


def test_files_that_name_a_student_and_lessons_are_one_submission(tmp_path):
    make(tmp_path, f"ada_{ONE}.py", f"ada_{THREE}.py", f"{THREE}-bob.py", "bob-Lesson 1.ipynb")
    assert who(tmp_path)[1] == {
        "ada": [f"ada_{ONE}.py", f"ada_{THREE}.py"],
        "bob": ["bob-Lesson 1.ipynb", f"{THREE}-bob.py"],
    }
    # Whichever lessons are asked for.
    assert [e.student for e in find(tmp_path, [FOUR]).entries] == ["ada", "bob"]


def test_what_is_the_same_for_all_does_not_make_them_one(tmp_path):
    make(tmp_path, f"hw_{ONE}_ada.py", f"hw_{ONE}_bob.py")
    assert list(who(tmp_path)[1]) == ["hw_ada", "hw_bob"]


def test_the_later_of_two_submissions_counts_and_both_are_returned(tmp_path):
    make(tmp_path, "ada.zip", f"bob_{ONE} (1).py", f"bob_{ONE}.py", "ada/x.py")
    _, students, earlier = who(tmp_path)
    assert students == {"ada": ["ada"], "bob": [f"bob_{ONE}.py"]}
    assert earlier == {"ada": ["ada.zip"], "bob": [f"bob_{ONE} (1).py"]}


def test_of_two_of_one_time_the_copy_is_the_later_one(tmp_path):
    names = [f"ada_{ONE}{copy}.py" for copy in ("", " (1)", " (2)", " (10)")]
    for name in names:
        os.utime(make(tmp_path, name) / name, (1, 1))
    _, students, earlier = who(tmp_path)
    assert students == {"ada": names[3:]}
    assert earlier == {"ada": names[:3]}


def test_nobody_is_taken_for_a_copy_of_somebody_else(tmp_path):
    """That would cost one of them the grade."""
    names = ["student-01", "student-02", "Wei Zhang (123)", "Wei Zhang (456)", "a-1", "Ada",
             "Ada (2)", "Ada - Copy", "Jos\u00e9", "Jose\u0301", f"{ONE}_x-1",
             f"{ONE}_x-2"]  # fmt: skip
    make(tmp_path, *(f"{name}/{ONE}.py" for name in names))
    found = find(tmp_path, LESSONS)
    assert len(found.entries) == len({e.student for e in found.entries}) == len(names)
    assert all(not entry.earlier for entry in found.entries)
    assert {"student-01", "Wei Zhang (123)", "a-1", "Ada (2)", "x-1"} < {
        entry.student for entry in found.entries
    }
    assert sum("not for a copy of Ada" in remark for remark in found.remarks) == 2
    assert sum("name looks the same" in remark for remark in found.remarks) == 1


@pytest.mark.parametrize("form", ["{}/x.py", "{}.py", f"{{}}_{ONE}.py", f"{ONE}_{{}}.py"])
def test_names_that_differ_in_a_sign_are_different_students(tmp_path, form):
    names = ["ada", "ada_", "_ada", "ada.", "ada-", "-ada"]
    make(tmp_path, *map(form.format, names))
    assert sorted(who(tmp_path)[1]) == sorted(names)


def test_names_that_a_browser_has_lengthened_are_still_those_of_code(tmp_path):
    make(tmp_path, "ada.py.txt", "bob.ipynb.txt", "cy.py (1)", f"dan_{ONE}.txt", "notes.txt")
    assert sorted(who(tmp_path)[1]) == ["ada", "bob", "cy (1)", "dan"]


def test_of_two_of_one_time_that_no_name_puts_in_order_both_may_count(tmp_path):
    names = [f"ada_{ONE}.ipynb", f"ada_{ONE}.py"]
    for name in names:
        os.utime(make(tmp_path, name) / name, (1, 1))
    assert who(tmp_path)[1:] == ({"ada": names}, {})


@pytest.mark.usefixtures("ada_is_closed")
def test_a_folder_that_cannot_be_read_does_not_replace_a_file_that_can(tmp_path):
    make(tmp_path, "ada.py", "ada/x.py")
    assert who(tmp_path)[1:] == ({"ada": ["ada.py"]}, {"ada": ["ada"]})


def test_notes_hidden_files_and_lessons_of_nobody_are_left_out(tmp_path):
    make(tmp_path, "ada.py", "notes.txt", ".DS_Store", "__MACOSX/x", f"{ONE}.py", "lesson3.py")
    assert list(who(tmp_path)[1]) == ["ada"]
    remarks = find(tmp_path, LESSONS).remarks
    assert len(remarks) == 3
    assert any(f"{ONE}.py: left out, a lesson without a student's name" in r for r in remarks)


def test_one_submission_an_empty_folder_a_file_and_nothing_are_no_class(tmp_path):
    make(tmp_path, f"ada/exercises/{ONE}.py", "empty/", f"lessons/{ONE}.py", "file.zip")
    assert "one submission, not a class" in refusal(tmp_path / "ada")
    assert "no students" in refusal(tmp_path / "empty")
    assert "no students" in refusal(tmp_path / "lessons")
    assert "no folder" in refusal(tmp_path / "file.zip")
    assert "no folder" in refusal(tmp_path / "missing\x1b")


def test_links_and_fifos_are_entries_that_reading_refuses(tmp_path):
    secret = make(tmp_path / "secret", f"{ONE}.py")
    folder = make(tmp_path / "class", "ada.py")
    (folder / "bob").symlink_to(secret)
    (folder / "cy.py").symlink_to(secret / f"{ONE}.py")
    os.mkfifo(folder / "dan.py")
    entries = find(folder, LESSONS).entries
    assert [e.student for e in entries] == ["ada", "bob", "cy", "dan"]
    for entry in entries[1:]:
        with pytest.raises(Refused, match=r"symbolic link|no ordinary file"):
            read(entry.paths, LESSONS)


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb", "\udcff", "a\u202eb"])
def test_names_are_printable(tmp_path, name):
    try:
        make(tmp_path, f"{name}.py", f"{name}.txt")
    except (OSError, UnicodeError):
        pytest.skip("no such name on this file system")
    got = find(tmp_path, LESSONS)
    assert all(text.isprintable() for text in (got.entries[0].student, *got.remarks))


# --- Platforms -----------------------------------------------------------------------------------


def test_canvas(tmp_path):
    make(
        tmp_path,
        f"lovelaceada_11_101_{ONE}.py",
        f"lovelaceada_11_102_{THREE}-1.py",
        "lovelaceada_11_text.html",
        f"lovelaceada_11_99_{THREE}.py",
        "lovelaceada_11_103_helpers.py",
        "bobbob_LATE_12_104_homework.zip",
        "anon_a1B2_105_hw.ipynb",
        "eve_13_text.html",
        "fay.py",
    )
    layout, students, earlier = who(tmp_path)
    assert layout == "Canvas"
    assert students == {
        "lovelaceada (11)": [
            f"lovelaceada_11_101_{ONE}.py",
            f"lovelaceada_11_102_{THREE}-1.py",
            "lovelaceada_11_103_helpers.py",
        ],
        "anon_a1B2": ["anon_a1B2_105_hw.ipynb"],
        "bobbob (12)": ["bobbob_LATE_12_104_homework.zip"],
        "eve (13)": ["eve_13_text.html"],
        "fay": ["fay.py"],
    }
    assert earlier == {"lovelaceada (11)": [f"lovelaceada_11_99_{THREE}.py"]}
    got = find(tmp_path, LESSONS)
    assert got.remarks == ("fay.py: not as Canvas names it, taken as it is.",)
    ada = read(got.entries[-1].paths, LESSONS)
    assert (list(ada.lessons), list(ada.helpers)) == ([ONE, THREE], ["helpers"])


def test_moodle_with_folders(tmp_path):
    make(
        tmp_path,
        f"Ada Lovelace_11_assignsubmission_file/{ONE}.py",
        "Ada Lovelace_11_assignsubmission_onlinetext/onlinetext.html",
        "Bo_12_assignsubmission_file_/hw.zip",
        "Cy D_13_assignsubmission_onlinetext_/onlinetext.html",
    )
    layout, students, earlier = who(tmp_path)
    assert layout == "Moodle"
    assert students == {
        "Ada Lovelace (11)": ["Ada Lovelace_11_assignsubmission_file"],
        "Bo (12)": ["Bo_12_assignsubmission_file_"],
        "Cy D (13)": ["Cy D_13_assignsubmission_onlinetext_"],
    }
    assert earlier == {}


def test_moodle_without_folders_and_in_a_folder_of_its_own(tmp_path):
    before = "Participant_7_assignsubmission_file_"
    make(tmp_path / "Export", f"{before}{ONE}.py", f"{before}{TWO}.py")
    assert who(tmp_path) == (
        "Moodle",
        {"Participant (7)": [f"{before}{ONE}.py", f"{before}{TWO}.py"]},
        {},
    )


GRADESCOPE = """\
submission_90:
  :submitters:
  - :name: Ada Lovelace
    :sid: '11'
    :email: ada@example.org
  :created_at: 2026-01-02 10:00:00.000000000 Z
  :results: &1 !ruby/object:Evil
    output: |
      - :name: Nobody
submission_100:
  :submitters:
  - :name: Ada Lovelace
    :email: ada@example.org
  - :name: "B\\u00f6 \\e[31m"
    :sid: '12'
  :history: []
submission_101:
  :submitters: []
submission_102:
  :submitters:
"""


def test_gradescope(tmp_path):
    make(tmp_path, f"submission_90/{ONE}.py", "submission_100/hw.zip", "submission_101/")
    (tmp_path / "submission_metadata.yml").write_text(GRADESCOPE)
    layout, students, earlier = who(tmp_path)
    assert layout == "Gradescope"
    assert students == {
        "Ada Lovelace (ada@example.org)": ["submission_100"],
        "Bö \\x1b[31m (12)": ["submission_100"],
        "submission_101": ["submission_101"],
    }
    assert earlier == {"Ada Lovelace (ada@example.org)": ["submission_90"]}
    assert find(tmp_path, LESSONS).remarks == (
        "submission_102: in submission_metadata.yml, but not here. Export it again.",
    )


@pytest.mark.parametrize("data", [b"", b"- a", b"a: 1", b"a:\n  :submitters: {", b"\0", b"\xff: ["])
def test_a_list_that_gradescope_did_not_write_is_refused(tmp_path, data):
    make(tmp_path, "submission_1/x.py")
    (tmp_path / "submission_metadata.yml").write_bytes(data)
    assert "Export the submissions again" in refusal(tmp_path)
    (tmp_path / "submission_metadata.yml").unlink()
    os.mkfifo(tmp_path / "submission_metadata.yml")
    assert "submission_metadata.yml: no ordinary file" in refusal(tmp_path)


@pytest.mark.parametrize("folder", ["lab-one-submissions", "class"])
def test_github_classroom(tmp_path, folder):
    for user in ("ada", "bob-b"):
        make(tmp_path / folder, f"lab-one-{user}/.git/", f"lab-one-{user}/exercises/{ONE}.py")
    layout, students, _ = who(tmp_path / folder)
    assert layout == "GitHub Classroom"
    assert students == {"ada": ["lab-one-ada"], "bob-b": ["lab-one-bob-b"]}
    assert who(tmp_path)[1] == students


def test_clones_without_a_common_name_are_students(tmp_path):
    make(tmp_path, "ada/.git/", "bob/.git/")
    assert who(tmp_path)[:2] == (PLAIN, {"ada": ["ada"], "bob": ["bob"]})


# --- Always --------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["ada", "_", "12", "-", " (1)", ONE, "LATE", "anon_", "_assignsubmission_file_", ".", "lesson3"]
)
NAMES = st.builds(
    lambda pieces, suffix: "".join(pieces).strip(". ") + suffix,
    st.lists(PIECES, min_size=1, max_size=6),
    st.sampled_from(["", ".py", ".zip", ".html", ".ipynb"]),
)


@given(st.sets(NAMES.filter(lambda name: name[:1] not in ("", ".")), min_size=1, max_size=6))
def test_no_file_of_code_is_lost_and_none_counts_twice(tmp_path_factory, names):
    folder = make(tmp_path_factory.mktemp("class"), *names)
    try:
        got = find(folder, LESSONS)
    except Refused:
        return
    paths = [path.name for entry in got.entries for path in (*entry.paths, *entry.earlier)]
    assert len(set(paths)) == len(paths)
    said = " ".join(got.remarks)
    for name in names - set(paths):
        assert not name.endswith((".py", ".zip", ".ipynb")) or name in said


def test_one_huge_folder_does_not_cost_the_class(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.intake.files.MEMBERS", 5)
    make(tmp_path, "ada.zip", *(f"ada/{i}.py" for i in range(9)), "bob.py")
    assert list(who(tmp_path)[1]) == ["ada", "bob"]
