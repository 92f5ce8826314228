"""Lessons as notebooks: there and back without a loss, readable, and run from end to end."""

import ast
import json

import nbformat
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.lessons import KIT as ROOT
from grader.notebooks.make import from_module
from grader.notebooks.restore import is_edited, to_module
from lesson_notebooks import ODD, cell_of, lesson_book, module, odd, of, role, source

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
