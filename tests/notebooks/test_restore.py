"""Lessons as notebooks: there and back without a loss, readable, and run from end to end."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

import warm
from grader import lessons
from grader import lessons as kit
from grader.inside.server import _run_cells
from grader.lessons import KIT as ROOT
from grader.notebooks import files, prose
from grader.notebooks.make import from_module
from grader.notebooks.marks import NoNotebook
from grader.notebooks.restore import is_edited, to_module
from grader.notebooks.script import script
from grader.verdict import load

LESSONS = lessons.names()


def source(lesson, folder="exercises"):
    return (ROOT / folder / f"{lesson}.py").read_bytes()


def names(lesson):
    return [exercise.name for exercise in load.exercises(lesson)]


def lesson_book(lesson, folder="exercises"):
    return nbformat.reads(from_module(source(lesson, folder), lesson, names(lesson)), 4)


def role(cell):
    return cell.metadata.grader.role


def of(book, role_, **about):
    """The cells of a role."""
    return [cell for cell in book.cells if cell.metadata.get("grader", {}).get("role") == role_]


def cell_of(book, text):
    """The one cell of the lesson that holds this."""
    found = [cell for cell in book.cells if text in cell.source and role(cell) != "check"]
    assert len(found) == 1
    return found[0]


def module(book):
    return to_module(nbformat.writes(book).encode()).decode()


# --- There and back ------------------------------------------------------------------------------

LINES = [
    '"""Title.\n\nProse with $x$.\n\nHeading\n-------\n- one\n  two\n\n    x_i = y_i\n"""',
    'r"""Raw: \\alpha "quoted"\n\nA\n===\n\\beta\n"""',
    "'''Single \\u00e9 and \\\\ \n\nB\n---\nit's\n'''",
    '"""not alone"""; x = 1',
    '"one" "two"',
    '"""',
    "'''it holds \"\"\" of these'''",
    "from __future__ import annotations",
    "import os",
    "import torch  # noqa",
    "from typing import TYPE_CHECKING",
    "if TYPE_CHECKING:\n    import json",
    "x = 1",
    "x = 1; y = 2",
    "x = (\n\n  1\n)",
    "x = '''a\n\n# --- no banner ---\n%magic\n  b''' ; y = 3",
    "def f(x):\n    return x",
    "def f(x):\n\tif x:\n\t\treturn '''\n  odd\n'''\n\treturn 0",
    "def f(): pass; x = 2",
    "@decorated\n@twice(\n    1\n)\ndef g():\n    ...",
    "@\\\ndecorated\nclass C:\n\n    def g(self):\n\n        return 1\n\n    # the end",
    "async def ü(ñ):\n    'é'",
    "class Ω:\n    pass",
    "# a comment",
    "# --- A banner " + "-" * 40,
    "# --- A banner ---",
    "    # indented",
    "\t# indented",
    "\f",
    "\f# after a form feed",
    "\fdef after_a_form_feed(): return '\f'",
    "",
    "   ",
    "x = 1   ",
    "x = 1 \\\n",
    "\\\n",
    'if __name__ == "__main__":\n    from m import p\n\n    # shows\n    p.tokens(1)\n    y = 2\n'
    "    p.bars(y)",
    "if __name__ == '__main__': f()",
    "if __name__ == '__main__':\n    x = '''a\n    b'''\n    if x:\n        f()\n  \n    # end",
    "if __name__ == '__main__':\n\tf(1)\n\n\tg('é')\nelse:\n\tpass",
    "check(f)",
    "from grader import check, pictures",
    "pictures.tokens('a')",
    "KIT = '..'",
    "from importlib.util import find_spec",
    "In [1]",
    "f'{x!r} {\"a\"}'",
    "'\u2028\x1c\x85'",
    "# \u2028 \x0b \x1c",
    "x = 2 if y else 3,",
]
NEWLINES = st.sampled_from(["\n", "\n", "\n", "\n\n", "\n\n\n", "\n \n"])


@st.composite
def sources(draw):
    """Python that nobody would write on purpose."""
    text = draw(st.sampled_from(["", "", "#!/usr/bin/env python\n", "\n", "\f\n"]))
    for line in draw(st.lists(st.sampled_from(LINES), max_size=9)):
        text += line + draw(NEWLINES)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "mixed"]))
    text = text.replace("\n", "\r\n", 1) if newline == "mixed" else text.replace("\n", newline)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "latin-1"]))
    if encoding == "latin-1":
        text = f"# -*- coding: latin-1 -*-\n{text}"
    try:
        data = text.encode(encoding)
        ast.parse(data)
    except (SyntaxError, ValueError):
        assume(False)
    return data


@given(sources(), st.sets(st.sampled_from(["f", "g", "ü", "C"])))
def test_any_source_comes_back_byte_for_byte_and_as_the_same_notebook(data, exercises):
    made = from_module(data, "lesson9_odd", exercises)
    assert to_module(made.encode()) == data
    assert from_module(to_module(made.encode()), "lesson9_odd", exercises) == made
    assert not is_edited(made.encode())
    book = nbformat.reads(made, 4)
    nbformat.validate(book)
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    checked = [cell.source for cell in of(book, "check")]
    assert checked.count("check.all()") == 1
    assert {f"check({name})" for name in exercises} >= {*checked[:-1]}


@given(sources())
def test_the_code_cells_are_the_modules_statements(data):
    book = nbformat.reads(from_module(data, "lesson9_odd", ()), 4)
    cells = [statement for cell in of(book, "code") for statement in ast.parse(cell.source).body]
    shown = [statement for cell in of(book, "show") for statement in ast.parse(cell.source).body]
    body = ast.parse(data).body
    if of(book, "prose"):
        body = body[1:]
    if of(book, "show"):
        assert ast.dump(ast.Module(shown, [])) == ast.dump(ast.Module(body.pop().body, []))
    assert ast.dump(ast.Module(cells, [])) == ast.dump(ast.Module(body, []))


def test_the_kits_own_files_come_back():
    for path in sorted(ROOT.glob("*/*.py")):
        assert (
            to_module(from_module(path.read_bytes(), path.stem, ()).encode()) == path.read_bytes()
        )


ODD = '''\
"""Lesson 9: odd.

Text.

Heading
-------
More text about x_i.
"""

import os

# --- One ---------------------------------------------------------------------------------------


# About f.
def f():
    raise NotImplementedError


def g():
    raise NotImplementedError

    # to be done


if __name__ == "__main__":
    from grader import pictures

    pictures.tokens("a")

    # And the bars.
    pictures.bars(
        f,
    )
'''


def odd():
    return nbformat.reads(from_module(ODD.encode(), "lesson9_odd", ("f", "g")), 4)


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


# --- What a student does to it -------------------------------------------------------------------


def test_edited_cells_come_through():
    book = odd()
    cell_of(book, "def f").source = "def f():\n    return 1"
    cell_of(book, "def g").source = "%%time\ndef g():\n    %timeit f()\n    return 2\ncheck(g)\n!ls"
    cell_of(book, "pictures.bars").source = "pictures.bars(g)\n%cd .."
    assert is_edited(nbformat.writes(book).encode())
    assert module(book) == ODD.replace(
        "# About f.\ndef f():\n    raise NotImplementedError", "def f():\n    return 1"
    ).replace(
        "def g():\n    raise NotImplementedError\n\n    # to be done",
        "def g():\n    pass  # %timeit f()\n    return 2",
    ).replace("    # And the bars.\n    pictures.bars(\n        f,\n    )", "    pictures.bars(g)")


def test_added_cells_come_through_and_deleted_ones_do_not():
    book = odd()
    at = book.cells.index(cell_of(book, "def g"))
    added = ["def helper():\n    return 3", "%matplotlib inline", "check(f)", "", "check.all()"]
    book.cells[at : at + 1] = [
        *map(nbformat.v4.new_code_cell, added),
        nbformat.v4.new_markdown_cell("My notes."),
    ]
    book.cells.append(nbformat.v4.new_code_cell("LAST = 4"))
    assert module(book) == ODD.replace(
        "def g():\n    raise NotImplementedError\n\n    # to be done\n",
        "def helper():\n    return 3\n\n\nLAST = 4\n",
    )


@pytest.mark.parametrize(
    "added",
    [
        'check.reference = "gpt2-tiny"',
        "r = check(perplexity)",
        "check(softmax); check(perplexity)",
        "help(check)",
        "for f in [softmax]:\n    display(check(f))",
        "logits = model('hello')",
        "softmax(torch.ones(2), 0)",
        "print(text)",
        "def broken(:",
    ],
)
def test_what_only_looks_does_not_come_through(added):
    """A module that does it fails when it is imported, or does it each time."""
    book = lesson_book("lesson3_logits")
    book.cells.append(nbformat.v4.new_code_cell(added))
    book.cells.insert(-1, nbformat.v4.new_code_cell(f"def mine():\n    return 1\n\n{added}"))
    made = module(book)
    ast.parse(made)
    assert added not in made
    assert ("def mine" in made) == (added != "def broken(:")


def test_code_written_into_the_cells_of_a_notebook_alone_comes_through():
    book = odd()
    setup, check, *_ = of(book, "setup") + of(book, "check")
    setup.source = setup.source.replace('".."', '"https://example.org/kit.zip"') + "\nimport re"
    check.source = "y = f()\ncheck(f)\ncheck(\n    f,\n)\n"
    assert module(book) == ODD.replace('x_i.\n"""\n', 'x_i.\n"""\n\n\nimport re\n').replace(
        "Error\n\n\ndef g", "Error\n\n\ny = f()\n\n\ndef g"
    )


def test_edited_prose_is_kept_as_markdown():
    book = odd()
    cell_of(book, "## Heading").source = '## Other\n\nAbout $\\alpha$ and """ and `x`.'
    cell_of(book, "## One").source = "## Two\nwith words"
    there = module(book)
    doc = ast.get_docstring(ast.parse(there))
    assert doc == 'Lesson 9: odd.\n\nText.\n\n## Other\n\nAbout $\\alpha$ and """ and `x`.'
    assert f"# --- Two {'-' * 89}\n# with words\n" in there
    again = nbformat.reads(from_module(there.encode(), "lesson9_odd", ("f", "g")), 4)
    assert [c.source for c in of(again, "prose")] == ["# " + doc.replace("odd.", "odd")]


@pytest.mark.parametrize(
    ("which", "key", "said"),
    [
        ("prose", "raw", '"""\nimport evil\n"""'),
        ("prose", "raw", "Another text than is shown."),
        ("code", "before", "import evil\n"),
        ("code", "after", "\nimport evil\n"),
        ("banner", "raw", "import evil"),
        ("book", "opens", 'import evil\nf"""'),
        ("book", "closes", '"""\nimport evil'),
        ("main", "head", "import evil\nif __name__ == '__main__':\n"),
        ("main", "head", "if __import__('evil') or 1:\n"),
        ("main", "before", "import evil\n"),
        ("main", "indent", " " * 100_000),
    ],
)
def test_metadata_add_nothing_to_what_is_shown(which, key, said):
    book = lesson_book("lesson3_logits", "solutions")
    if which in ("book", "main"):
        about = book.metadata["grader"].setdefault("docstring" if which == "book" else "main", {})
    else:
        book_ = lesson_book("lesson3_logits")
        book = book_ if which in ("prose", "banner") else book
        about = next(c for c in book.cells if role(c) == which).metadata["grader"]
    about[key] = said
    made = to_module(nbformat.writes(book).encode()).decode()
    ast.parse(made)
    assert "evil" not in made
    assert "Another text" not in made
    assert len(made) < 40_000


@pytest.mark.parametrize("encoding", ["\0", "punycode", "utf-16", "rot13", "zlib"])
def test_a_module_is_written_in_an_encoding_that_python_reads(encoding):
    book = lesson_book("lesson3_logits")
    book.metadata["grader"]["encoding"] = encoding
    assert to_module(nbformat.writes(book).encode()).decode() == source("lesson3_logits").decode()


def test_code_in_a_cell_that_says_it_only_checks_is_kept():
    book = lesson_book("lesson3_logits")
    cell = next(c for c in book.cells if role(c) == "code")
    cell.metadata["grader"]["role"] = "check"
    assert cell.source in to_module(nbformat.writes(book).encode()).decode()


def test_any_part_of_the_prose_may_be_deleted():
    for text in ("# Lesson 9", "## Heading", "import os", "## One"):
        book = odd()
        book.cells.remove(cell_of(book, text))
        ast.parse(module(book))
        assert text.lstrip("# ") not in module(book)


def test_cells_that_were_split_joined_or_turned_into_code_come_through():
    book = odd()
    f, g, one = (cell_of(book, text) for text in ("def f", "def g", "## One"))
    f.source, rest = "# About f.", "def f():\n    return 1"
    book.cells.insert(
        book.cells.index(f) + 1, nbformat.from_dict({**f, "source": rest, "id": "new"})
    )
    book.cells.remove(cell_of(book, "import os"))
    g.source = f"import os\n\n{g.source}\n\ncheck(g)"
    one.update(cell_type="code", source="ONE = 1", outputs=[], execution_count=None)
    there = module(book)
    body = [ast.unparse(node).split("\n")[0] for node in ast.parse(there).body[1:]]
    assert body == ["ONE = 1", "def f():", "import os", "def g():", "if __name__ == '__main__':"]
    assert "# About f." in there
    assert "check" not in there


def test_a_notebook_that_is_not_ours_gives_its_code():
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(s) for s in ("%cd x", "x = 1")]
    )
    assert module(book) == "# %cd x\nx = 1\n"


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role"]), inner),
)
ROLES = st.sampled_from(["setup", "check", "show", "code", "prose", "banner"])


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "cell_type": st.sampled_from(["code", "markdown"]) | JSON,
                "source": st.text("x\n\r\0\ud800(%'\"") | JSON,
                "metadata": st.fixed_dictionaries(
                    {"grader": st.fixed_dictionaries({"role": ROLES | JSON, "raw": JSON}) | JSON}
                )
                | JSON,
            }
        )
        | JSON
    ),
    st.fixed_dictionaries(
        {
            "encoding": st.sampled_from(["hex", "utf-8", "ascii"]) | JSON,
            "docstring": JSON,
            "main": JSON,
        }
    ),
)
def test_whatever_became_of_the_notebook_it_gives_a_text(cells, ours):
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"grader": ours}, "cells": cells}
    to_module(json.dumps(book).encode()).decode()


# --- Files ---------------------------------------------------------------------------------------


def grader(*arguments):
    """(exit code, standard output, standard error)"""
    done = warm.command(*arguments)
    return done.returncode, done.stdout, done.stderr


def test_the_command_makes_a_notebook_a_lesson_and_a_lesson_of_a_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = [f"notebooks/{lesson}.ipynb" for lesson in LESSONS]
    assert grader("notebook") == (0, "".join(f"{file}\n" for file in made), "")
    assert sorted(map(str, Path().rglob("*.*"))) == made  # nothing else is left lying about
    for lesson, file in zip(LESSONS, made, strict=True):
        assert grader("notebook", "--extract", file) == (0, source(lesson).decode(), "")
    assert grader("notebook", "--extract", made[0], "--to", "one.py") == (0, "", "")
    assert Path("one.py").read_bytes() == source(LESSONS[0])


def test_solved_ones_go_where_they_replace_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = "notebooks/solved/lesson3_logits.ipynb"
    assert grader("notebook", "--solutions", "--lesson", "3", "--kit", "https://x") == (
        0,
        f"{file}\n",
        "",
    )
    assert to_module(Path(file).read_bytes()) == source("lesson3_logits", "solutions")
    assert 'KIT = "https://x"' in nbformat.read(file, 4).cells[0].source


def write(folder, **more):
    return files.write({"lesson3_logits": ["softmax"]}, ROOT / "exercises", folder, **more)


def test_the_same_lesson_gives_the_same_bytes_and_leaves_the_file_alone(tmp_path):
    (path,) = write(tmp_path)
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    write(tmp_path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)


@pytest.mark.parametrize("made", ["edited", "another kit's", "no notebook"])
def test_what_somebody_has_written_is_replaced_only_when_told_to(tmp_path, made):
    (path,) = write(tmp_path)
    fresh = path.read_text()
    if made == "edited":
        path.write_text(fresh.replace("raise NotImplementedError", "return x"))
    else:
        path.write_text('{"cells": []}' if made == "another kit's" else "x")
    theirs = path.read_text()
    with pytest.raises(NoNotebook, match=r"lesson3_logits.ipynb: edited since .* --force"):
        write(tmp_path)
    assert path.read_text() == theirs
    write(tmp_path, force=True)
    assert path.read_text() == fresh


def test_one_that_was_only_run_or_is_of_an_older_lesson_is_replaced(tmp_path):
    (path,) = write(tmp_path)
    book = nbformat.read(path, 4)
    book.cells[-1].outputs = [nbformat.v4.new_output("stream", text="0 of 10")]
    nbformat.write(book, path)
    write(tmp_path, kit="https://x")
    assert b"https://x" in path.read_bytes()
    assert b"0 of 10" not in path.read_bytes()


def test_a_lesson_is_not_replaced_by_another_one_unless_told_to(tmp_path):
    (path,) = write(tmp_path)
    there = tmp_path / "lesson.py"
    there.write_text("mine")
    with pytest.raises(NoNotebook, match=r"lesson.py is there already.* --force"):
        files.extract(path, there)
    assert there.read_text() == "mine"
    files.extract(path, there, force=True)
    files.extract(path, there)  # the same
    assert there.read_bytes() == source("lesson3_logits")


def test_what_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(NoNotebook, match=r"nowhere.ipynb cannot be read \(No such file"):
        files.extract(tmp_path / "nowhere.ipynb")
    (tmp_path / "x.ipynb").write_text("x")
    with pytest.raises(NoNotebook, match=r"x.ipynb: no notebook"):
        files.extract(tmp_path / "x.ipynb")
    monkeypatch.setattr(kit, "KIT", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoNotebook, match="There is no solutions/ in this kit"):
        files.lessons_folder("solutions")


# --- Running it ----------------------------------------------------------------------------------


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
    [pytest.param(x, marks=pytest.mark.thorough if i > 1 else []) for i, x in enumerate(LESSONS)],
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


# --- The lessons ---------------------------------------------------------------------------------


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


def test_prose_becomes_markdown_with_its_mathematics():
    text = """\
Softmax
-------
By W_E and $t W_pos$, not `W_E`, in (`a_b`), d_vocab_out or x_(n-1):

    softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    p(x_1), ..., p(x_n | x_1 ... x_(n-1))

    from a import b

    [ <- v -> ]

- a list

      of two

1. one
"""
    assert (
        prose.markdown(text)
        == r"""## Softmax

By $W_{E}$ and $t W_{\text{pos}}$, not `W_E`, in (`a_b`), $d_{\text{vocab\_out}}$ or $x_{n-1}$:

$$
\operatorname{softmax}(x)_{i} = \frac{\exp(x_{i})}{\sum_{j} \exp(x_{j})}
$$

$$
p(x_{1}), \dots, p(x_{n} \mid x_{1} \dots x_{n-1})
$$

```python
from a import b
```

```text
[ <- v -> ]
```

- a list

      of two

1. one"""
    )


@pytest.mark.parametrize("lesson", LESSONS[:4])
def test_the_lessons_formulas_are_mathematics(lesson):
    text = "\n".join(cell.source for cell in of(lesson_book(lesson), "prose"))
    outside = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$", "", text, flags=re.DOTALL)
    assert not re.findall(r"\b[A-Za-z]_\w|[$\\]|sum_|\[:", outside)
    assert text.count("$$") == {"lesson3_logits": 6}.get(lesson, 0)


# --- Handing it in -------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS)
def test_handed_in_it_is_the_lesson_and_nothing_is_remarked_on(lesson):
    data = from_module(source(lesson, "solutions"), lesson, names(lesson)).encode()
    read, remarks = script(data)
    assert remarks == ()
    run = ModuleType(lesson)
    assert _run_cells(run, Path(f"{lesson}.ipynb"), read.text, [*read.cells]) == []
    assert {*names(lesson)} <= {*vars(run)}
    assert not {"check", "pictures"} & {*vars(run)}


def test_what_a_picture_takes_is_not_loaded_and_what_somebody_wrote_beside_it_is_run():
    cell = "model, tokenizer = load(), load_tokenizer()\nEPS = 1\npictures.losses(\n    f\n)\n"
    cells = ["from grader import check", cell, "model = load()"]
    read, remarks = script(
        json.dumps({"cells": [{"cell_type": "code", "source": c} for c in cells]}).encode()
    )
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
        cells = [{"cell_type": "code", "source": cell} for cell in cells]
        return script(json.dumps({"cells": cells}).encode())[0].text

    assert text("def check(x): 1", "check(2)\npictures.f()") == (
        "def check(x): 1\ncheck(2)\npictures.f()\n"
    )
    ours = "from grader import check"
    assert text(ours, "def f():\n    check(1)", "check(f); y = 1", "check(\nf\n)\nz = 1") == (
        f"# {ours}\ndef f():\n    check(1)\ncheck(f); y = 1\n# check(\n# f\n# )\nz = 1\n"
    )
