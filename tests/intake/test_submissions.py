"""What one student hands in is read, or refused in one clear line; nothing it holds does harm."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader import lessons as kit
from grader.intake import submissions
from grader.intake.submissions import Source, read
from grader.intake.words import Refused, clean
from grader.lessons import KIT as ROOT
from grader.verdict import load
from handin import notebook

LESSONS = kit.names()
ONE, TWO, THREE, FOUR = LESSONS[:4]
SOFTMAX = "def softmax(x, dim):\n    return x\n"


def put(folder, **files):
    """Files by name; `__` stands for a slash, and a .py suffix is added."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def zipped(path, members):
    """A zip of names or ZipInfos with their contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in dict(members).items():
            archive.writestr(name, data)
    return path


def tarred(path, members, mode="w"):
    """A tar of names or TarInfos with their contents."""
    with tarfile.open(path, mode) as archive:
        for name, data in dict(members).items():
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(data) or info.size
            archive.addfile(info, io.BytesIO(data))
    return path


def attempt(paths):
    """The submission, or the line that refuses it."""
    try:
        return read(paths, LESSONS)
    except Refused as problem:
        line = str(problem)
    assert line.isprintable()
    assert len(line) < 700
    return line


def refusal(paths):
    line = attempt(paths)
    assert isinstance(line, str)
    return line


# --- What is read --------------------------------------------------------------------------------


def test_a_file_is_its_lesson(tmp_path):
    (tmp_path / f"{THREE}.py").write_text("x = 1\n")
    got = read(tmp_path / f"{THREE}.py", LESSONS)
    assert got.lessons == {THREE: Source("x = 1\n")}
    assert (got.helpers, got.remarks) == ({}, ())


def test_a_folder_is_its_lessons_in_order_and_what_lies_beside_them(tmp_path):
    put(tmp_path, **{f"sub__{FOUR}": "4", f"sub__{ONE}": "1", "sub__help": "h", "else__other": "o"})
    (tmp_path / "notes.txt").write_text("no")
    got = read(tmp_path, LESSONS)
    assert list(got.lessons.items()) == [(ONE, Source("1")), (FOUR, Source("4"))]
    assert (got.helpers, got.remarks) == ({"help": "h"}, ())


def test_a_notebook_is_the_lessons_whose_exercises_it_defines(tmp_path):
    path = tmp_path / "Homework.ipynb"
    path.write_text(notebook("!ls", SOFTMAX, "def generate_batch(): pass"))
    got = read(path, LESSONS)
    assert list(got.lessons) == [THREE, FOUR]
    assert got.lessons[THREE] is got.lessons[FOUR]
    assert got.lessons[THREE].cells == (1, 2, 5)
    assert "left out '!ls'" in got.remarks[0]
    assert f"Homework.ipynb was taken for {THREE}, by the functions in it." in got.remarks


def test_of_files_that_define_some_of_a_lesson_the_one_with_most_is_graded_first(tmp_path):
    (tmp_path / "a.ipynb").write_text(notebook(SOFTMAX))
    (tmp_path / "b.ipynb").write_text(notebook(SOFTMAX, "def entropy(x): pass"))
    got = read(tmp_path, LESSONS)
    assert "entropy" in got.lessons[THREE].text
    assert [source.place for source in got.others[THREE]] == ["a.ipynb"]


def test_a_file_named_after_one_lesson_may_hold_another_but_helpers_do_not_make_one(tmp_path):
    path = tmp_path / "lesson3 and 4.ipynb"
    path.write_text(notebook(SOFTMAX, *(f"def {e.name}(): pass" for e in load.exercises(FOUR))))
    assert list(read(path, LESSONS).lessons) == [THREE, FOUR]
    path.write_text(notebook(SOFTMAX, "def next_token(): pass"))
    assert list(read(path, LESSONS).lessons) == [THREE]


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
def test_a_lesson_under_another_ones_name_is_known_by_its_functions_and_that_is_said(
    tmp_path, suffix
):
    path = tmp_path / f"{FOUR}.{suffix}"
    path.write_text(notebook(SOFTMAX) if suffix == "ipynb" else SOFTMAX)
    got = read(path, LESSONS)
    assert list(got.lessons) == [THREE]
    assert f"{FOUR}.{suffix} was taken for {THREE}, by the functions in it." in got.remarks


def test_a_refusal_says_what_was_wrong_and_that_no_lesson_was_found(tmp_path):
    path = tmp_path / "hw.ipynb"
    path.write_text(notebook("%cd x", "x = 1"))
    assert refusal(path).endswith(
        f"No lesson found. Name each file after its lesson, as in {ONE}.py."
    )


@pytest.mark.parametrize("lesson", LESSONS)
def test_exercises_are_known_without_importing_them(lesson):
    assert list(kit.exercise_names(lesson)) == [e.name for e in load.exercises(lesson)]


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz", "zip"])
def test_archives_are_read_whatever_they_are_called(tmp_path, suffix):
    kind = {"tgz": "gz", "tar": "", "zip": ""}.get(suffix, suffix.rpartition(".")[2])
    path = tarred(tmp_path / f"hw.{suffix}", {f"hw/{ONE}.py": b"x = 1\n"}, f"w:{kind}")
    assert read(path, LESSONS).lessons == {ONE: Source("x = 1\n")}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_a_tar_are_read(tmp_path, form):
    folder = "Übung " + "x" * 90 if form == tarfile.USTAR_FORMAT else "Übung " + "x" * 200
    path = tmp_path / "hw.tar"
    with tarfile.open(path, "w", format=form) as archive:
        for name, data in ((f"{folder}/{ONE}.py", b"1"), (f"{folder}/help.py", b"h")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    got = read(path, LESSONS)
    assert (got.lessons, got.helpers, got.remarks) == ({ONE: Source("1")}, {"help": "h"}, ())


def test_several_files_are_one_submission(tmp_path):
    put(tmp_path, **{f"ada_{ONE}": "1", f"ada_{THREE}": "3"})
    zipped(tmp_path / "more.zip", {f"{TWO}.py": "2"})
    got = read(list(tmp_path.iterdir()), LESSONS)
    assert list(got.lessons) == [ONE, TWO, THREE]


def test_what_platforms_put_before_a_name_is_no_part_of_it(tmp_path):
    before = ("ada_LATE_12_34_", "Ada B_5_assignsubmission_file_", "anon_x1_34_")
    for prefix in before:
        folder = tmp_path / prefix
        put(folder, **{f"{prefix}{THREE}-1": "3", f"{prefix}helpers": "h"})
        got = read(list(folder.iterdir()), LESSONS)
        assert (got.lessons, got.helpers) == ({THREE: Source("3")}, {"helpers": "h"}), prefix


@pytest.mark.parametrize(
    "name", ["lesson3_logits", "Lesson 3", "lesson03-Logits (2)", "my_lesson3", "LESSON3 - Copy"]
)
def test_a_lesson_is_found_by_its_name_or_number(tmp_path, name):
    assert list(read(put(tmp_path, **{name: "x"}), LESSONS).lessons) == [THREE]


@pytest.mark.parametrize("name", ["lesson3_a_plot", "lesson3_plots"])
def test_the_exact_name_counts_before_a_like_one_which_stays_a_helper(tmp_path, name):
    for text in (f"import {name}", f"import {name}\n{SOFTMAX}"):
        got = read(put(tmp_path, **{THREE: text, name: "p"}), LESSONS)
        assert got.lessons == {THREE: Source(text)}
        assert got.helpers == {name: "p"}
        assert got.remarks == ()


def test_of_two_different_files_for_one_lesson_both_are_graded_and_two_equal_ones_are_one(tmp_path):
    put(tmp_path, **{f"a__{THREE}": SOFTMAX, f"b__{THREE}": SOFTMAX})
    assert read(tmp_path, LESSONS).others == {}
    put(tmp_path, **{f"b__{THREE}": f"{SOFTMAX}# mine"})
    got = read(tmp_path, LESSONS)
    assert [got.lessons[THREE].place, *(s.place for s in got.others[THREE])] == [
        f"a/{THREE}.py", f"b/{THREE}.py",
    ]  # fmt: skip
    stub = (ROOT / "exercises" / f"{THREE}.py").read_text()
    put(tmp_path, **{f"a__{THREE}": f"# to do\n{stub}", f"exercises__{THREE}": stub})
    got = read(tmp_path, LESSONS)
    assert got.remarks == ()
    assert (got.lessons[THREE].place, got.others) == (f"b/{THREE}.py", {})


def test_of_the_whole_kit_only_the_exercises_are_read():
    archive = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kit.zip")
        with zipfile.ZipFile(archive, "w") as packed:
            for part in ("exercises", "solutions", "grader", "tests"):
                for file in (ROOT / part).rglob("*.py"):
                    packed.write(file, Path("kit", file.relative_to(ROOT)))
        path.write_bytes(archive.getvalue())
        got = read(path, LESSONS)
    assert list(got.lessons) == LESSONS
    for lesson, source in got.lessons.items():
        assert source.text == (ROOT / "exercises" / f"{lesson}.py").read_text("utf-8")
    assert got.helpers == {}
    assert len(got.remarks) == 1
    assert "only exercises/ was read" in got.remarks[0]


def test_a_helper_may_not_stand_for_a_library(tmp_path):
    got = read(put(tmp_path, **{ONE: "1", "torch": "t", "random": "r", "ok": "o"}), LESSONS)
    assert got.helpers == {"ok": "o"}
    assert len(got.remarks) == 2


def test_hidden_and_foreign_folders_are_not_read(tmp_path):
    names = [f".ipynb_checkpoints__{ONE}", f"venv__x__{ONE}", f"__MACOSX/x/._{ONE}", f"ok__{TWO}"]
    assert list(read(put(tmp_path, **dict.fromkeys(names, "x")), LESSONS).lessons) == [TWO]


# --- Packing does not matter ---------------------------------------------------------------------

NAMES = st.sampled_from([f"{ONE}.py", f"a/{THREE}.py", "a/help.py", "b/other.py", "x.ipynb"])
TEXTS = st.binary(max_size=30) | st.text(max_size=30).map(str.encode)


@example({f"{ONE}.py": b"PK\3\4"}, random.Random(0))
@given(st.dictionaries(NAMES, TEXTS), st.randoms())
def test_packed_or_not_and_in_any_order_it_is_the_same(files, order):
    shuffled = list(files.items())
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "hw")
        folder.mkdir()
        for file, data in files.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(data)
        results = []
        for path in (
            folder,
            zipped(Path(name, "hw.zip"), shuffled),
            tarred(Path(name, "hw.tar"), shuffled),
            tarred(Path(name, "deep.tar.gz"), {f"x/{k}": v for k, v in shuffled}, "w:gz"),
        ):
            got = attempt(path)
            results.append(
                None if isinstance(got, str) else (got.digest, got.lessons, len(got.remarks))
            )
    assert results.count(results[0]) == len(results)


def test_the_digest_tells_any_two_submissions_apart(tmp_path):
    digests = set()
    for i, files in enumerate(
        [{ONE: "a"}, {TWO: "a"}, {ONE: "a", "h": "b"}, {ONE: "ab"}, {ONE: "a", "hb": "b"}]
    ):
        digests.add(read(put(tmp_path / str(i), **files), LESSONS).digest)
    for i, cells in enumerate([["a", "b"], ["a\nb"], ["a\n", "b"]]):
        path = tmp_path / str(i) / f"{ONE}.ipynb"
        path.write_text(notebook(*cells))
        digests.add(read(path, LESSONS).digest)
    assert len(digests) == 8


# --- Text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbf" * 2 + b"x = 1\r\ny = 2\r", "x = 1\ny = 2\n"),
        ("# coding: latin-1\nx = 'é'".encode("latin-1"), "# coding: utf-8\nx = 'é'"),
        (b"#!python\n# -*- coding=cp1252 -*-", "#!python\n# -*- coding=utf-8 -*-"),
        ("x = 'é'".encode(), "x = 'é'"),
        (b"a\x0cb\x0b\xe2\x80\xa8c", "a\x0cb\x0b\u2028c"),
    ],
)
def test_source_is_text_with_plain_line_ends_that_declares_utf8(tmp_path, data, text):
    path = tmp_path / f"{ONE}.py"
    path.write_bytes(data)
    assert read(path, LESSONS).lessons[ONE].text == text


@pytest.mark.parametrize(
    ("data", "text", "says"),
    [
        ("x = 'é'".encode("utf-16"), "x = 'é'", "UTF-16, which Python does not read"),
        ("x = 'é'".encode("utf-32"), "x = 'é'", "UTF-32, which Python does not read"),
        (b"x = '\xe9'", "x = 'é'", "and read as Latin-1"),
        (b"# coding: nonsense\nx = 1", "# coding: utf-8\nx = 1", "and read as UTF-8"),
        (b"\xef\xbb\xbf# coding: latin-1\n1", "# coding: utf-8\n1", "and read as UTF-8"),
    ],
)
def test_what_is_declared_wrongly_is_read_as_it_may_be_meant(tmp_path, data, text, says):
    path = tmp_path / f"{ONE}.py"
    path.write_bytes(data)
    got = read(path, LESSONS)
    assert got.lessons[ONE].text == text
    assert says in got.remarks[0]
    assert got.remarks[0].endswith("Save it as UTF-8.")


def test_a_zip_that_is_named_otherwise_is_read(tmp_path):
    path = zipped(tmp_path / f"{THREE}.ipynb", {f"{THREE}.py": SOFTMAX})
    assert read(path, LESSONS).lessons[THREE].text == SOFTMAX


def test_what_is_not_read_is_named_where_there_is_nothing_else(tmp_path):
    (tmp_path / "answers.md").write_text(SOFTMAX)
    assert refusal(tmp_path).startswith("answers.md: not read. Hand in a .py or .ipynb file")


def test_a_lesson_can_be_imported_by_the_name_of_its_file(tmp_path):
    put(tmp_path, hw3=SOFTMAX, hw4="from hw3 import softmax\ndef next_token(): pass\n")
    got = read(tmp_path, LESSONS)
    assert list(got.lessons) == [THREE, FOUR]
    assert got.helpers["hw3"] == SOFTMAX


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        ("x = 1".encode("utf-16-le"), "NUL"),
        (b"x = 1\0", "NUL"),
        (b"# coding: utf-7\n+AGE-", "declared as utf-7"),
        (b"# coding: rot13\n", "declared as rot13"),
        (b"# coding: idna\n", "declared as idna"),
        (b"x" * 500_001, "larger than 0.5 MB"),
    ],
)
def test_what_python_does_not_read_is_refused_by_name(tmp_path, data, says):
    path = tmp_path / f"{ONE}.py"
    path.write_bytes(data)
    line = refusal(path)
    assert line.startswith(f"{ONE}.py: ")
    assert says in line


@pytest.mark.parametrize(
    "name", [f"{ONE}.py", "a.ipynb", "a.zip", "a.tar", "a.tar.gz", "a.rar", "a"]
)
@given(
    st.binary()
    | st.builds(
        bytes.__add__,
        st.sampled_from([b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"{"]),
        st.binary(),
    )
)
def test_whatever_a_file_holds_nothing_but_refused_is_raised(name, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        got = attempt(path)
        assert isinstance(got, str) or all(s.text.encode() for s in got.lessons.values())


def archives():
    members = {f"{ONE}.py": b"x = 1\n" * 20, "b/help.py": b"y" * 50}
    with tempfile.TemporaryDirectory() as name:
        yield ".zip", zipped(Path(name, "a"), members).read_bytes()
        for kind in ("", "gz", "bz2", "xz"):
            yield (
                f".tar.{kind}".rstrip("."),
                tarred(Path(name, "a"), members, f"w:{kind}").read_bytes(),
            )


@pytest.mark.parametrize(
    ("suffix", "data"), list(archives()), ids=lambda x: x if isinstance(x, str) else "data"
)
def test_a_damaged_archive_is_read_or_refused(tmp_path, suffix, data):
    draw = random.Random(0)
    path = tmp_path / f"a{suffix}"
    for _ in range(150):
        damaged = bytearray(data[: draw.choice([len(data), draw.randrange(len(data))])])
        for _ in range(draw.randrange(4)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256) if damaged else 0
            if not damaged:
                break
        path.write_bytes(damaged)
        attempt(path)


# --- Hostile names and kinds ---------------------------------------------------------------------

OUTSIDE = [f"../{ONE}.py", f"/{ONE}.py", f"a/../../{ONE}.py", f"C:\\x\\{ONE}.py", f"..\\{ONE}.py"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_member_outside_of_its_archive_is_left_out(tmp_path, name, pack):
    path = pack(tmp_path / "a.zip", {name: b"x", f"{TWO}.py": b"y"})
    got = read(path, LESSONS)
    assert list(got.lessons) == [TWO]
    assert "outside of the archive" in got.remarks[0]
    assert os.listdir(tmp_path) == ["a.zip"]


def link(name, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_in_a_tar_are_left_out(tmp_path, kind):
    path = tarred(tmp_path / "a.tar", {link(f"{ONE}.py", kind): b"", f"{TWO}.py": b"y"})
    got = read(path, LESSONS)
    assert list(got.lessons) == [TWO]
    assert "a link or no ordinary file" in got.remarks[0]


def test_a_link_in_a_zip_is_left_out(tmp_path):
    info = zipfile.ZipInfo(f"{ONE}.py")
    info.external_attr = 0o120777 << 16
    assert "a link" in refusal(zipped(tmp_path / "a.zip", {info: "/etc/passwd"}))


def test_links_on_disk_are_never_followed(tmp_path):
    secret = put(tmp_path / "secret", **{ONE: "secret"})
    folder = put(tmp_path / "ada", **{TWO: "mine"})
    (folder / f"{ONE}.py").symlink_to(secret / f"{ONE}.py")
    (folder / "exercises").symlink_to(secret)
    (folder / "up").symlink_to("..")
    got = read(folder, LESSONS)
    assert list(got.lessons) == [TWO]
    assert len(got.remarks) == 3
    assert all("symbolic link" in remark for remark in got.remarks)
    (tmp_path / "bob").symlink_to(secret)
    (tmp_path / f"{ONE}.py").symlink_to(secret / f"{ONE}.py")
    for name in ("bob", f"{ONE}.py"):
        assert "symbolic link" in refusal(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_fifos_and_sockets_block_nothing(tmp_path, monkeypatch):
    folder = put(tmp_path / "ada", **{TWO: "mine"})
    os.mkfifo(folder / f"{ONE}.py")
    os.mkfifo(folder / "a.zip")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{THREE}.py")
        got = read(folder, LESSONS)
    assert list(got.lessons) == [TWO]
    assert len(got.remarks) == 3
    assert "no ordinary file" in refusal(folder / f"{ONE}.py")


def test_a_missing_path_an_odd_suffix_and_no_path_at_all_are_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.py")
    assert "no lesson" in refusal([]).lower()
    assert "no lesson" in refusal(tmp_path).lower()
    refusal(Path("a\0b.py"))
    (tmp_path / "a.rar").write_text("x")
    assert "Hand in a .py" in refusal(tmp_path / "a.rar")


def test_one_bad_file_of_several_costs_only_itself(tmp_path):
    put(tmp_path, **{ONE: "1"})
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 no")
    (tmp_path / f"{TWO}.py").write_bytes(b"\0")
    got = read(list(tmp_path.iterdir()), LESSONS)
    assert (list(got.lessons), len(got.remarks)) == ([ONE], 2)


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb", "\udcff", "a\u202eb", "x" * 200])
def test_names_are_shown_printably(tmp_path, name):
    try:
        (tmp_path / f"{name}.py").write_bytes(b"\0")
    except (OSError, UnicodeError):
        pytest.skip("no such name on this file system")
    assert len(refusal(tmp_path / f"{name}.py")) < 250
    assert (
        len(
            refusal(
                zipped(
                    tmp_path / "a.zip",
                    {f"é{name[:9]}.py".encode("utf-8", "replace").decode(): b"\0"},
                )
            )
        )
        < 250
    )


@given(st.text(st.characters(exclude_categories=())), st.text())
def test_a_clean_name_is_printable_and_tells_names_apart(one, two):
    assert clean(one).isprintable()
    clean(one).encode()
    assert (clean(one) == clean(two)) == (normalize("NFC", one) == normalize("NFC", two))


def test_an_encrypted_and_an_oddly_packed_member_are_named(tmp_path):
    plain = zipped(tmp_path / "a.zip", {f"{ONE}.py": b"x"}).read_bytes()
    for at, value, says in ((8, 1, "without a password"), (10, 9, "an ordinary zip")):
        directory = plain.index(b"PK\1\2")
        odd = bytearray(plain)
        odd[directory + at] = value
        (tmp_path / "b.zip").write_bytes(odd)
        assert says in refusal(tmp_path / "b.zip")
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(tmp_path / "c.zip", "w", method) as archive:
            archive.writestr(f"{ONE}.py", b"x" * 100)
        assert "an ordinary zip" in refusal(tmp_path / "c.zip")


def test_an_archive_in_an_archive_is_left_out_and_one_in_a_folder_is_read(tmp_path):
    inner = zipped(tmp_path / "in.zip", {f"{ONE}.py": b"x"})
    assert list(read(tmp_path, LESSONS).lessons) == [ONE]
    for name in ("in.zip", f"{ONE}.py"):
        outer = zipped(tmp_path / "out.zip", {name: inner.read_bytes()})
        assert "an archive in an archive" in refusal(outer)


# --- Hostile sizes: in a process of its own, with little memory and time -------------------------

RUN = """
import resource, sys
from pathlib import Path
from grader.intake.words import Refused
from grader.intake.submissions import read
resource.setrlimit(resource.RLIMIT_AS, (700_000_000,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20,) * 2)
lessons = sys.argv[2:]
try:
    got = read(Path(sys.argv[1]), lessons)
except Refused as problem:
    print("Refused", problem)
else:
    print(*got.lessons, *got.remarks)
"""


def limited(path):
    """What comes of it within 0.7 GB and 20 seconds of the processor."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, path, *LESSONS], capture_output=True, text=True, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stderr
    assert "MemoryError" not in ran.stdout
    return ran.stdout


def overlapping(path):
    """Entries that share one member's data."""
    data = bytearray(zipped(path, {f"{ONE}.py": b"x" * 400_000}).read_bytes())
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry, tail = data[start:end], data[end:]
    struct.pack_into("<HHII", tail, 8, 9000, 9000, 9000 * len(entry), start)
    path.write_bytes(data[:start] + entry * 9000 + tail)


def lying(path):
    """A member that says that it is small, and one that says that it is huge."""
    for name, size in ((path, 10), (path.with_name("huge.zip"), 2**32 - 2)):
        data = bytearray(zipped(name, {f"{ONE}.py": b"x" * 50_000_000}).read_bytes())
        struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, size)
        name.write_bytes(data)
    assert limited(path.with_name("huge.zip")).startswith("Refused")


def long_extra_fields(path):
    """Fields that `zipfile` would take a minute to go through."""
    data = bytearray(zipped(path, {f"{ONE}.py": b"x"}).read_bytes())
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry, tail = data[start:end], data[end:]
    struct.pack_into("<H", entry, 30, 65_532)
    entry = entry + b"\x09\x09\0\0" * 16_383
    struct.pack_into("<HHII", tail, 8, 900, 900, 900 * len(entry), start)
    path.write_bytes(data[:start] + entry * 900 + tail)


def digits(path):
    """An extended header in which `tarfile` looks for a number (CVE-2024-6232)."""
    record = b"60000011 a=" + b"1" * 60_000_000
    members = {}
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    members[info] = record[: 60_000_011 - 1] + b"\n"
    tarred(path, members)


def headers(path):
    info = tarfile.TarInfo("x").tobuf()
    path.write_bytes(gzipped(info * 120_000))


def dictionary(path):
    """An xz that asks for 4 GB to be unpacked with."""
    data = bytearray(lzma.compress(bytes(1_000_000)))
    at = data.index(b"\x21\x01", 12)  # LZMA2 in the first block's header
    data[at + 2] = 40
    struct.pack_into("<I", data, at + 6, zlib.crc32(data[12 : at + 6]))
    path.write_bytes(data)


def gzipped(data):
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


HOSTILE = {
    "large.py": lambda p: p.write_bytes(b"x" * 30_000_000),
    f"{ONE}.py": lambda p: os.truncate(os.open(p, os.O_CREAT | os.O_WRONLY), 10**11),
    "sparse.zip": lambda p: os.truncate(os.open(p, os.O_CREAT | os.O_WRONLY), 10**11),
    "bomb.zip": lambda p: zipped(p, {f"{ONE}.py": b"x" * 100_000_000}),
    "bombs.zip": lambda p: zipped(p, {f"{i}.py": b"x" * 600_000 for i in range(500)}),
    "overlapping.zip": overlapping,
    "lying.zip": lying,
    "extra.zip": long_extra_fields,
    "many.zip": lambda p: zipped(p, dict.fromkeys(map(str, range(12_000)), "")),
    "deep.zip": lambda p: zipped(p, {"exercises/" * 400 + f"{i}.py": "x" for i in range(3_000)}),
    "bomb.tar.gz": lambda p: p.write_bytes(gzip.compress(bytes(300_000_000), 1)),
    "bomb.tar.bz2": lambda p: p.write_bytes(bz2.compress(bytes(100_000_000), 9)),
    "bomb.tar.xz": lambda p: p.write_bytes(lzma.compress(bytes(100_000_000), preset=0)),
    "members.tar.gz": lambda p: p.write_bytes(gzip.compress(b"") * 2_000_000),
    "dictionary.tar.xz": dictionary,
    "digits.tar": digits,
    "headers.tar.gz": headers,
    "deep.ipynb": lambda p: p.write_bytes(b'{"cells":' + b"[" * 9_000_000),
    "lists.ipynb": lambda p: p.write_bytes(b"[" + b"[[]]," * 1_990_000 + b"0]"),
    "cells.ipynb": lambda p: p.write_bytes(
        b'{"cells":[' + b'{"cell_type":"code"},' * 450_000 + b"0]}"
    ),
    "brackets.ipynb": lambda p: p.write_text(notebook("(" * 499_000)),
    "worksheets.ipynb": lambda p: p.write_bytes(
        b'{"nbformat":3,"worksheets":[' + b'{"cells":[]},' * 700_000 + b'{"cells":[]}]}'
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits like Linux's")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sizes_are_refused_within_limits(tmp_path, name):
    HOSTILE[name](tmp_path / name)
    began = time.monotonic()
    said = limited(tmp_path / name)
    print(name, round(time.monotonic() - began, 2), said)
    assert said.startswith("Refused")
    assert said.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits like Linux's")
def test_a_folder_of_bombs_and_one_of_too_many_files_are_refused_within_limits(tmp_path):
    bombs = tmp_path / "bombs"
    bombs.mkdir()
    for i in range(20):
        (bombs / f"{i}.tar.gz").write_bytes(gzipped(bytes(60_000_000)) if i == 0 else b"")
        if i:
            os.link(bombs / "0.tar.gz", bombs / f"x{i}.tar.gz")
    assert "Refused more than 160 MB" in limited(bombs)
    many = tmp_path / "many"
    many.mkdir()
    (many / "0.py").touch()
    for i in range(1, 10_050):
        os.link(many / "0.py", many / f"{i}.txt")
    assert "more than 10,000 files" in limited(many)


def test_reading_submissions_imports_neither_torch_nor_nbformat():
    code = """
import sys, grader.intake.classes
print('torch' in sys.modules, 'nbformat' in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout.split() == ["False", "False"]


def test_who_solves_the_kits_notebooks_leaves_its_stubs_as_they_were(tmp_path):
    stub = (ROOT / "exercises" / f"{THREE}.py").read_text()
    cell = {"cell_type": "code", "source": "def softmax(x, dim):\n    return 5", "metadata": {},
            "outputs": [], "execution_count": None}  # fmt: skip
    book = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for folder in ("exercises", "notebooks", "grader"):
        (tmp_path / "kit" / folder).mkdir(parents=True)
    (tmp_path / "kit" / "grader" / "x.py").write_text("x = 1")
    (tmp_path / "kit" / "exercises" / f"{THREE}.py").write_text(stub)
    (tmp_path / "kit" / "notebooks" / f"{THREE}.ipynb").write_text(book)
    found = submissions.read(tmp_path, LESSONS)
    assert "return 5" in found.lessons[THREE].text
    (tmp_path / "kit" / "exercises" / f"{THREE}.py").write_text(stub + "\nmine = 1\n")
    assert "return 5" in submissions.read(tmp_path, LESSONS).lessons[THREE].text
