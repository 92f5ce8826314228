"""Hand the kit out: stubs, recorded answers, notebooks; nothing that gives a solution away.

What goes in is named here, file by file. Whatever else lies about in the kit stays there.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
import tempfile
import textwrap
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from grader.handout import clone, record
from grader.inside import run
from grader.lessons import KIT
from grader.notebooks import files, make
from grader.problem import Problem
from grader.verdict import load

# All of `grader/` that a student's side takes: whole rooms, and of the command what students do
# with it. By name, for who knows what else lies about.
MODULES = {
    "": "__init__ __main__ lessons outcome problem reference statements versions whole words",
    "inside": "__init__ confine fixtures forbidden models observe plain reference remember run"
    " server watch wire",
    "verdict": "__init__ agree answers counting difference draw exercise explain feedback grade"
    " load near_ties parts patterns progress recorded show",
    "desk": "__init__ checked hint html live pytest_plugin summary",
    "desk/pictures": "__init__ call labels markup picture",
    "desk/watch": "__init__ keys process saved screen standing warm watch watcher",
    "intake": "__init__ archives classes excerpts fields files layouts names reader reading"
    " submissions words",
    "notebooks": "__init__ files make marks pieces prose restore script",
    "cli": "__init__ doctor hint notebook watch",
}
CHECKPOINT = "gpt2_tiny"
CHECKPOINT_FILES = (
    "README.md",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "tokenizer_config.json",
    "vocab.json",
)
TELLING = 28  # characters of a line that nobody writes by chance
# What only an instructor's side takes.
LEFT_OUT = ("filelock", "jinja2", "pyyaml", "rapidfuzz", "tzdata")


class NotReleased(Problem):
    """Why there is no kit to hand out: one line."""


@dataclass(frozen=True)
class Order:
    to: Path  # a folder that is not there yet, or empty; or a .zip file
    lessons: Sequence[str]
    title: str = "GPT-2 exercises"
    due: str = ""
    with_solutions: bool = False
    kit: str = make.KIT  # what its notebooks install where they have no kit


def write(order: Order, report: Callable[[str], None]) -> None:
    """The same kit gives the same bytes. `report` is told what is being done.

    Raises:
        NotReleased: something of the student's side is no stub, or cannot be written.
    """
    zipped = order.to.suffix == ".zip"
    if order.to.exists() and (zipped or not order.to.is_dir() or any(order.to.iterdir())):
        raise NotReleased(f"{order.to} is there already. Remove it, or name another.")
    for folder in ("exercises", *(["solutions"] if order.with_solutions else [])):
        if not (KIT / folder).is_dir():
            raise NotReleased(f"There is no {folder}/ beside grader/. Release from a clone.")
    for lesson in order.lessons:
        _must_be_stubs(lesson)
    try:
        order.to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=order.to.parent, prefix=".release-") as made:
            kit = Path(made, "kit")
            _fill(kit, order, report)
            if zipped:
                _zip(kit, order.to.stem, Path(made, "kit.zip"))
                os.replace(Path(made, "kit.zip"), order.to)
            else:
                if order.to.exists():
                    order.to.rmdir()
                os.replace(kit, order.to)
    except OSError as problem:
        raise NotReleased(f"{order.to} cannot be written ({problem}).") from None


def _must_be_stubs(lesson: str) -> None:
    path = KIT / "exercises" / f"{lesson}.py"
    try:
        loaded = run.load(path)
    except (OSError, SyntaxError, UnicodeDecodeError) as problem:
        raise NotReleased(f"{path} does not run ({run.describe(problem)}).") from None
    if loaded.failed:
        raise NotReleased(f"{path} does not run ({loaded.failed[0].raised.text}).")
    module = vars(loaded.module)
    for exercise in load.exercises(lesson):
        if exercise.name not in module:
            raise NotReleased(f"{path} has no {exercise.name}.")
        if line := _shown(path, getattr(load.solution(lesson), exercise.name)):
            raise NotReleased(f"{path} holds a line of {exercise.name}'s solution: {line!r}.")
        if not run.is_untouched(module[exercise.name]):
            raise NotReleased(
                f"{path}: {exercise.name} is no stub. Keep your own answers elsewhere "
                "(`pytest exercises --answers DIR`), and put back the stub."
            )


def _shown(path: Path, solution: Any) -> str:
    """A line of a solution's that stands in a stub's file, as a comment maybe."""
    [function] = ast.parse(textwrap.dedent(inspect.getsource(solution))).body
    assert isinstance(function, ast.FunctionDef)
    statements = function.body[ast.get_docstring(function) is not None :]
    lines = {
        x.strip() for s in statements for x in ast.unparse(s).splitlines() if len(x) >= TELLING
    }
    text = path.read_text("utf-8")
    return next((line for line in sorted(lines) if line in text), "")


def _fill(kit: Path, order: Order, report: Callable[[str], None]) -> None:
    for folder in ("exercises", *(["solutions"] if order.with_solutions else [])):
        for name in ("__init__", *order.lessons):
            _copy(Path(folder, f"{name}.py"), kit)
    for path in modules():
        _copy(path, kit)
    for name in CHECKPOINT_FILES:
        _copy(Path("grader", CHECKPOINT, name), kit)
    for name in ("LICENSE", "NOTICE"):
        _copy(Path(name), kit)
    torch.set_num_threads(1)  # so small a model is no faster on several
    fixtures = load.fixtures("gpt2-tiny", "cpu")
    (kit / "grader" / "recorded").mkdir()
    points: dict[str, tuple[int, int]] = {}
    for lesson in order.lessons:
        data = record.lesson(lesson, fixtures, report)
        (kit / "grader" / "recorded" / f"{lesson}.bin").write_bytes(data)
        exercises = load.exercises(lesson)
        points[lesson] = len(exercises), sum(exercise.points for exercise in exercises)
    report("notebooks")
    notebooks = kit / "notebooks"
    named = {name: [e.name for e in load.exercises(name)] for name in order.lessons}
    files.write(named, KIT / "exercises", notebooks, order.kit)
    if order.with_solutions:
        files.write(named, KIT / "solutions", notebooks / "solved", order.kit)
    (kit / "pyproject.toml").write_text(_project(), "utf-8", newline="\n")
    (kit / "README.md").write_text(_readme(order, points), "utf-8", newline="\n")


def modules() -> list[Path]:
    """The modules of a released kit, from where the kit lies."""
    return [
        Path("grader", room, f"{name}.py")
        for room, names in MODULES.items()
        for name in names.split()
    ]


def _copy(path: Path, kit: Path) -> None:
    there = kit / path
    there.parent.mkdir(parents=True, exist_ok=True)
    if (KIT / path).exists():
        shutil.copyfile(KIT / path, there)
    elif path.name != "__init__.py":
        raise NotReleased(f"There is no {path.as_posix()} in this kit. Release from a whole clone.")


def _zip(kit: Path, name: str, to: Path) -> None:
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(p for p in kit.rglob("*") if p.is_file()):
            clone.add(archive, str(Path(name) / path.relative_to(kit)), path.read_bytes())


# --- What it says of itself ----------------------------------------------------------------------


def _project() -> str:
    own = clone.settings()
    project, pytest = own["project"], own["tool"]["pytest"]["ini_options"]
    extras = project["optional-dependencies"]
    dependencies = [
        needed
        for needed in project["dependencies"]
        if re.split(r"[^\w.-]", needed)[0].lower() not in LEFT_OUT
    ]
    return f"""\
[build-system]
requires = {_list(own["build-system"]["requires"])}
build-backend = "{own["build-system"]["build-backend"]}"

[project]
name = "{project["name"]}"
version = "{project["version"]}"
description = "{project["description"]}"
readme = "README.md"
license = "{project["license"]}"
license-files = {_list(project["license-files"])}
requires-python = "{project["requires-python"]}"
dependencies = {_list(dependencies)}

[project.optional-dependencies]
notebook = {_list(extras.get("notebook", []))}

[project.scripts]
grader = "grader.cli:main"

[tool.setuptools.packages.find]
include = ["exercises*", "solutions*", "grader*"]

[tool.setuptools.package-data]
grader = ["{CHECKPOINT}/*", "recorded/*"]

[tool.pytest.ini_options]
minversion = "{pytest["minversion"]}"
addopts = "{pytest["addopts"]}"
testpaths = ["exercises"]
python_files = {_list(pytest["python_files"])}
norecursedirs = {_list(pytest["norecursedirs"])}
"""


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{text}'" for text in texts) + "]"


def _readme(order: Order, points: dict[str, tuple[int, int]]) -> str:
    rows = "\n".join(
        f"| `{lesson}` | {_about(lesson)} | {exercises} | {most} |"
        for lesson, (exercises, most) in points.items()
    )
    due = f"\n**Due: {' '.join(order.due.split())}**\n" if order.due else ""
    solutions = (
        "\n`solutions/` holds the same files, solved the way we like to read them.\n"
        if order.with_solutions
        else ""
    )
    return README.format(
        title=" ".join(order.title.split()), due=due, rows=rows, solutions=solutions,
        first=order.lessons[0], exercise=load.exercises(order.lessons[0])[0].name,
        total=sum(most for _, most in points.values()), torch=clone.torch(),
    )  # fmt: skip


def _about(lesson: str) -> str:
    """The title in the lesson's first line: "Lesson 3: logits, what a transformer says."."""
    text = (KIT / "exercises" / f"{lesson}.py").read_text("utf-8")
    title = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return title.partition(": ")[2].rstrip(".") or title


README = """\
# {title}
{due}
You fill in stub functions in `exercises/` and check them with `pytest exercises`. A wrong answer is
shown the smallest input it fails on, and a mistake that others have made before you is named.
It works offline, on a laptop, without a GPU.

| lesson | what it is about | exercises | points |
| --- | --- | --- | --- |
{rows}

{total} points in all.

## Installing it

You need Python 3.10 to 3.13. In this folder:

```bash
python3 -m venv .venv && source .venv/bin/activate &&
pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "{torch}" &&
pip install -e . && pytest exercises
```

On Windows say `.venv\\Scripts\\activate` instead of `source .venv/bin/activate`. The second
line takes PyTorch's CPU build: 190 MB, not the several GB of CUDA that pip picks on Linux by
itself.

## Doing the exercises

Open `exercises/{first}.py`. The text at the top teaches; each function below it says what it must
do, how hard it is and about how long it takes. Write the body in place of
`raise NotImplementedError`, then

```bash
pytest exercises                                  # everything
pytest exercises -k {exercise:<30}# one exercise
pytest exercises -x                               # stop at the first wrong answer
pytest exercises --pdb                            # a debugger where it failed
grader watch                                      # checks a function whenever you save it
grader hint {exercise:<38}# a hint, and a plainer one each time
```

`.` is passed, `F` wrong, `E` an error of yours, `t` still to do; at the end stand your points and
what to do next. The answers you are held against were recorded with `gpt2-tiny`, a small GPT-2 with
the real tokenizer that comes with this kit.
{solutions}
## In a notebook

`notebooks/` holds the same lessons for Jupyter, Colab and Kaggle: `pip install -e ".[notebook]"`,
and open them in JupyterLab or your editor. Each exercise has a cell `check(...)` after it.

## Handing in

Your `exercises/` folder, a single `.py` file or a notebook of it, or a zip of these, as your
instructor says. What counts is what your functions do; leave their names as they are.
"""
