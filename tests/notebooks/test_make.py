"""Notebooks of lessons: readable, and run from end to end."""

import ast
import importlib.util
import re

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

from grader.inside import run
from grader.notebooks.make import from_module
from grader.notebooks.marks import NoNotebook
from grader.notebooks.script import script
from grader.verdict import load
from handin import notebook
from lesson_notebooks import LESSONS, lesson_book, module, names, odd, of, role, source


def test_cells_are_what_a_reader_would_make_them():
    book = odd()
    assert [(role(cell), cell.source) for cell in book.cells][1:] == [
        ("prose", "# Lesson 9: odd\n\nText."),
        ("prose", "## Heading\n\nMore text about $x_{i}$."),
        ("code", "import os"),
        ("banner", "## One"),
        ("code", "# About f.\ndef f():\n    raise NotImplementedError"),
        ("check", "check(f)"),
        ("code", "def g():\n    raise NotImplementedError\n\n    # to be done"),
        ("check", "check(g)"),
        ("show", 'from grader import pictures\n\npictures.tokens("a")'),
        ("show", "# And the bars.\npictures.bars(\n    f,\n)"),
        ("check", "check.all()"),
    ]
    assert [cell.id for cell in book.cells] == [
        "lesson9_odd-setup",
        "lesson9_odd-about",
        "lesson9_odd-Heading",
        "lesson9_odd-import",
        "lesson9_odd-One",
        "lesson9_odd-f",
        "lesson9_odd-f-check",
        "lesson9_odd-g",
        "lesson9_odd-g-check",
        "lesson9_odd-show",
        "lesson9_odd-show-2",
        "lesson9_odd-check-all",
    ]


def test_what_is_no_python_is_refused_with_the_line():
    with pytest.raises(NoNotebook, match=r"lesson9_odd.py is no Python \(line 2: "):
        from_module(b"x = 1\ndef f(:\n", "lesson9_odd", ())


@pytest.mark.parametrize("is_there", [True, False])
def test_the_first_cell_installs_the_kit_only_where_it_is_not_there(monkeypatch, is_there):
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    installed = []
    shell.register_magic_function(installed.append, magic_name="pip")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: is_there or None)
    (setup,) = of(odd(), "setup")
    text = setup.source.replace('".."', '"a folder/kit.zip"')
    assert text.count("from grader import check") == 1
    shell.run_cell(text.replace("from grader import check", "")).raise_error()
    assert installed == ([] if is_there else ['install --quiet "a folder/kit.zip"'])


@pytest.mark.parametrize(
    "lesson",
    [pytest.param(x, marks=pytest.mark.thorough if i > 0 else []) for i, x in enumerate(LESSONS)],
)
def test_stubs_are_to_do_and_solved_they_pass(lesson, tmp_path):
    """One after the other in one kernel, as a student's is one: to start it takes the time."""
    stubs, solved = lesson_book(lesson), lesson_book(lesson, "solutions")
    tiny = nbformat.v4.new_code_cell('check.reference, check.device = "gpt2-tiny", "cpu"')
    cells = [stubs.cells[0], tiny, *stubs.cells[1:], *solved.cells]
    for i, cell in enumerate(cells):
        cell.id = str(i)
    both = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": tmp_path}}
    NotebookClient(both, timeout=300, resources=resources).execute()  # an error is raised here
    names_ = names(lesson)
    for book, outcome in ((stubs, "todo"), (solved, "passed")):
        shown = [shown_by(cell) for cell in of(book, "check")]
        assert len(shown) == len(names_) + 1
        for name, said in zip(names_, shown, strict=False):
            points = sum(c.points for c in load.exercises(lesson)[names_.index(name)].checks)
            got = points if outcome == "passed" else 0
            assert said["text/plain"].startswith(f"{name}: {outcome}, {got}/{points} points\n")
            assert f"{outcome}, {got}/{points} points" in said["text/html"]
        table = shown[-1]["text/plain"]
        assert len(re.findall(rf"^  \w+ +\d+/\d+  {outcome}$", table, re.M)) == len(names_)
        assert ("All of them pass." in table) == (outcome == "passed")

    pictures = [[shown_by(c)["text/plain"] for c in of(b, "show")] for b in (stubs, solved)]
    assert pictures[0] or "pictures." not in source(lesson).decode()
    for of_stub, of_solved in zip(*pictures, strict=True):
        assert len(of_stub.split("\n")) == 1 < len(of_solved.split("\n"))


def shown_by(cell):
    """What a cell shows, by type, and nothing else, no warning either."""
    *others, result = cell.outputs
    assert not others
    return result.data


@pytest.mark.parametrize("folder", ["exercises", "solutions"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_each_exercise_in_a_cell_and_a_check_behind_it(lesson, folder):
    book = lesson_book(lesson, folder)
    nbformat.validate(book)
    assert role(book.cells[0]) == "setup"
    assert book.cells[-1].source == "check.all()"
    for name in names(lesson):
        (at,) = [
            i for i, c in enumerate(book.cells) if re.search(rf"^def {name}\(", c.source, re.M)
        ]
        assert len(ast.parse(book.cells[at].source).body) == 1
        assert book.cells[at + 1].source == f"check({name})"
    titles = [c.source.split("\n")[0] for c in of(book, "prose")]
    assert titles[0].startswith(f"# Lesson {re.search('[0-9]+', lesson)[0]}")
    if folder == "exercises":
        assert "## What you will be able to do" in titles
        assert titles[-1] == "## Key takeaways"


@pytest.mark.parametrize("lesson", LESSONS)
def test_handed_in_it_is_the_lesson_and_nothing_is_remarked_on(lesson, tmp_path):
    data = from_module(source(lesson, "solutions"), lesson, names(lesson)).encode()
    read, remarks = script(data)
    assert remarks == ()
    path = tmp_path / f"{lesson}.py"
    path.write_text(read.text)
    loaded = run.load(path, read.cells)
    assert loaded.failed == []
    assert {*names(lesson)} <= {*vars(loaded.module)}
    assert not {"check", "pictures"} & {*vars(loaded.module)}


def test_what_a_picture_takes_is_not_loaded_and_what_somebody_wrote_beside_it_is_run():
    cell = "model, tokenizer = load(), load_tokenizer()\nEPS = 1\npictures.losses(\n    f\n)\n"
    cells = ["from grader import check", cell, "model = load()"]
    read, remarks = script(notebook(*cells).encode())
    kept = [line for line in read.text.split("\n") if line and not line.startswith("#")]
    assert kept == ["EPS = 1", "model = load()"]
    assert remarks == ()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_platform_that_drops_metadata_costs_the_prose_alone(lesson):
    book = lesson_book(lesson, "solutions")
    for cell in book.cells:
        cell.metadata = {}
    book.metadata = {}
    space = {"__name__": lesson}
    exec(compile(module(book), lesson, "exec"), space)
    assert {*names(lesson)} <= {*space}
    assert not {"check", "pictures", "tokenizer"} & {*space}


def test_a_students_own_function_called_check_is_left_alone():
    def text(*cells):
        return script(notebook(*cells).encode())[0].text

    assert text("def check(x): 1", "check(2)\npictures.f()") == (
        "def check(x): 1\ncheck(2)\npictures.f()\n"
    )
    ours = "from grader import check"
    assert text(ours, "def f():\n    check(1)", "check(f); y = 1", "check(\nf\n)\nz = 1") == (
        f"# {ours}\ndef f():\n    check(1)\ncheck(f); y = 1\n# check(\n# f\n# )\nz = 1\n"
    )
