"""Whatever a stranger's file holds, it is read or refused in one line within limits, and the next
one is read as if nothing had been."""

import io
import os
import random
import struct
import sys
import tarfile
import threading
import time
import zipfile
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import lessons as kit
from grader.intake import fields, reader, reading, submissions
from grader.intake.fields import Fields, Malformed, pack
from grader.intake.reader import Reader
from grader.intake.words import Refused
from handin import notebook, solved, stub

LESSONS = kit.names()
TWO, THREE = LESSONS[1:3]
SOFTMAX = "def softmax(x, dim):\n    return x\n"
PATIENCE = 60  # seconds, where 10 of processor time are the most that one file gets


@pytest.fixture(scope="module")
def process():
    with Reader() as one:
        yield one


def attempt(process, paths):
    """The submission, or the line that refuses it; and another one is read after it."""
    try:
        got = process.read(paths, LESSONS)
    except Refused as problem:
        got = str(problem)
        assert got.isprintable()
        assert len(got) < 700
    return got


def test_what_is_read_apart_is_what_is_read_here(process, tmp_path):
    for name in (f"a/{TWO}.py", f"b/{TWO}.py", f"{THREE}.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cells = [f"!ls\n{solved(THREE)}", "x = 'é\\ud800'"]
        path.write_text(notebook(*cells) if name.endswith("b") else f"{solved(TWO)}# {name}")
    (tmp_path / "a" / "helper.py").write_text("x = 1")
    got = process.read(tmp_path, LESSONS)
    here = submissions.read(tmp_path, LESSONS)
    assert got == here
    assert [source.place for source in got.others[TWO]] == [f"b/{TWO}.py"]
    assert got.remarks


def test_a_class_is_found_apart_as_here(process, tmp_path):
    from grader.intake import classes

    for name in ("ada", "ben_lesson1_tokens.py", f"{THREE}_cleo (1).py", f"{THREE}_cleo.py"):
        (tmp_path / name).mkdir() if name == "ada" else (tmp_path / name).write_text(SOFTMAX)
    (tmp_path / "ada" / f"{THREE}.py").write_text(SOFTMAX)
    assert process.find(tmp_path, LESSONS) == classes.find(tmp_path, LESSONS)
    with pytest.raises(Refused, match="no folder that can be opened"):
        process.find(tmp_path / "nowhere", LESSONS)


# --- What takes too much -------------------------------------------------------------------------


def huge_names(path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for i in range(9_000):
            info = tarfile.TarInfo("-1" * 2040 + f"x{i}.py")
            info.size = 3
            archive.addfile(info, io.BytesIO(b"x=1"))
        data = SOFTMAX.encode()
        info = tarfile.TarInfo(f"{THREE}.py")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))


def many_helpers(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{THREE}.py", f"import h4999\n{SOFTMAX}")
        for i in range(5_000):
            archive.writestr(f"h{i}.py", "x = 1\n")


def large_helpers(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{THREE}.py", SOFTMAX)
        for i in range(20):
            archive.writestr(f"h{i}.py", f"x = '{'y' * 430_000}'\n")


def long_name(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{THREE}.py", SOFTMAX)
        archive.writestr("a" * 300 + ".py", "x = 1\n")
        archive.writestr("a" * 200 + ".py", "x = 1\n")


HOSTILE = {  # what is left of it all the same is read
    "hashes.py": "#" * 490_000 + "\n" + SOFTMAX,
    "blanks.py": " " * 490_000 + "#\n" + SOFTMAX,
    "coding.py": "# coding" * 60_000 + "\n" + SOFTMAX,
    "blanks.ipynb": notebook(SOFTMAX, "x=1\n" + " " * 480_000 + "x"),
    "equals.ipynb": notebook(SOFTMAX, "x" * 480_000 + " ="),
    "questions.ipynb": notebook(SOFTMAX, "x?" * 240_000 + " y"),
    "dashes.ipynb": notebook(SOFTMAX, "# " + "- " * 240_000),
    "quotes.ipynb": notebook(SOFTMAX, "\\'" * 240_000),
    "names.tar": huge_names,
    "many.zip": many_helpers,
    "large.zip": large_helpers,
    "long.zip": long_name,
}
TOO_MUCH = {  # what is said of it
    "nested.py": "x = " + "[" * 200_000,
    "deep.py": "x = " + "-" * 400_000 + "1",
    "lists.ipynb": '{"cells": ' + "[" * 30_000_000,
    "objects.ipynb": '{"metadata": [' + "{}," * 20_000_000 + '{}], "cells": []}',
    "keys.ipynb": '{"cells": [], "metadata": {'
    + ",".join(f'"{i}": 0' for i in range(10**6))
    + "}}",
    "digits.ipynb": '{"cells": [], "metadata": ' + "9" * 5_000_000 + "}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_slow_to_read_is_read_quickly(process, tmp_path, name):
    path = tmp_path / name
    made = HOSTILE[name]
    path.write_text(made) if isinstance(made, str) else made(path)
    began = time.monotonic()
    got = process.read(path, LESSONS)
    assert "def softmax" in got.lessons[THREE].text
    assert time.monotonic() - began < PATIENCE
    sandboxed = sum(map(len, got.helpers.values())) + sum(len(s.text) for s in got.lessons.values())
    assert sandboxed < 5_000_000
    assert all(len(helper) <= 100 for helper in got.helpers)
    assert len(got.helpers) <= 200
    if name == "many.zip":
        assert "h4999" in got.helpers  # which the lesson speaks of
    if name.endswith(".zip"):
        assert any("left out" in remark or "too long" in remark for remark in got.remarks)


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_cannot_be_read_within_the_limits_is_refused_and_the_next_one_is_read(
    process, tmp_path, name
):
    path = tmp_path / name
    path.write_text(TOO_MUCH[name])
    began = time.monotonic()
    got = attempt(process, path)
    assert isinstance(got, str)
    assert time.monotonic() - began < PATIENCE
    path = tmp_path / f"{THREE}.py"
    path.write_text(SOFTMAX)
    assert process.read(path, LESSONS).lessons[THREE].text == SOFTMAX


@pytest.mark.skipif(sys.platform == "win32", reason="the processor's time is not limited there")
def test_a_file_that_takes_for_ever_costs_itself(tmp_path, monkeypatch):
    """As whatever parser would that nobody has thought of."""
    path = tmp_path / f"{THREE}.py"
    path.write_text(SOFTMAX)
    with Reader() as process:
        process.read(path, LESSONS)
        monkeypatch.setattr(reader, "WALL", 0.5)
        assert process._process is not None
        os.kill(process._process.pid, 19)  # SIGSTOP: it says no more
        with pytest.raises(Refused, match="takes more time or memory"):
            process.read(path, LESSONS)
        monkeypatch.setattr(reader, "WALL", PATIENCE)
        assert process.read(path, LESSONS).lessons[THREE].text == SOFTMAX


@pytest.mark.skipif(sys.platform == "win32", reason="the processor's time is not limited there")
def test_its_processor_time_is_limited_by_the_kernel():
    import subprocess

    code = (
        "import re\nfrom grader.intake import reading\n"
        "with reading._timed(0.3):\n    re.match('(x+x+)+y', 'x' * 64)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=kit.KIT, timeout=PATIENCE)
    assert ran.returncode == -27  # SIGPROF


def test_odd_things_in_a_folder_cost_nobody_anything(process, tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / f"{THREE}.py").write_text(SOFTMAX)
    (tmp_path / "ada" / "loop").symlink_to(tmp_path / "ada")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "ada" / "lesson1_tokens.py")
        os.mkfifo(tmp_path / "ben.py")
    deep = tmp_path / "cleo"
    deep.mkdir()
    here = os.getcwd()
    try:  # beyond PATH_MAX
        os.chdir(deep)
        for _ in range(60):
            os.mkdir("x" * 200)
            os.chdir("x" * 200)
        (deep / f"{THREE}.py").write_text(SOFTMAX)
    finally:
        os.chdir(here)
    found = process.find(tmp_path, LESSONS)
    assert [entry.student for entry in found.entries] == ["ada", "ben", "cleo"]
    for entry in found.entries:
        got = attempt(process, entry.paths)
        assert isinstance(got, str) == (entry.student == "ben")


@pytest.mark.usefixtures("ada_is_closed")
def test_a_folder_that_cannot_be_opened_costs_itself(tmp_path):
    """Also beside a file of the same student."""
    from grader.intake import classes

    (tmp_path / "ada").mkdir()
    (tmp_path / "ada.py").write_text(SOFTMAX)
    [entry] = classes.find(tmp_path, LESSONS).entries
    got = submissions.read(entry.paths, LESSONS)
    assert list(got.lessons) == [THREE]


def test_what_has_gone_meanwhile_is_said(process, tmp_path):
    assert "cannot be opened" in attempt(process, tmp_path / f"{THREE}.py")


# --- What it says ---------------------------------------------------------------------------------


@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=20))
def test_fields_come_out_as_they_went_in(texts):
    taken = Fields(pack(texts))
    assert [taken.text() for _ in texts] == texts
    taken.end()


@given(st.binary(max_size=300), st.sampled_from([reader._class, reader._excerpt, None]))
def test_any_bytes_are_an_answer_or_malformed(data, take):
    take = take or (lambda fields: reader._submission(fields, LESSONS))
    for frame in (data, pack(data.decode("latin-1").split("a"))):
        try:
            taken = Fields(frame)
            take(taken)
        except Malformed:
            pass


@given(st.data())
def test_an_answer_that_somebody_changed_is_an_answer_or_malformed(data):
    said = list(
        reading._said_of_submission(
            submissions.Submission(
                {THREE: submissions.Source(SOFTMAX, (1, 2), "a.ipynb")},
                {"helper": "x"}, ("a remark",), "",
            )
        )
    )  # fmt: skip
    at = data.draw(st.integers(0, len(said) - 1))
    said[at] = data.draw(st.one_of(st.text(), st.sampled_from(["0", "1", "-1", "999999999", "٣"])))
    try:
        taken = Fields(pack(said))
        got = reader._submission(taken, LESSONS)
        taken.end()
    except Malformed:
        return
    assert set(got.lessons) <= set(LESSONS)
    assert all(name.isidentifier() for name in got.helpers)


def test_a_frame_that_promises_more_than_it_holds_is_malformed():
    for frame in (
        fields.LENGTH.pack(5) + b"abc",
        b"\0\0",
        fields.LENGTH.pack(0) * (fields.MOST + 1),
        fields.LENGTH.pack(1) + b"\xff",
    ):
        with pytest.raises(Malformed):
            Fields(frame)


# --- Fuzzing --------------------------------------------------------------------------------------

PIECES = (
    "def softmax(x, dim):\n    return x\n", "\\", "\'\'\'", '"""', "(", ")", "%time ", "%%time\n",
    "!ls ", "#", "# coding: ", "utf-8", "\n", " ", "\t", "=", "?", "<<<<<<< a\n", ">>>>>>> b\n",
    "=======\n", "if x:\n", "# %%\n", "# In[1]:\n", "@x\n", "class A:\n", "lambda: ", "-", "[", "{",
    "get_ipython().run_cell_magic('time', '', 'x = 1')\n", "f'{", "\x0c", "\0", "\ufeff", "é",
    "1_000", "nonlocal x\n",
)  # fmt: skip


def sources(draw_from):
    """Texts of some of these pieces, some of them very often."""
    piece = st.tuples(st.sampled_from(draw_from), st.sampled_from([1, 1, 1, 2, 30, 400]))
    return st.lists(piece, max_size=12).map(lambda all_: "".join(x * n for x, n in all_))


def steps(function, *arguments):
    """Lines of Python that a call takes: of what a regex or parser in C does, a generous bound on
    the clock is the measure."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
    return count


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(sources(PIECES), st.booleans())
def test_any_source_is_read_in_time_linear_in_its_size(text, as_cells):
    from grader import statements
    from grader.notebooks import script

    text = text.encode("utf-8", "replace").decode()
    began = time.monotonic()
    if as_cells:
        data = notebook(text, SOFTMAX).encode()
        taken = steps(script.script, data)
        text = script.script(data)[0].text
    else:
        taken = steps(script.repaired, text)
        text, _ = script.repaired(text)
    taken += steps(statements.read, text)
    assert taken < 20_000 + 300 * len(text)
    assert time.monotonic() - began < PATIENCE


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_archive_is_read_or_refused(tmp_path_factory, data):
    """Broken ones, too: what differs from a good one in a few bytes reaches furthest."""
    folder = tmp_path_factory.mktemp("fuzz")
    kind = data.draw(st.sampled_from(["zip", "tar", "tar.gz", "ipynb", "py"]))
    names = data.draw(st.lists(st.sampled_from([
        f"{THREE}.py", f"a/{THREE}.ipynb", "../x.py", "/etc/x.py", "con.py", "a" * 300 + ".py",
        "x/" * 30 + "y.py", "é.py", "lesson1.txt", "__init__.py", "x.zip", " .py", "-1-1(1).py",
    ]), min_size=1, max_size=6, unique=True))  # fmt: skip
    made = io.BytesIO()
    text = data.draw(sources(PIECES)).encode("utf-8", "replace")
    if kind == "zip":
        with zipfile.ZipFile(made, "w") as archive:
            for name in names:
                archive.writestr(name, text)
    elif kind.startswith("tar"):
        with tarfile.open(fileobj=made, mode="w:gz" if kind == "tar.gz" else "w") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text))
    else:
        made.write(notebook(text.decode("utf-8", "replace")).encode() if kind == "ipynb" else text)
    found = bytearray(made.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        if found:
            at = data.draw(st.integers(0, len(found) - 1))
            found[at] = data.draw(st.integers(0, 255))
    path = folder / f"{THREE}.{kind}"
    path.write_bytes(found)
    began = time.monotonic()
    with suppress(Refused):
        submissions.read(path, LESSONS)
    assert time.monotonic() - began < PATIENCE


def test_the_graders_process_is_not_where_it_is_read(process, tmp_path):
    """No thread of this process is held while the other one is busy."""
    path = tmp_path / "objects.ipynb"
    path.write_text(TOO_MUCH["objects.ipynb"])
    ticks = []
    done = threading.Event()

    def tick():
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    attempt(process, path)
    done.set()
    thread.join()
    gaps = [b - a for a, b in pairwise(ticks)]
    assert max(gaps, default=0) < 5


def test_random_bytes_are_refused(process, tmp_path):
    rng = random.Random(0)
    for suffix, magic in {
        "zip": b"PK\3\4", "tar": b"", "tar.gz": b"\x1f\x8b\x08", "tar.bz2": b"BZh9",
        "tar.xz": b"\xfd7zXZ\0", "ipynb": b"{", "py": b"",
    }.items():  # fmt: skip
        path = tmp_path / f"{THREE}.{suffix}"
        path.write_bytes(magic + struct.pack(">64Q", *(rng.getrandbits(64) for _ in range(64))))
        got = attempt(process, path)
        assert isinstance(got, str), suffix
    assert stub(THREE)
