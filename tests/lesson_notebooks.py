"""Lessons as notebooks, to try things on."""

import nbformat

from grader import lessons
from grader.lessons import KIT as ROOT
from grader.notebooks.make import from_module
from grader.notebooks.restore import to_module
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
