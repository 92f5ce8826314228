"""What one student hands in, read without running or unpacking any of it.

`read` turns a file, folder or archive into the sources of its lessons. Whatever the files hold, it
gives an answer or raises `Refused`. A file that cannot be read costs that file and leaves a remark.
Time and memory are bounded by the process in which it runs (`grader.intake.reader`).
"""

from __future__ import annotations

import hashlib
import keyword
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import statements
from grader.intake.files import NOT_READ, File, Gathered
from grader.intake.words import MB, Refused, broken, clean, few, listing
from grader.lessons import exercise_names, mentioned
from grader.notebooks.script import Source
from grader.statements import is_stub

FILES = 3  # of one lesson that are looked at
HELPERS = 2 * MB
HELPER_NAME = 100  # characters; files in the sandbox are named so
MOST = 200  # helpers
WORD = re.compile(r"\w+")
# Of the kit's own folders, what no student wrote.
NOT_THEIRS = {"benchmarks", "build", "dist", "docs", "grader", "solutions", "tests"}
SOLVED = ("notebooks", "solved")
LIBRARIES = {
    *("torch", "numpy", "transformers", "transformer_lens", "einops", "jaxtyping", "pytest"),
    *("grader", "exercises", "solutions"),
}


@dataclass(frozen=True)
class Submission:
    lessons: dict[str, Source]  # lesson -> source, in the lessons' order
    helpers: dict[str, str]  # path of a module, from where the lessons lie -> source
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
        return _submission(gathered, lessons)
    except Refused:
        raise
    except Exception as problem:  # a hostile file costs its author, not the class
        raise Refused(f"{listing(clean(p.name) for p in paths)}: {broken(problem)}") from problem


def _submission(gathered: Gathered, lessons: Sequence[str]) -> Submission:
    """Raises `Refused` if there is no lesson."""
    files, remarks = gathered.files, gathered.remarks
    # Of two that will do the first is taken, wherever it lay in an archive.
    found = [_Found.of(file) for file in sorted(files, key=lambda file: file.place)]
    found = _without_kit(found, lessons, remarks)
    claims = _claims(found, lessons, remarks)
    if not claims:
        why = remarks[:3]
        if gathered.unread and not why:
            why.append(f"{listing(gathered.unread)}: {NOT_READ}")
        if files or gathered.unread or not why:
            why.append(f"No lesson found. Name each file after its lesson, as in {lessons[0]}.py.")
        raise Refused(" ".join(why))
    taken = {file for files in claims.values() for file in files}
    sources = {
        lesson: [one.file.source for one in claims[lesson]]
        for lesson in lessons
        if lesson in claims
    }
    helpers = _helpers(found, taken, sources, lessons, remarks)
    chosen = {lesson: first for lesson, [first, *_] in sources.items()}
    others = {lesson: tuple(rest) for lesson, [_, *rest] in sources.items() if rest}
    return Submission(chosen, helpers, few(remarks), digest_of(sources, helpers), others)


@dataclass(frozen=True, eq=False)
class _Found:
    """A file, and which functions it defines."""

    file: File
    answers: frozenset[str]  # that do something, or may
    stubs: frozenset[str]

    @classmethod
    def of(cls, file: File) -> _Found:
        read = statements.read(file.source.text, file.source.cells)
        stubs = {n for s in read.statements if is_stub(s.node) for n in s.names}
        names = {n for s in read.statements if not is_stub(s.node) for n in s.names}
        return cls(file, frozenset(names), frozenset(stubs))

    def named(self, lessons: Sequence[str]) -> str | None:
        return mentioned(self.file.stem, lessons)

    def answered(self, lesson: str) -> int:
        """How many exercises of a lesson there are, but for untouched stubs."""
        if "*" in self.answers and self.named([lesson]):  # what it imports is not known here
            return len(exercise_names(lesson))
        return len(self.answers.intersection(exercise_names(lesson)))

    def defines(self, lesson: str) -> int:
        return len((self.answers | self.stubs).intersection(exercise_names(lesson)))

    def is_of(self, lesson: str) -> bool:
        """Does it define so much of a lesson that it is no helper of another one?"""
        return 2 * self.defines(lesson) >= len(exercise_names(lesson)) > 0


def _without_kit(found: list[_Found], lessons: Sequence[str], remarks: list[str]) -> list[_Found]:
    """Without what else is in the kit, where someone hands in all of it."""
    places = [one.file.place for one in found]
    folders = {place[: i + 1] for place in places for i in range(len(place) - 1)}
    kits = {
        folder[:-1]
        for folder in folders
        if folder[-1] == "exercises"
        and not folders.isdisjoint({(*folder[:-1], "solutions"), (*folder[:-1], "grader")})
    }
    left_out = [
        one
        for one in found
        for i in range(len(one.file.place) - 1)
        if one.file.place[:i] in kits
        and (one.file.place[i] in NOT_THEIRS or one.file.place[i : i + 2] == SOLVED)
    ]
    named = [o.file for o in left_out if (lesson := o.named(lessons)) and o.answered(lesson)]
    if named:
        remarks.append(f"Of the kit only exercises/ was read, and not {listing(named)}.")
    return [one for one in found if one not in left_out]


def _claims(
    found: list[_Found], lessons: Sequence[str], remarks: list[str]
) -> dict[str, list[_Found]]:
    """Lesson -> the files that may be it, of which one counts: by their names; else, or where that
    has nothing but stubs in it, by their functions. Untouched ones are there only if there is no
    other."""
    by_name: dict[str, list[_Found]] = defaultdict(list)
    nameless = []
    for one in found:
        lesson = one.named(lessons)
        if lesson is None:
            nameless.append(one)
        elif one.defines(lesson) or not any(map(one.defines, lessons)):
            by_name[lesson].append(one)
        else:  # it lies under another one's name
            nameless.append(one)
    named = bool(by_name)
    claims: dict[str, list[_Found]] = {}
    for lesson in lessons:
        known = by_name[lesson]
        if not any(one.answered(lesson) for one in known):
            # Beside named lessons a nameless .py file is a helper.
            lessons_ = [o for o in nameless if o.file.is_notebook or o.named(lessons) or not named]
            by_content = [
                one
                for one in found
                if one.is_of(lesson) or (one.defines(lesson) and one in lessons_)
            ]
            if any(one.answered(lesson) for one in by_content) or not known:
                known = by_content
            remarks += [
                f"{one.file} was taken for {lesson}, by the functions in it."
                for one in _best(known, lesson)
                if one in by_content and one not in by_name[lesson]
            ]
        if best := _best(known, lesson):
            claims[lesson] = best[:FILES]
            if more := [one.file for one in best[FILES:]]:
                remarks.append(f"Of {lesson} there are more: {listing(more)} was not looked at.")
    return claims


def _best(known: list[_Found], lesson: str) -> list[_Found]:
    """Those that differ, with the most answers first; of untouched ones, one."""
    in_order = sorted(
        known,
        key=lambda one: (
            -one.answered(lesson), one.file.stem.lower() != lesson.lower(), one.file.place,
        ),
    )  # fmt: skip
    different = {(one.file.source.text, one.file.source.cells): one for one in in_order[::-1]}
    best = [one for one in in_order if one in different.values()]
    return [one for one in best if one.answered(lesson)] or best[:1]


def _helpers(
    found: list[_Found],
    taken: set[_Found],
    sources: Mapping[str, list[Source]],
    lessons: Sequence[str],
    remarks: list[str],
) -> dict[str, str]:
    """Path of a module, from where the lessons lie, without its suffix -> source; what the lessons
    speak of first, as far as there is room."""
    folders = sorted({one.file.place[:-1] for one in taken}, key=len, reverse=True)
    texts = (file.text for files in sources.values() for file in files)
    words = {word for text in texts for word in WORD.findall(text)}
    # One lesson may import another by the name of its file.
    others = [
        one.file
        for one in found
        if not one.file.is_notebook and (one not in taken or one.file.stem not in lessons)
    ]
    root = _common([one.file.place[:-1] for one in found])
    helpers: dict[str, str] = {}
    room = HELPERS
    full = []
    for file in sorted(others, key=lambda file: file.stem not in words):
        folder = next((f for f in folders if file.place[: len(f)] == f), root)
        parts = (*file.place[len(folder) : -1], file.stem)
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            continue
        name = "/".join(parts)
        if file.stem in lessons or parts == ("__init__",):
            continue
        if parts[0] in sys.stdlib_module_names or parts[0] in LIBRARIES:
            remarks.append(f"{file}: left out, it bears the name of a library. Name it otherwise.")
        elif name in helpers:
            if helpers[name] != file.source.text:
                remarks.append(f"{file}: left out, another helper has this name.")
        elif len(name) > HELPER_NAME or len(helpers) == MOST or len(file.source.text) > room:
            full.append(file)
        else:
            helpers[name] = file.source.text
            room -= len(file.source.text)
    if full:
        remarks.append(
            f"{listing(full)}: left out, there is room for {MOST} helpers, {HELPERS // MB} MB in "
            f"all, with names of {HELPER_NAME} characters."
        )
    return helpers


def _common(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The innermost folder that all of these are in."""
    levels = [level[0] for level in zip(*folders, strict=False) if len(set(level)) == 1]
    first = folders[0] if folders else ()
    return first[: next((i for i, x in enumerate(first) if levels[i : i + 1] != [x]), len(first))]


def digest_of(lessons: Mapping[str, list[Source]], helpers: dict[str, str]) -> str:
    digest = hashlib.sha256()
    parts = [
        ("lesson", x, str(source.cells), source.text)
        for x, sources in sorted(lessons.items())
        for source in sources
    ]
    parts += [("helper", x, "", text) for x, text in sorted(helpers.items())]
    for part in (text.encode() for texts in parts for text in texts):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()
