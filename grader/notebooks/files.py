"""Notebooks and lessons as files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from grader import lessons, whole
from grader.notebooks.make import KIT, from_module
from grader.notebooks.marks import NoNotebook
from grader.notebooks.restore import is_edited


def write(
    exercises: Mapping[str, Collection[str]],
    folder: Path,
    to: Path,
    kit: str = KIT,
    force: bool = False,
) -> list[Path]:
    """A notebook of each of these lessons, which lie in `folder`, with a cell to check each of its
    exercises. The same lesson gives the same bytes.

    Raises:
        NoNotebook: a lesson cannot be read, a notebook that was edited would be lost (unless
            `force`), or cannot be written. Of the first two no notebook is written.
    """
    made = {
        to / f"{lesson}.ipynb": from_module(_bytes(folder / f"{lesson}.py"), lesson, names, kit)
        for lesson, names in exercises.items()
    }
    edited = [path for path in made if path.exists() and is_edited(_bytes(path))]
    if edited and not force:
        raise NoNotebook(
            f"{', '.join(map(str, edited))}: edited since it was made. --to DIR writes elsewhere, "
            "--force replaces it, and `grader notebook --extract` saves what is in it."
        )
    for path, text in made.items():
        _write(path, text.encode())
    return list(made)


def write_module(module: bytes, to: Path, force: bool = False) -> None:
    """A notebook's module, as a file.

    Raises:
        NoNotebook: another file is there already (unless `force`), or it cannot be written.
    """
    if to.exists() and not force and _bytes(to) != module:
        raise NoNotebook(f"{to} is there already, and not the same. --force replaces it.")
    _write(to, module)


def lessons_folder(name: str) -> Path:
    """`exercises` or `solutions`: here, or else in the kit.

    Raises:
        NoNotebook: there is none.
    """
    for folder in (Path(name), lessons.KIT / name):
        if folder.is_dir():
            return folder
    raise NoNotebook(f"There is no {name}/ in this kit.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise NoNotebook(f"{path} cannot be read ({problem.strerror}).") from None


def _write(path: Path, data: bytes) -> None:
    if path.is_file() and _bytes(path) == data:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole.writing(path, binary=True) as file:
            file.write(data)
    except OSError as problem:
        raise NoNotebook(f"{path} cannot be written ({problem.strerror}).") from None
