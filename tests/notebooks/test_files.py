"""Notebooks as files: what is written, and what is not replaced."""

from pathlib import Path

import nbformat
import pytest

import warm
from grader import lessons as kit
from grader.lessons import KIT as ROOT
from grader.notebooks import files
from grader.notebooks.marks import NoNotebook
from grader.notebooks.restore import to_module
from lesson_notebooks import LESSONS, source


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
    module = to_module(path.read_bytes())
    with pytest.raises(NoNotebook, match=r"lesson.py is there already.* --force"):
        files.write_module(module, there)
    assert there.read_text() == "mine"
    files.write_module(module, there, force=True)
    files.write_module(module, there)  # the same
    assert there.read_bytes() == source("lesson3_logits")


def test_what_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "x.ipynb").write_text("x")
    for name, says in {"nowhere.ipynb": "cannot be opened", "x.ipynb": "no notebook"}.items():
        code, out, err = grader("notebook", "--extract", tmp_path / name)
        assert (code != 0, out) == (True, "")
        assert says in err
        assert err.count("\n") == 1
    monkeypatch.setattr(kit, "KIT", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoNotebook, match="There is no solutions/ in this kit"):
        files.lessons_folder("solutions")
