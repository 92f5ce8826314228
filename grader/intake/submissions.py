"""What one student hands in, read without running or unpacking any of it.

`read` turns a file, folder or archive into the sources of its lessons. Whatever the files hold, it
gives an answer or raises `Refused`, in bounded time and memory. A file that cannot be read costs
that file and leaves a remark.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from grader.intake.files import File, Gathered
from grader.intake.words import Refused, broken, clean, few, listing
from grader.lessons import EXERCISES, exercise_names, mentioned
from grader.notebooks.script import Source

LIBRARIES = {
    *("torch", "numpy", "transformers", "transformer_lens", "einops", "jaxtyping", "pytest"),
    *("grader", "exercises", "solutions"),
}


@dataclass(frozen=True)
class Submission:
    lessons: dict[str, Source]  # lesson -> source, in the lessons' order
    helpers: dict[str, str]  # module name -> source, of .py files that lay beside the lessons
    remarks: tuple[str, ...]  # what was left out or guessed, one line each
    digest: str  # SHA-256 over names and sources, whatever they came packed in
    others: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)  # of doubtful lessons

    def with_only(self, lesson: str, source: Source) -> Submission:
        """With this file for that lesson, and no doubt about it."""
        others = {name: files for name, files in self.others.items() if name != lesson}
        return replace(self, lessons={**self.lessons, lesson: source}, others=others)


def read(paths: Path | Sequence[Path], lessons: Sequence[str]) -> Submission:
    """The lessons in a file, folder or archive, or in several handed in together.

    Raises `Refused`, and nothing else, whatever the files hold.
    """
    paths = [paths] if isinstance(paths, Path) else sorted(paths)
    try:
        gathered = Gathered()
        for path in paths:
            gathered.take(path)
        return _submission(gathered.files, gathered.remarks, lessons)
    except Refused:
        raise
    except Exception as problem:  # a hostile file costs its author, not the class
        raise Refused(f"{listing(clean(p.name) for p in paths)}: {broken(problem)}") from problem


def _submission(files: list[File], remarks: list[str], lessons: Sequence[str]) -> Submission:
    """Raises `Refused` if there is no lesson, or different ones of one name."""
    # Of two that will do the first is taken, wherever it lay in an archive.
    files = _without_kit(sorted(files, key=lambda file: file.place), lessons, remarks)
    chosen = _by_name(files, lessons, remarks)
    if missing := [lesson for lesson in lessons if lesson not in chosen]:
        # Beside named lessons a .py file is a helper.
        others = [file for file in files if file.is_notebook or not chosen]
        chosen |= _by_content(others, missing, set(chosen.values()), remarks)
    if not chosen:
        why = remarks[:3]
        if files or not why:
            why.append(f"No lesson found. Name each file after its lesson, as in {lessons[0]}.py.")
        raise Refused(" ".join(why))
    helpers = _helpers(files, chosen, remarks)
    sources = {lesson: chosen[lesson].source for lesson in lessons if lesson in chosen}
    return Submission(sources, helpers, few(remarks), _digest(sources, helpers))


def _without_kit(files: list[File], lessons: Sequence[str], remarks: list[str]) -> list[File]:
    """Without what else is in the kit, where someone hands in all of it."""
    folders = {file.place[: i + 1] for file in files for i in range(len(file.place) - 1)}
    kits = {
        folder[:-1]
        for folder in folders
        if folder[-1] == "exercises"
        and not folders.isdisjoint({(*folder[:-1], "solutions"), (*folder[:-1], "grader")})
    }
    left_out = {
        file: None
        for file in files
        for i in range(len(file.place))
        if file.place[:i] in kits and file.place[i] != "exercises"
    }
    # Who solves the kit's notebooks leaves its stubs as they were.
    stubs = {mentioned(file.stem, lessons): file for file in files if _is_stub(file)}
    solved = [
        file
        for file in left_out
        if file.place[-2:-1] == ("notebooks",) and mentioned(file.stem, lessons) in stubs
    ]
    for file in solved:
        del left_out[file]
        left_out[stubs[mentioned(file.stem, lessons)]] = None
    if named := [f for f in left_out if mentioned(f.stem, lessons) and not _is_stub(f)]:
        remarks.append(f"Of the kit only exercises/ was read, and not {listing(named)}.")
    return [file for file in files if file not in left_out]


def _is_stub(file: File) -> bool:
    """A lesson as it was handed out."""
    if file.place[-2:-1] != ("exercises",):
        return False
    return _stub(file.place[-1]) == file.source.text.split()


@cache
def _stub(name: str) -> list[str]:
    try:
        return (EXERCISES / name).read_text("utf-8").split()
    except OSError:
        return []


def _by_name(files: list[File], lessons: Sequence[str], remarks: list[str]) -> dict[str, File]:
    claims = defaultdict(list)
    for file in files:
        if lesson := mentioned(file.stem, lessons):
            claims[lesson].append((int(file.stem.lower() == lesson.lower()), file))
    return _chosen(claims, remarks)


def _by_content(
    files: list[File], lessons: Sequence[str], taken: set[File], remarks: list[str]
) -> dict[str, File]:
    """By how many of the lesson's exercises a file defines; it may hold several lessons. One that
    bears another lesson's name must define half of them: a few may be its helpers."""
    claims = defaultdict(list)
    for file in files:
        found = re.findall(r"^[ \t]*(?:async +)?def +(\w+)|^(\w+) *=", file.source.text, re.M)
        names = {name for pair in found for name in pair}
        for lesson in lessons:
            count = len(names & set(exercise_names(lesson)))
            if count and (file not in taken or 2 * count >= len(exercise_names(lesson))):
                claims[lesson].append((count, file))
    chosen = _chosen(claims, remarks)
    remarks += [f"{f} was taken for {x}, by the functions in it." for x, f in chosen.items()]
    return chosen


def _chosen(claims: dict[str, list[tuple[int, File]]], remarks: list[str]) -> dict[str, File]:
    """Of each lesson the file with the best claim. Raises `Refused` if two unlike files have it."""
    chosen = {}
    for lesson, claim in claims.items():
        best = max(rank for rank, _ in claim)
        first, *more = [file for rank, file in claim if rank == best]
        if any(file.source != first.source for file in more):
            same = listing([first, *more])
            raise Refused(f"{lesson} is there more than once: {same}. Hand in one of them.")
        if others := [file for _, file in claim if file.source != first.source]:
            remarks.append(f"{first} was taken for {lesson}, and not {listing(others)}.")
        chosen[lesson] = first
    return chosen


def _helpers(files: list[File], chosen: dict[str, File], remarks: list[str]) -> dict[str, str]:
    helpers: dict[str, str] = {}
    folders = {file.place[:-1] for file in chosen.values()}
    for file in files:
        name = file.stem
        if file.is_notebook or file.place[:-1] not in folders or file in chosen.values():
            continue
        if not name.isidentifier() or keyword.iskeyword(name) or name in (*chosen, "__init__"):
            continue
        if name in sys.stdlib_module_names or name in LIBRARIES:
            remarks.append(f"{file}: left out, it bears the name of a library. Name it otherwise.")
        elif helpers.setdefault(name, file.source.text) != file.source.text:
            remarks.append(f"{file}: left out, another helper has this name.")
    return helpers


def _digest(lessons: dict[str, Source], helpers: dict[str, str]) -> str:
    digest = hashlib.sha256()
    parts = [("lesson", x, str(source.cells), source.text) for x, source in sorted(lessons.items())]
    parts += [("helper", x, "", text) for x, text in sorted(helpers.items())]
    for part in (text.encode() for texts in parts for text in texts):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()
