"""The class on one page: what is on it, and what it does in a browser."""

import json
import re
import subprocess
import sys
import zlib
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from browser import HOSTILE, chromium, fill, has_no_violation, opened, refuse
from grader.cli import app
from grader.gradebook import pages, report, similar
from grader.gradebook.book import Gradebook
from grader.gradebook.rows import Result
from grader.intake import excerpts
from grader.intake.excerpts import tokens

ONE_MAXIMUM = "one maximum for the whole tensor"
WRONG = (
    f"This looks like: {ONE_MAXIMUM}.\n    The maximum is to be taken along dim.\n    Which is"
    " it?\n\nEvery row sums to one.\n\nsoftmax(x, dim) with\n    dim = 1\n\nThey differ at 3."
)
BROKE = "loss raised ZeroDivisionError\n\n  lesson1_a.py:8, in loss\n    return 1 / 0"
SOURCE = '''"""Mine."""
import torch

BASE = 2

def _shift(x):
    return x - x.max()
def loss(x):
    return 1 / 0 + len(BASE)

@torch.no_grad()
def softmax(x, dim):
    """Mine."""
    # a remark
    return _shift(x).exp() + loss(x) + BASE
'''
ALL = 60  # students: more than fit into view


def softmax(points, outcome="passed", **more):
    return [
        Result("softmax", "sums", "passed", 4, 4),
        Result("softmax", "stable", outcome, points, 6, **more),
    ]


def lessons(softmax_results, loss="passed", **more):
    full = 10 if loss == "passed" else 0
    return {
        "lesson1_a": [*softmax_results, Result("loss", "mean", loss, full, 10, **more)],
        "lesson2_b": [
            Result("generate", "stops", "passed", 5, 5),
            Result("generate", "batch", "todo", 0, 5),
        ],
    }


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "class.gradebook"
    files = {"lesson1_a.py": SOURCE, "lesson2_b.py": "def generate(n):\n    return n\n"}
    wrong = {"outcome": "wrong", "misconception": ONE_MAXIMUM, "feedback": WRONG}
    hostile = Result("softmax", HOSTILE, "wrong", 0, 10, HOSTILE, f"{HOSTILE}\n{HOSTILE}")
    hostile_code = f'def softmax(x):\n    """{HOSTILE}"""\n    return {HOSTILE!r}\n'
    students = {
        "Ada": (files, lessons(softmax(0, **wrong), "error", feedback=BROKE), "hello\n", []),
        "Ben": (files, lessons(softmax(6), "timeout", feedback="Slow."), "", ["cell 3: left out"]),
        "Cem": ({"lesson1_a.py": SOURCE}, {"lesson1_a": lessons(softmax(6))["lesson1_a"]}, "", []),
        HOSTILE: (
            {"lesson1_a.py": hostile_code},
            {"lesson1_a": [hostile, Result("softmax", "b", "wrong", 0, 10, "", HOSTILE)]},
            HOSTILE,
            [HOSTILE],
        ),
    }  # fmt: skip
    for n in range(ALL - 5):
        points = n % 7
        more = {"outcome": "passed" if points == 6 else "wrong"}
        students[f"Student {n:02}"] = (files, lessons(softmax(points, **more)), "", [])
    fill(path, students)
    refuse(path, "Dan", "broken.zip: no zip. Pack it again.")
    return path


@pytest.fixture(scope="module")
def path(book):
    with Gradebook.open(book, writing=False) as gradebook:
        assert report.write(gradebook, book.with_name("report.html")) == ALL
    return book.with_name("report.html")


def texts(page, selector):
    return [text.strip() for text in page.locator(selector).all_inner_texts()]


def names(page):
    return texts(page, "#grid tbody th")


def focused(page):
    return page.evaluate(
        "[document.activeElement.dataset.row, document.activeElement.dataset.column]"
    )


def comes_to(page, row, column):
    """The focus; where a dialog closes, a moment later."""
    page.locator(f'#grid [data-row="{row}"][data-column="{column}"]:focus').wait_for()


def dialog(page, title=""):
    """Its text, as soon as it has this title."""
    page.locator("dialog[open] h2").filter(has_text=title).wait_for()
    return page.locator("dialog").inner_text()


# --- What it is made of --------------------------------------------------------------------------


def test_the_same_gradebook_gives_the_same_bytes(book, path, tmp_path):
    with Gradebook.open(book, writing=False) as gradebook:
        report.write(gradebook, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_it_holds_no_secret_and_no_markup_of_a_students(path):
    html = path.read_text("utf-8")
    chunks = re.findall(r'<script type="text/plain" id="[-\w]+">([\w+/=]*)</script>', html)
    assert len(chunks) == 5
    unpacked = "".join(zlib.decompress(b64decode(chunk)).decode() for chunk in chunks)
    assert "owned" in unpacked
    for text in (html, unpacked):
        assert "s3cret" not in text
    assert "<img" not in html
    assert len(re.findall(r"<script", html)) == 1 + 5 + 1
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[
        1
    ]
    assert HOSTILE[:10] in json.loads(data)["students"][0]


def test_of_nobody_there_is_a_page_too(tmp_path):
    fill(tmp_path / "empty", {})
    with Gradebook.open(tmp_path / "empty", writing=False) as gradebook:
        assert report.write(gradebook, tmp_path / "report.html") == 0
    assert "Nothing has been graded yet" in (tmp_path / "report.html").read_text("utf-8")


def test_a_folder_that_is_not_there_is_one_line(book, tmp_path):
    with (
        Gradebook.open(book, writing=False) as gradebook,
        pytest.raises(pages.CannotWrite, match=r"cannot be written \(No such file"),
    ):
        report.write(gradebook, tmp_path / "none" / "report.html")


def test_texts_are_in_it_once_however_many_students_have_them(tmp_path):
    def size(students):
        files = {"lesson1_a.py": SOURCE}
        wrong = softmax(0, outcome="wrong", feedback="".join(map(chr, range(0x4E00, 0x5E00))))
        graded = {"lesson1_a": wrong}
        fill(tmp_path / "book", {f"s{n}": (files, graded, "", []) for n in range(students)})
        with Gradebook.open(tmp_path / "book", writing=False) as gradebook:
            report.write(gradebook, tmp_path / "report.html")
        return (tmp_path / "report.html").stat().st_size

    assert size(2) > 4096
    assert size(200) - size(2) < 200 * 60


# --- Code, and what was said of it ---------------------------------------------------------------


def test_an_exercise_is_shown_with_what_it_uses_but_no_other_exercise():
    lines = excerpts.Source(SOURCE).excerpt("softmax", {"softmax", "loss"})
    assert [line.number for line in lines] == [4, 0, 6, 7, 0, 11, 12, 13, 14, 15]
    assert lines[5].text == "@torch.no_grad()"
    assert excerpts.Source(SOURCE).excerpt("nowhere") == []


def test_the_exercises_own_docstring_is_not_shown_again():
    stub = excerpts.stub("lesson3_logits")
    text, first, last = stub.docstring("softmax")
    lines = excerpts.Source("\n".join(stub.lines)).excerpt("softmax", (), "lesson3_logits")
    assert excerpts.Line(0, "    (the exercise's own text)") in lines
    assert not {line.number for line in lines} & set(range(first, last + 1))
    own = "\n".join(stub.lines).replace(text, f"{text}And my own notes.\n    ")
    assert any(
        "my own notes" in line.text
        for line in excerpts.Source(own).excerpt("softmax", (), "lesson3_logits")
    )


def test_of_what_does_not_parse_the_function_is_found_by_its_looks():
    source = "def f(x):\n    return (\n\nx = 1\n\nasync  def softmax(\n    x,\n):\n\n    return x +"
    source += "\n\nprint(1)\n"
    lines = excerpts.Source(source).excerpt("softmax")
    assert [line.number for line in lines] == [6, 7, 8, 9, 10]


@given(st.text(), st.text(min_size=1))
def test_any_text_has_an_excerpt_that_can_be_shown(text, name):
    for source in (text, f"def softmax():\n    {text}"):
        for exercise in (name, "softmax"):
            lines = excerpts.Source(source).excerpt(exercise)
            assert all(c.isprintable() or c == "\t" for line in lines for c in line.text)


def test_code_that_is_endless_is_cut():
    long = "def softmax():\n" + "    x = 1\n" * 5000 + f"    y = '{'y' * 9000}'\n"
    lines = excerpts.Source(long).excerpt("softmax")
    assert len(lines) == excerpts.LINES + 1
    assert lines[-1].text == "... 4,802 more lines"
    assert (
        max(
            len(line.text) for line in excerpts.Source(f"softmax = {'y' * 9000}").excerpt("softmax")
        )
        < 600
    )


def test_feedback_is_taken_apart_where_it_names_a_misconception():
    said = pages.said(WRONG, ONE_MAXIMUM)
    assert said.heading == f"This looks like: {ONE_MAXIMUM}."
    assert said.think == "The maximum is to be taken along dim. Which is it?"
    assert said.text.startswith("Every row sums to one.\n\nsoftmax(")
    assert pages.said("a\nb", "") == ("", "", "a\nb")
    assert pages.said("a\nb", "c") == ("This looks like: c.", "", "a\nb")
    two = "This looks like two things at once: c; and d.\n    Think.\n    More.\n\nIt is wrong."
    assert pages.said(two, "c; d") == (two.partition("\n")[0], "Think. More.", "It is wrong.")


def test_the_lines_that_feedback_speaks_of():
    call = "Line 12 calls torch.softmax, which this exercise rules out:\n    x\n  line 13: def"
    assert pages.lines_named("lesson1_a", BROKE) == {8}
    assert pages.lines_named("lesson1_a", call) == {12, 13}
    assert pages.lines_named("lesson1_a", "lesson1_ab.py:3 xlesson1_a.py:4 inline 5 calls") == set()


# --- Who wrote alike -----------------------------------------------------------------------------

BUSY = """
def train(words, n):
    merges = []
    for step in range(n):
        counts = {}
        for word in words:
            for left, right in zip(word, word[1:]):
                counts[left, right] = counts.get((left, right), 0) + 1
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        words = [join(word, best) for word in words]
    return merges
"""
RENAMED = re.sub(r"\b(words|merges|counts|left|right|best|step|n)\b", r"my_\1", BUSY).replace(
    "\n    for my_step", "\n    # a loop\n\n    for my_step"
)


def groups(answers, known=()):
    return similar.groups(
        [{name: tokens(code) for name, code in theirs.items()} for theirs in answers],
        [tokens(code) for code in known],
    )


def test_renaming_and_remarks_hide_nothing():
    assert RENAMED.count("my_") > 20
    assert tokens(RENAMED) == tokens(BUSY) != ""
    [group] = groups([{"train": BUSY}, {"train": "def train(a, b): return a"}, {"train": RENAMED}])
    assert group.members == group.closest == (0, 2)
    assert group.least == group.most == 1
    assert group.exercises == (("train", 1.0),)


def test_other_code_is_not_alike():
    other = "\n".join(
        f"def f{n}(x):\n    return x.a{n}(x[{n}:], key=x.b{n}) + x.c{n}" for n in range(20)
    )
    assert groups([{"train": BUSY}, {"train": other}, {}]) == []


def test_what_everybody_has_seen_or_many_wrote_does_not_count():
    two = [{"train": BUSY}, {"train": RENAMED}]
    assert groups(two, known=[BUSY]) == []
    assert groups([{"train": BUSY}] * similar.FEW)
    assert groups([{"train": BUSY}] * (similar.FEW + 1)) == []
    crowd = [{"train": f"def train(): return {n}"} for n in range(60)]
    assert len(groups([*two, *crowd])) == 1


def test_no_chain_of_likenesses_joins_strangers():
    one, other = (re.sub(r"\bcounts\b|\bwords\b|\bpair\b", f"x.a{i}", BUSY) for i in range(2))
    found = groups([{"a": one}, {"a": one, "b": other}, {"b": other}])
    assert sorted(group.members for group in found) == [(0, 1), (1, 2)]


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.text()), max_size=6))
def test_any_text_can_be_compared(answers):
    groups(answers)


# --- In a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, path):
    with opened(browser, path) as page:
        yield page


def test_what_a_cell_shows(page):
    row = page.locator("#grid tbody tr").filter(
        has=page.get_by_role("rowheader", name="Ada", exact=True)
    )
    assert texts(row, "td") == ["9/30", "4F", "0E", "5t"]
    assert row.locator("td").nth(1).get_attribute("aria-label") == (
        f"softmax: 4 of 10 points, wrong. {ONE_MAXIMUM}"
    )
    colours = row.locator("td").evaluate_all(
        "all => all.map(c => getComputedStyle(c).backgroundColor)"
    )
    assert len(set(colours[1:])) == 3


def test_sorting(page):
    assert names(page)[1:4] == ["Ada", "Ben", "Cem"]
    heading = page.get_by_role("columnheader", name="total", exact=True)
    heading.click()
    assert names(page)[0] == "Dan"  # not graded
    heading.click()
    assert names(page)[0] == "Cem"
    assert heading.get_attribute("aria-sort") == "descending"
    page.locator("#sorted").select_option("loss")
    assert names(page)[1:4] == ["Dan", "Ada", "Ben"]  # no loss, and two with no points
    assert "sorted by loss" in page.locator("#status").inner_text()
    hardest = texts(page, "table.sortable tbody th")
    assert hardest[0] == "generate"
    page.get_by_role("button", name="exercise", exact=True).click()
    assert texts(page, "table.sortable tbody th") == ["generate", "loss", "softmax"]
    page.get_by_role("button", name="solved").click()
    cells = page.locator("table.sortable td:nth-child(5)")
    solved = cells.evaluate_all("cells => cells.map((cell) => Number(cell.dataset.value))")
    assert solved == sorted(solved)
    assert len(set(solved)) == 3


def test_filtering(page):
    page.get_by_label("Student", exact=True).fill("stud 07")
    assert names(page) == ["Student 07"]
    assert f"1 of {ALL} students" in page.locator("#status").inner_text()
    page.get_by_label("Student", exact=True).fill("nobody of this name")
    assert page.get_by_text("No student fits.").is_visible()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("rowheader", name="Student 09").wait_for()
    page.locator("#by-outcome").select_option("timeout")
    assert names(page) == ["Ben"]
    page.locator("#by-outcome").select_option("")
    page.locator("#by-misconception").select_option(ONE_MAXIMUM)
    assert names(page) == ["Ada"]
    page.locator("#by-misconception").select_option("")
    page.locator("#by-points").select_option("not graded")
    assert names(page) == ["Dan"]
    page.locator("#by-points").select_option("")
    page.locator("#by-lesson").select_option("lesson2_b")
    assert texts(page, "#grid .sorts th") == ["student", "total", "generate"]


def test_a_misconception_leads_to_those_who_have_it(page):
    card = page.locator(".cards li").filter(has_text=ONE_MAXIMUM)
    assert "softmax: 1 of 59 students" in card.inner_text()
    assert "Which is it?" in card.inner_text()
    assert "_shift(x).exp()" in card.inner_text()
    card.get_by_role("button", name="Show all 1").click()
    page.get_by_text(f"1 of {ALL} students").wait_for()
    assert names(page) == ["Ada"]


def test_a_cell_opens_with_feedback_beside_code(page):
    page.get_by_role("gridcell", name="loss: 0 of 10 points, error").click()
    text = dialog(page)
    assert "Ada: loss" in text
    assert "ZeroDivisionError" in text
    assert texts(page, "dialog .line.named .n") == ["8"]
    assert "hello" in text
    page.get_by_role("button", name="Exercise before").click()
    assert f"This looks like: {ONE_MAXIMUM}" in dialog(page, "Ada: softmax")
    page.get_by_role("button", name="Student after").click()
    dialog(page, "Ben: softmax")
    page.keyboard.press("Escape")
    comes_to(page, 2, 2)


def test_a_name_opens_the_student_and_their_exercises(page):
    page.locator("#grid").get_by_role("rowheader", name="Ben").click()
    text = dialog(page)
    assert "cell 3: left out" in text
    page.locator("dialog").get_by_role("button", name="loss").click()
    assert "Slow." in dialog(page, "Ben: loss")
    page.get_by_role("button", name="Close").click()
    refused = page.get_by_role("button", name="Dan")
    refused.click()
    assert "Cannot be read: broken.zip: no zip." in dialog(page)
    page.keyboard.press("Escape")
    assert refused.evaluate("b => b === document.activeElement")


def test_by_keyboard_alone(page):
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == ["0", "0"]:
            break
    assert focused(page) == ["0", "0"]
    assert page.locator("#grid [tabindex='0']").count() == 1
    for key, where in [
        ("ArrowDown", ["1", "0"]), ("ArrowRight", ["1", "1"]), ("End", ["1", "4"]),
        ("ArrowRight", ["1", "4"]), ("Home", ["1", "0"]), ("Control+End", [str(ALL - 1), "4"]),
        ("ArrowDown", [str(ALL - 1), "4"]), ("Control+Home", ["0", "0"]), ("ArrowDown", ["1", "0"]),
        ("ArrowRight", ["1", "1"]), ("ArrowRight", ["1", "2"]),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert focused(page) == where, key
        cell = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        frame = page.evaluate("document.getElementById('frame').getBoundingClientRect().toJSON()")
        assert frame["top"] - 1 <= cell["top"] < cell["bottom"] <= frame["bottom"] + 1, key
    page.keyboard.press("Enter")
    assert "Ada: softmax" in dialog(page)
    page.keyboard.press("Escape")
    comes_to(page, 1, 2)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert focused(page) == [None, "2"]
    page.keyboard.press("Enter")
    assert (
        page.get_by_role("columnheader", name="softmax").get_attribute("aria-sort") == "ascending"
    )
    assert focused(page) == [None, "2"]
    page.keyboard.press("Tab")
    assert not page.evaluate("document.getElementById('grid').contains(document.activeElement)")


def test_rows_come_into_view_and_are_counted_for_screen_readers(page):
    grid = page.locator("#grid")
    assert grid.get_attribute("aria-rowcount") == str(ALL + 2)
    assert len(names(page)) < ALL
    page.evaluate("document.getElementById('frame').scrollTop = 1e6")
    page.get_by_role("rowheader", name=f"Student {ALL - 6}").wait_for()
    last = page.locator("#grid tbody tr").last
    assert last.get_attribute("aria-rowindex") == str(ALL + 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_have_no_accessibility_violation(browser, path, scheme):
    with opened(browser, path, color_scheme=scheme) as page:
        has_no_violation(page)
        page.get_by_role("gridcell", name="loss: 0 of 10 points, error").click()
        dialog(page)
        has_no_violation(page)


def test_colours_follow_the_system_until_one_is_chosen(browser, path):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with opened(browser, path, color_scheme="dark") as page:
        dark = background(page)
        page.get_by_label("Colours").select_option("light")
        light = background(page)
        assert light != dark
        page.get_by_label("Colours").select_option("dark")
        assert background(page) == dark
        page.emulate_media(color_scheme="light")
        assert background(page) == dark
        page.get_by_label("Colours").select_option("as the system")
        assert background(page) == light


def test_hostile_text_is_shown_as_text(page):
    shown = HOSTILE.replace("\N{LINE SEPARATOR}", "\\u2028").replace(
        "\N{RIGHT-TO-LEFT OVERRIDE}", "\\u202e"
    )
    header = page.locator("#grid tbody th").filter(has_text="owned")
    assert header.inner_text() == shown
    header.click()
    assert shown in dialog(page)
    page.locator("dialog").get_by_role("button", name="softmax").click()
    text = dialog(page, f"{shown}: softmax")
    for part in (
        f"{shown}: softmax",
        f"This looks like: {shown}",
        f"{shown}\n{shown}",
        f'"""{shown}"""',
    ):
        assert part in text
    assert text.count("<script>") == 9
    assert page.locator("img").count() == 0
    assert shown in page.locator("main").inner_text()


def test_nothing_else_can_run(browser, path):
    context = browser.new_context()
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    thrown = page.evaluate("""() => {
        const script = document.createElement('script');
        script.append("document.title = 'owned'");
        document.body.append(script);
        const picture = document.createElement('img');
        picture.src = 'https://example.com/';
        document.body.append(picture);
        try { document.body.innerHTML = '<b>'; } catch (error) { return error.name; }
    }""")
    assert thrown == "TypeError"
    page.get_by_label("Student", exact=True).fill("Ada")
    assert page.title() != "owned"
    context.close()
    assert len(said) >= 3
    assert all("Content Security Policy" in text or "Trusted" in text for text in said), said


def test_a_phone_need_not_scroll_the_page_sideways(browser, path):
    with opened(browser, path, viewport={"width": 360, "height": 740}, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_role("gridcell", name="loss: 0 of 10 points, error").tap()
        assert "Ada: loss" in dialog(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        box = page.locator("dialog").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert page.locator("dialog").evaluate("d => d.scrollWidth <= d.clientWidth")


def test_on_paper_everybody_is_there_and_no_button(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert len(names(page)) == ALL
    assert not page.get_by_role("button", name="Clear").is_visible()
    assert not page.get_by_label("Colours").is_visible()
    width = page.evaluate("document.getElementById('grid').offsetWidth - document.body.clientWidth")
    assert width <= 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert len(names(page)) < ALL


# --- The command ---------------------------------------------------------------------------------


def test_the_command_says_what_it_wrote(book, path, tmp_path):
    ran = CliRunner().invoke(app, ["report", str(book), "--to", str(tmp_path / "class.html")])
    assert ran.exit_code == 0
    assert ran.output == f"{tmp_path / 'class.html'}: {ALL} students, 0.1 MB.\n"
    assert (tmp_path / "class.html").read_bytes() == path.read_bytes()


def test_the_command_does_not_wait_for_torch(book, tmp_path):
    command = f"report {book} --to {tmp_path / 'class.html'}".split()
    program = (
        "import sys; from grader.cli import app; app(sys.argv[1:], standalone_mode=False)\n"
        "assert 'grader.gradebook.report' in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, *command], check=True)
