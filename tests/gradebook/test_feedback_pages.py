"""A page for each student: theirs alone, and safe to open."""

import csv
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from browser import HOSTILE, chromium, fill, has_no_violation, opened, refuse
from grader.cli import app
from grader.gradebook import feedback_pages, pages, results
from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Result

ONE_MAXIMUM = "one maximum for the whole tensor"
WRONG = (
    f"This looks like: {ONE_MAXIMUM}.\n    The maximum is to be taken along dim. Which?\n\n"
    "Every row sums to one.\n\nsoftmax(x, dim) with\n    dim = 1"
)
BROKE = "loss raised ZeroDivisionError\n\n  lesson1_a.py:7, in loss\n    return 1 / 0"
SOURCE = """import torch
def _shift(x):
    return x - x.max()
def softmax(x, dim):
    return _shift(x).exp()
def loss(x):
    return 1 / 0
"""
RESULTS = [
    Result("softmax", "sums", "passed", 4, 4),
    Result("softmax", "stable", "wrong", 0, 6, ONE_MAXIMUM, WRONG, 1.25),
    Result("loss", "mean", "error", 0, 5, "", BROKE, 9.5),
    Result("loss", "of_one", "error", 0, 5, "", BROKE),
    Result("perplexity", "uniform", "todo", 0, 10),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("feedback") / "class.gradebook"
    code = f"def softmax(x):\n    return {HOSTILE!r}\n"
    hostile = Result("softmax", HOSTILE, "wrong", 0, 10, HOSTILE, f"{HOSTILE}\n{HOSTILE}")
    files = {"lesson1_a.py": SOURCE, "lesson2_b.py": "generate = print\n"}
    graded = {"lesson1_a": RESULTS, "lesson2_b": [Result("generate", "stops", "passed", 5, 5)]}
    fill(
        path,
        {
            "Ada Lovelace": (files, graded, "hello\n", ["cell 3: left out"]),
            "Ben": ({"lesson1_a.py": "x = 'of Ben'\n"}, {"lesson1_a": RESULTS[:1]}, "Ben's", []),
            HOSTILE: ({"lesson1_a.py": code}, {"lesson1_a": [hostile]}, HOSTILE, [HOSTILE]),
            "=cmd()": ({}, {}, "", []),
        },
    )
    refuse(path, "Cem", "broken.zip: no zip. Pack it again.")
    return path


def written(book, folder, student=None):
    with Gradebook.open(book, writing=False) as gradebook:
        feedback_pages.write(gradebook, folder, student)
    return folder


@pytest.fixture(scope="module")
def folder(book):
    return written(book, book.parent / "pages")


def of(folder, student):
    with open(folder / "index.csv", encoding="utf-8", newline="") as file:
        [name] = [row["file"] for row in csv.DictReader(file) if row["student"].startswith(student)]
    return folder / name


# --- Files ---------------------------------------------------------------------------------------


def test_there_is_a_page_each_and_an_index_for_the_instructor(folder):
    with open(folder / "index.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["index.csv", *(row["file"] for row in rows.values())]
    )
    assert len(rows) == 5
    ada = rows["Ada Lovelace"]
    assert re.fullmatch(r"ada-lovelace-[0-9a-f]{8}\.html", ada["file"])
    assert (ada["points"], ada["max_points"]) == ("9", "35")
    assert "'=cmd()" in rows  # no formula


def test_the_same_grades_are_the_same_bytes(book, folder, tmp_path):
    again = written(book, tmp_path / "a" / "b")
    written(book, again)
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert len(list(again.iterdir())) == len(list(folder.iterdir()))


def test_a_page_says_nothing_of_others_of_secrets_or_of_when(folder):
    text = of(folder, "Ada").read_text("utf-8")
    for secret in ("Ben", "Cem", "owned", "s3cret", "9.5", "1.25", "20"):
        assert secret not in re.sub(r"<style>.*</style>|sha256-[^']*", "", text, flags=re.DOTALL)
    assert "Lovelace" not in of(folder, "Ben").read_text("utf-8")


def test_one_students_page_is_the_same_alone(book, folder, tmp_path):
    alone = written(book, tmp_path / "pages", "Ada Lovelace")
    [path] = alone.iterdir()
    assert path.read_bytes() == of(folder, "Ada").read_bytes()
    with pytest.raises(results.NoSuchStudent, match="Did you mean Ada Lovelace"):
        written(book, tmp_path / "pages", "ada")


def test_what_cannot_be_written_is_one_line(book, tmp_path):
    (tmp_path / "pages").write_text("a file")
    with pytest.raises(pages.CannotWrite, match="cannot be made"):
        written(book, tmp_path / "pages")


def test_a_link_that_lies_in_the_way_is_not_followed(book, folder, tmp_path):
    (tmp_path / "precious").write_text("mine")
    name = of(folder, "Ada").name
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / name).symlink_to(tmp_path / "precious")
    written(book, tmp_path / "pages", "Ada Lovelace")
    assert (tmp_path / "precious").read_text() == "mine"
    assert "Lovelace" in (tmp_path / "pages" / name).read_text("utf-8")


RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


ODD = ["CON", "con", "nul.html", "..", "a/b", "A/B", "é", "É", "e\u0301", "中", "a" * 300]


@given(st.sets(st.text(min_size=1) | st.sampled_from(ODD)))
def test_names_of_files_are_safe_and_differ_even_where_case_does_not_count(students):
    names = feedback_pages.file_names(sorted(students))
    assert set(names) == students
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names.values()}) == len(
        names
    )
    for name in names.values():
        assert re.fullmatch(r"[a-z0-9][-a-z0-9]*\.html", name)
        assert name.partition(".")[0] not in RESERVED
        assert len(name) < 150


def test_names_with_the_same_mark_differ(monkeypatch):
    monkeypatch.setattr(feedback_pages, "MARK", 0)
    assert len(set(feedback_pages.file_names(["Ann", "ann", "ANN"]).values())) == 3


def test_the_command_says_how_many(book, folder, tmp_path):
    ran = CliRunner().invoke(app, ["feedback", str(book), "--to", str(tmp_path / "pages")])
    assert (ran.exit_code, ran.output) == (0, f"{tmp_path / 'pages'}: 5 pages.\n")
    assert len(list((tmp_path / "pages").iterdir())) == 6


# --- What is on a page ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def test_code_stands_beside_what_was_said_of_it(browser, folder):
    with opened(browser, of(folder, "Ada")) as page:
        softmax = page.get_by_role("article", name="softmax")
        text = softmax.inner_text()
        assert "4 of 10 points" in text
        assert f"This looks like: {ONE_MAXIMUM}" in text
        assert "The maximum is to be taken along dim. Which?" in text
        assert "Every row sums to one.\n\nsoftmax(x, dim) with\n    dim = 1" in text
        assert "Passed: sums (4)" in text
        assert softmax.locator(".line .n").all_inner_texts() == ["2", "3", "4", "5"]
        said, code = (softmax.locator(".beside > div").nth(i).bounding_box() for i in range(2))
        assert code["x"] >= said["x"] + said["width"]
        loss = page.get_by_role("article", name="loss")
        assert loss.locator(".line.named .n").all_inner_texts() == ["7"]
        assert loss.inner_text().count("ZeroDivisionError") == 1
        assert "The same as above." in loss.inner_text()
        assert "to do" in page.get_by_role("article", name="perplexity").inner_text()
        assert "generate = print" in page.get_by_role("article", name="generate").inner_text()
        assert "9 of 35 points" in page.locator("header").inner_text()
        assert "cell 3: left out" in page.locator("main").inner_text()
        page.get_by_text("What your code printed").first.click()
        assert page.get_by_text("hello").first.is_visible()


def test_who_handed_in_what_cannot_be_read_is_told_so(folder):
    assert "broken.zip: no zip. Pack it again." in of(folder, "Cem").read_text("utf-8")
    assert "Nothing has been graded yet." in of(folder, "'=cmd").read_text("utf-8")


def test_hostile_text_is_shown_as_text(browser, folder):
    shown = re.sub("[\u2028\u202e]", lambda m: repr(m[0])[1:-1], HOSTILE)
    with opened(browser, of(folder, "</script")) as page:
        assert page.title() == f"{shown}: feedback"
        page.locator("summary").click()
        text = page.locator("body").inner_text()
        for part in (f"This looks like: {shown}", f"{shown}\n{shown}", f"return {shown!r}"[:60]):
            assert part in text
        assert page.locator("script, img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_have_no_accessibility_violation(browser, folder, scheme):
    with opened(browser, of(folder, "Ada"), color_scheme=scheme) as page:
        has_no_violation(page)


def test_the_dark_scheme_is_dark(browser, folder):
    backgrounds = []
    for scheme in ("light", "dark"):
        with opened(browser, of(folder, "Ada"), color_scheme=scheme) as page:
            backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(255, 255, 255)", "rgb(22, 24, 28)"]


@pytest.mark.parametrize("student", ["Ada", "</script"])
def test_a_phone_need_not_scroll_sideways(browser, folder, student):
    with opened(browser, of(folder, student), viewport={"width": 360, "height": 740}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_all_can_be_reached_with_the_keyboard(browser, folder):
    with opened(browser, of(folder, "Ada")) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "softmax: wrong"
        page.keyboard.press("Enter")
        assert page.url.endswith("#exercise1-1")


def test_nothing_is_cut_on_paper(browser, folder):
    with opened(browser, of(folder, "Ada")) as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        boxes = page.locator("pre, .code, .beside > div")
        assert boxes.count() > 5
        cut = boxes.evaluate_all("all => all.map((x) => getComputedStyle(x).overflowY)")
        assert set(cut) == {"visible"}


def test_what_stands_between_our_backticks_is_code_and_theirs_stay():
    shown = pages.environment().filters["feedback"]
    text = "Use `dim`.\n\nyours `x` <b>\nStuck? `grader hint a` gives a hint."
    assert shown(text) == (
        "Use <code>dim</code>.\n\nyours `x` &lt;b&gt;\nStuck? <code>grader hint a</code> gives "
        "a hint."
    )
