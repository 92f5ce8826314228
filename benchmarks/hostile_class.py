"""A large class with hostile submissions in it: do the others get what they get without them?

    python benchmarks/hostile_class.py [--students 2000] [--one-in 20] [--folder DIR]

Honest submissions are solved lessons, stubs and half of one, as modules, notebooks and archives in
turn. Hostile ones are those of `tests/attacks/`, and files that are slow or impossible to read.
The class is graded without the hostile ones, then with them, in one run each. Prints what the
hostile ones got, how long both runs took, and every honest row that differs; exit code 1 if one
does.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
GRADER = Path(sys.executable).parent / "grader"
LESSONS = sorted(path.stem for path in (ROOT / "solutions").glob("lesson*_*.py"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=2000)
    parser.add_argument("--one-in", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    alone, mixed = folder / "alone", folder / "mixed"
    for one in (alone, mixed):
        shutil.rmtree(one, ignore_errors=True)
        one.mkdir(parents=True)
    attacks = sorted((ROOT / "tests" / "attacks").glob("*.py"))
    hostile = 0
    for number in range(given.students):
        name = f"student{number:05}"
        if number % given.one_in == given.one_in // 2:
            attack(mixed, f"{name}-hostile", hostile, attacks)
            hostile += 1
        else:
            honest(alone, name, number)
            honest(mixed, name, number)
    rows = {}
    for one in (alone, mixed):
        began = time.monotonic()
        rows[one] = graded(one)
        print(f"{one.name}: {time.monotonic() - began:.0f} s, {len(rows[one])} rows", flush=True)
    theirs = [row for key, row in rows[mixed].items() if "-hostile" in key[0]]
    print(f"{hostile} hostile submissions:", dict(Counter(row["outcome"] for row in theirs)))
    differ = [
        (key, row, rows[mixed].get(key)) for key, row in rows[alone].items()
        if rows[mixed].get(key) != row
    ]  # fmt: skip
    print(f"{len(differ)} of {len(rows[alone])} honest rows differ")
    for key, without, among in differ[:20]:
        print(key, without, among, sep="\n    ")
    raise SystemExit(bool(differ))


def graded(folder: Path) -> dict[tuple[str, ...], dict[str, object]]:
    """(student, exercise, check) -> the row, without its seconds."""
    book = folder.with_suffix(".sqlite")
    for path in folder.parent.glob(f"{book.name}*"):
        path.unlink()
    subprocess.run(
        [GRADER, "grade", folder, "--gradebook", book, "--reference", "gpt2-tiny",
         "--timeout", "2"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    found = subprocess.run(
        [GRADER, "export", book, "--format", "json"], capture_output=True, check=True
    )
    return {
        (row["student"], str(row.get("exercise")), str(row.get("check"))): {
            name: value for name, value in row.items() if name in ("outcome", "points", "feedback")
        }
        for row in json.loads(found.stdout)
    }


def honest(folder: Path, name: str, number: int) -> None:
    lesson = LESSONS[number % len(LESSONS)]
    solved = (ROOT / "solutions" / f"{lesson}.py").read_text("utf-8")
    stub = (ROOT / "exercises" / f"{lesson}.py").read_text("utf-8")
    half = solved[: solved.index("\ndef ", len(solved) // 2)]
    text = (solved, solved, stub, half)[number // 4 % 4]
    form = number // 16 % 3
    if form == 0:
        (folder / name).mkdir()
        (folder / name / f"{lesson}.py").write_text(text, "utf-8")
    elif form == 1:
        cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []}]
        (folder / name).mkdir()
        (folder / name / f"{lesson}.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    else:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"exercises/{lesson}.py", text)


def attack(folder: Path, name: str, number: int, attacks: list[Path]) -> None:
    if number % 4 == 3:
        unreadable(folder, name, number // 4)
        return
    path = attacks[number % len(attacks)]
    header = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    (folder / name).mkdir()
    for lesson in re.findall(r"^lesson: (\w+)", header, re.MULTILINE):
        shutil.copy(path, folder / name / f"{lesson}.py")


def unreadable(folder: Path, name: str, number: int) -> None:
    lesson = LESSONS[2]
    text = (ROOT / "exercises" / f"{lesson}.py").read_text("utf-8")
    texts = [
        "#" * 400_000 + "\n" + text,
        " " * 400_000 + "#\n" + text,
        "x = " + "-" * 400_000 + "1",
        "x = " + "(" * 400_000,
        "<<<<<<< a\n" * 40_000,
        "def f():\n" * 50_000,
    ]
    made = ["objects", "names", "helpers"]
    kind = number % (len(texts) + len(made))
    if kind < len(texts):
        (folder / f"{name}.py").write_text(texts[kind], "utf-8")
    elif made[kind - len(texts)] == "objects":
        cells = '{"metadata": [' + "{}," * 20_000_000 + '{}], "cells": []}'
        (folder / f"{name}.ipynb").write_text(cells)
    else:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{lesson}.py", text)
            for i in range(9_000):
                long = made[kind - len(texts)] == "names"
                archive.writestr("-1" * 100 + f"x{i}.py" if long else f"h{i}.py", "x = 1\n")


if __name__ == "__main__":
    main()
