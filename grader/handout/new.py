"""Begin a lesson or an exercise: its files, with one exercise worked out to be replaced.

`pytest tests -k LESSON` then says of what is added to it what is still missing.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from grader import lessons
from grader.handout import begun
from grader.lessons import KIT
from grader.problem import Problem

FOLDERS = ("exercises", "solutions", "grader/checks")


class NotBegun(Problem):
    """Why nothing was begun: one line."""


def lesson(name: str, kit: Path = KIT) -> list[Path]:
    """`attention` becomes the next number's, `lesson7_attention` is taken as it is. The files that
    were written: stub, solution, checks.

    Raises:
        NotBegun: the name cannot be one, is taken, or cannot be written here.
    """
    numbered = re.fullmatch(r"lesson([1-9][0-9]*)_(\w+)", name)
    following = 1 + max(map(lessons.number, lessons.names()), default=0)
    number = int(numbered[1]) if numbered else following
    topic = numbered[2] if numbered else name
    if re.match(r"lesson\d", topic) or not _is_name(topic):
        raise NotBegun(f"{name!r} is no name for a lesson. Use small letters: attention.")
    made = f"lesson{number}_{topic}"
    taken = [other for other in lessons.names() if other.startswith(f"lesson{number}_")]
    if taken:
        raise NotBegun(f"There is {taken[0]} already. Take another number.")
    _must_be_a_clone(kit)
    words = {"NUMBER": str(number), "TOPIC": topic, "NAME": f"{topic}_example"}
    folder = kit / "grader" / "checks" / made
    texts = {
        kit / "exercises" / f"{made}.py": f"{begun.LESSON}\n\n{_function(begun.TODO)}",
        kit / "solutions" / f"{made}.py": f"{begun.LESSON}\n\n{_function(begun.SOLVED)}",
        folder / f"{words['NAME']}.py": begun.CHECKS,
    }
    package = {folder / "__init__.py": '"""Checks for lesson NUMBER: TOPIC."""\n'}
    _write({path: _filled(text, words) for path, text in (texts | package).items()})
    return list(texts)


def exercise(of: str, name: str, kit: Path = KIT) -> list[Path]:
    """An exercise at the end of a lesson, before what it shows when it is run. The files that were
    written: stub, solution, checks.

    Raises:
        NotBegun: the name cannot be one or is taken, the lesson's files cannot be read, or nothing
            can be written here.
    """
    if not _is_name(name):
        raise NotBegun(f"{name!r} is no name for an exercise. Use small letters: top_k_tokens.")
    for other in lessons.names():
        if name in lessons.exercise_names(other):
            raise NotBegun(f"There is {name} already, in {other}. Take another name.")
    _must_be_a_clone(kit)
    words = {"NUMBER": str(lessons.number(of)), "NAME": name}
    texts = {
        kit / "exercises" / f"{of}.py": begun.TODO,
        kit / "solutions" / f"{of}.py": begun.SOLVED,
    }
    for path, body in texts.items():
        texts[path] = _with_function(path, name, _filled(_function(body), words))
    checks = kit / "grader" / "checks" / of / f"{name}.py"
    _write({checks: _filled(begun.CHECKS, words)}, replacing=texts)
    return [*texts, checks]


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9_]*", name)) and not keyword.iskeyword(name)


def _must_be_a_clone(kit: Path) -> None:
    missing = [folder for folder in FOLDERS if not (kit / folder).is_dir()]
    if missing:
        raise NotBegun(f"There is no {missing[0]}/ beside grader/. Work in a clone.")


def _function(body: str) -> str:
    return begun.FUNCTION.replace("BODY", body)


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


def _with_function(path: Path, name: str, function: str) -> str:
    """A lesson's text with one function more."""
    try:
        text = path.read_text("utf-8")
        body = ast.parse(text).body
    except OSError as problem:
        raise NotBegun(f"{path} cannot be read ({problem.strerror}).") from None
    except (SyntaxError, ValueError) as problem:
        raise NotBegun(f"{path} is no Python ({problem}). Mend it first.") from None
    if any(getattr(node, "name", "") == name for node in body):
        raise NotBegun(f"{path} has {name} already. Take another name.")
    lines = text.splitlines(keepends=True)
    shows = [n.lineno - 1 for n in body if isinstance(n, ast.If) and "__main__" in ast.unparse(n)]
    at = shows[-1] if shows else len(lines)
    before, after = "".join(lines[:at]).rstrip("\n"), "".join(lines[at:])
    return f"{before}\n\n\n{function}" + (f"\n\n{after}" if after else "")


def _write(new: Mapping[Path, str], replacing: Mapping[Path, str] | None = None) -> None:
    """All of them or none. Raises NotBegun, also where one of the new ones is there."""
    before = {path: path.read_bytes() for path in replacing or {}}
    written: list[Path] = []
    folders = [path.parent for path in new if not path.parent.exists()]
    try:
        for path, text in new.items():
            path.parent.mkdir(exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
        for path, text in (replacing or {}).items():
            path.write_text(text, "utf-8", newline="\n")
    except OSError as problem:
        for path in written:
            path.unlink()
        for folder in set(folders):
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
        for path, data in before.items():
            path.write_bytes(data)
        raise NotBegun(f"{problem.filename} cannot be written ({problem.strerror}).") from None
