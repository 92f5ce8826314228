"""A notebook's code cells become one Python source, whose lines stay where they were."""

import ast
import json
from contextlib import suppress

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import handin
from grader.notebooks.script import CODE, REMARKS, NotANotebook, script


def notebook(*cells, **more):
    return handin.notebook(*cells, nbformat=4, nbformat_minor=5, **more).encode()


def text(*cells):
    return script(notebook(*cells))[0].text


def cells(source):
    """What each cell holds, cut as whoever runs them one by one does."""
    lines = source.text.split("\n")
    ends = [*(n - 1 for n in source.cells[1:]), len(lines) - 1][: len(source.cells)]
    return ["\n".join(lines[a - 1 : b]) for a, b in zip(source.cells, ends, strict=True)]


def test_code_cells_come_in_order_with_the_line_each_begins_on():
    data = json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": ["def f():\n", "    return 1"]},
                {"cell_type": "markdown", "source": "# no code\n"},
                {"cell_type": "code", "source": ""},
                {"cell_type": "code", "source": "x = (\n"},
                {"cell_type": "code", "source": "y = 2"},
            ]
        }
    ).encode()
    source, remarks = script(data)
    assert source.text == "def f():\n    return 1\n\nx = (\n\ny = 2\n"
    assert source.cells == (1, 3, 4, 6)
    assert cells(source) == ["def f():\n    return 1", "", "x = (\n", "y = 2"]
    assert remarks == ()


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%matplotlib inline\nx = 1", "# %matplotlib inline\nx = 1"),
        ("!pip install torch\nx = 1", "# !pip install torch\nx = 1"),
        ("pip install torch\nx = 1", "# pip install torch\nx = 1"),
        ("!ls \\\n  -l\nx = 1", "# !ls \\\n#   -l\nx = 1"),
        ("softmax?\n?softmax\ntorch.softmax??", "# softmax?\n# ?softmax\n# torch.softmax??"),
        ("files = !ls\na, b = %time f()", "# files = !ls\na, b = f()"),
        ("if x:\n    %time f()\nelse:\n    y", "if x:\n    f()\nelse:\n    y"),
        ("%run helpers.py\n%run -i ./lib/x", "from helpers import *\nfrom lib.x import *"),
        ("%%bash\necho 'it\nrm x", "# %%bash\n# echo 'it\n# rm x"),
        ("\n%%time\nx = 1", "\n# %%time\nx = 1"),
        ("%%time\n%%capture out\n%cd x\ny = 2", "# %%time\n# %%capture out\n# %cd x\ny = 2"),
        ("%%writefile a.py\ndef f(): 1", "# %%writefile a.py\n# def f(): 1"),
        ("  x = 1\n  if x:\n    y = 2", "x = 1\nif x:\n  y = 2"),
        ("!echo 'it\nx = 1", "# !echo 'it\nx = 1"),
        ("x = 'a'  # don't\n%cd x", "x = 'a'  # don't\n# %cd x"),
        ("x = '\\''\n%cd x", "x = '\\''\n# %cd x"),
        ('x = ""\n%cd x', 'x = ""\n# %cd x'),
        ("x = 'never ends\n%cd x", "x = 'never ends\n# %cd x"),
    ],
)
def test_what_is_no_python_becomes_a_comment_on_its_line(cell, python):
    assert text(cell) == python + "\n"


@pytest.mark.parametrize(
    "cell",
    [
        'x = """\n%matplotlib inline\n!ls\nwhat?\n"""',
        "x = '''it's\n%cd\\''' !\n%cd\n'''",
        "x = (7\n% 5)",
        "x = [\n    7\n    % 5, {\n  0: 1\n% 2}]",
        "x = 7 \\\n% 5",
        "x = 'a\\\n%b'",
        "x = 5  # really?",
        "x %= 3\ny = x != 2",
        'x = r"\\"" """%\n%d"""',
        "x = 1  # (\ny = 2",
    ],
)
def test_python_that_looks_like_a_magic_is_left_alone(cell):
    ast.parse(cell)
    source, remarks = script(notebook(cell))
    assert (source.text, remarks) == (cell + "\n", ())


def test_a_cell_that_does_not_parse_leaves_the_next_one_alone():
    source, remarks = script(notebook("x = '''(((", "%cd x\ndef f(): pass"))
    assert cells(source) == ["x = '''(((", "# %cd x\ndef f(): pass"]
    assert remarks == ("code cell 2: left out '%cd x'.",)


def test_remarks_are_few_short_and_printable():
    _, remarks = script(notebook(*["!" + "\x1b[31m\ud800" * 100] * 50))
    assert len(remarks) == REMARKS + 1
    assert remarks[-1] == "40 more lines left out."
    assert all(len(r) < 800 and r.isprintable() for r in remarks)


@pytest.mark.parametrize("key", ["input", "code"])
def test_old_versions_are_read(key):
    code = {"cell_type": "code", key: ["def f():", "    return 1"]}
    book = {"worksheets": [{"cells": [code]}, {"cells": [code]}]} if key == "input" else None
    source, _ = script(json.dumps(book or {"cells": [code, code]}).encode())
    assert source.text == "def f():\n    return 1\n" * 2
    assert source.cells == (1, 3)


SOURCES = st.lists(st.text("ab (\n"), max_size=4)


@given(SOURCES)
def test_nbformat_writes_what_is_read_here(sources):
    v4, v3 = nbformat.v4, nbformat.v3
    written = [
        v4.writes(v4.new_notebook(cells=[v4.new_code_cell(s) for s in sources])),
        v3.writes_json(
            v3.new_notebook(
                worksheets=[v3.new_worksheet(cells=[v3.new_code_cell(s) for s in sources])]
            )
        ),
    ]
    for data in written:
        assert script(data.encode())[0] == script(notebook(*sources))[0]


ANY = st.text(st.characters(exclude_categories=()))
LINES = st.sampled_from([*"()[]{}'\"#\\%!?=", "'''", "%%", "x", "  ", "\n", "\r\n", "\ufeff", "\f"])


@given(st.lists(ANY | st.lists(LINES).map("".join), max_size=4))
def test_any_cells_keep_their_lines_and_can_be_saved(sources):
    source, _ = script(notebook(*sources))
    assert source.text.encode().decode() == source.text
    assert not set(source.text) & {"\r", "\0"}
    assert not source.text.startswith("\ufeff")
    assert len(source.cells) == len(sources)
    for cell, given_text in zip(cells(source), sources, strict=True):
        there = given_text.replace("\r\n", "\n").replace("\r", "\n")
        assert cell.count("\n") == there.count("\n")


def test_half_a_surrogate_pair_and_a_nul_keep_their_value_in_a_string():
    namespace = {}
    exec(text("x = '\ud800', '\0'"), namespace)
    assert namespace["x"] == ("\ud800", "\0")


def test_a_dropped_line_declares_no_encoding():
    assert "coding: utf-8" in text("!x coding: latin-1")


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "worksheets", "cell_type", "source", "nbformat"]), inner
        )
    ),
)


@given(JSON.map(lambda x: json.dumps(x).encode()) | st.binary())
def test_whatever_it_holds_nothing_else_is_raised(data):
    with suppress(NotANotebook):
        assert isinstance(script(data)[0].text, str)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 1_000_000,
        b'{"cells":' * 100_000,
        b"9" * 10_000,
        b"\xff\xfe{}",
        b'{"cells": {"0": 1}}',
        b'{"nbformat": 3, "worksheets": [[]]}',
        "{'café'}".encode("latin-1"),
    ],
    ids=range(8),
)
def test_what_is_no_notebook_is_named(data):
    with pytest.raises(NotANotebook, match="no notebook"):
        script(data)


def test_too_much_code_is_refused_at_once():
    with pytest.raises(NotANotebook, match="500 kB"):
        script(notebook("(" * CODE))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_notebook_in_another_unicode_encoding_is_read(encoding):
    data = notebook("x = 'é'").decode().encode(encoding)
    assert script(data)[0].text == "x = 'é'\n"
