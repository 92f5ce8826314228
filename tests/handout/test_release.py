"""A kit that is handed out: says what the full one says, and gives nothing away."""

import ast
import io
import json
import marshal
import re
import shutil
import zipfile
import zlib

import pytest

from grader import lessons
from grader.handout import release
from grader.lessons import KIT as ROOT
from grader.verdict import load
from kits import run_in

DUE = "Friday, 18 December 2026, 18:00"
CANARY = "canary-5f1c9e"


@pytest.fixture(scope="module")
def worked_in(tmp_path_factory):
    """The full kit, with what instructors leave lying about."""
    kit = tmp_path_factory.mktemp("full") / "kit"
    kit.mkdir()
    for folder in ("exercises", "solutions", "grader"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, kit / folder, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, kit / name)
    for name in (
        "seed.txt",
        "gradebook.sqlite",
        "exercises/seed.txt",
        "grader/seed",
        "notebooks/x",
    ):
        (kit / name).parent.mkdir(exist_ok=True)
        (kit / name).write_text(CANARY)
    for folder in ("exercises", "grader"):
        (kit / folder / "__pycache__").mkdir()
        compiled = compile((ROOT / "solutions" / "lesson3_logits.py").read_text(), "x", "exec")
        (kit / folder / "__pycache__" / "lesson3_logits.pyc").write_bytes(marshal.dumps(compiled))
        with zipfile.ZipFile(kit / folder / "old.zip", "w") as archive:
            archive.write(ROOT / "solutions" / "lesson3_logits.py", "lesson3_logits.py")
    return kit


@pytest.fixture(scope="module")
def kit(worked_in, tmp_path_factory):
    """All lessons, handed out."""
    there = tmp_path_factory.mktemp("release") / "kit"
    ran = grader(worked_in, "release", "--to", there, "--title", "Tokens & logits", "--due", DUE)
    assert ran.returncode == 0, ran.stderr
    return there


def grader(kit, *arguments):
    return run_in(kit, "from grader.cli import main; main()", *map(str, arguments))


# --- The same verdicts, in the same words --------------------------------------------------------

JUDGE = """
import importlib.util, json, types
import torch
torch.set_num_threads(1)  # of several threads, now one and now another meets an error first
kit, full, to, *judged_lessons = sys.argv[1:]
sys.path.append(full)  # for its solutions, which misconceptions may call
import grader
assert grader.__file__.startswith(kit), grader.__file__
from grader import lessons
from functools import cache
from grader.verdict import answers, grade, load
grader.__path__.append(full + "/grader")  # where the kit has no such module
fixtures = load.fixtures("gpt2-tiny", "cpu")
fixtures("reference")
recorded = lessons.are_recorded()
assert recorded == (kit != full)

def loaded(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

made = cache(lambda check, solution: list(grade.questions(check, solution, [0], fixtures)))
answers.Answers.questions = lambda self, check, solution, seeds, fixtures: made(check, solution)
seen = {}
def once(check, implementation, case):
    key = implementation, id(case)
    if key not in seen:
        seen[key] = observation(check, implementation, case), case
    return seen[key][0]
observation = grade.observation
grade.observation = once

said = {}
sys.modules.setdefault("grader.checks", types.ModuleType("grader.checks")).__path__ = [
    full + "/grader/checks"
]
for lesson in judged_lessons:
    stubs = loaded("stubs", f"{kit}/exercises/{lesson}.py")
    solved = loaded("solved", f"{full}/solutions/{lesson}.py")
    for exercise in load.exercises(lesson):
        checks = importlib.import_module(f"grader.checks.{lesson}.{exercise.name}")
        implementations = {m.name: m.implementation for m in vars(checks)[exercise.name].misconceptions}
        implementations |= {"stub": vars(stubs)[exercise.name], "solved": vars(solved)[exercise.name]}
        for name, implementation in implementations.items():
            theirs = answers.Answers("answers", {exercise.name: implementation})
            judged = [
                theirs.judge(exercise, check, getattr(load.solution(lesson), exercise.name), fixtures)
                for check in exercise.checks
            ]
            said[f"{exercise.name}: {name}"] = [
                [check.name, check.points, j.outcome.value, j.feedback, j.note, j.said,
                 j.explanation and [j.explanation.heading, j.explanation.says]]
                for check, j in zip(exercise.checks, judged, strict=True)
            ]
json.dump(said, open(to, "w"))
"""


@pytest.mark.parametrize(
    "judged",
    [["lesson2_embedding"], pytest.param(lessons.names(), marks=pytest.mark.thorough)],
    ids=["one lesson", "all lessons"],
)
def test_every_misconception_stub_and_solution_is_judged_as_in_the_full_kit(kit, tmp_path, judged):
    said = []
    for there in (kit, ROOT):
        ran = run_in(there, JUDGE, there, ROOT, tmp_path / "said.json", *judged)
        assert ran.returncode == 0, ran.stderr[-3000:]
        said.append(json.loads((tmp_path / "said.json").read_text()))
    handed_out, full = said
    assert handed_out.keys() == full.keys()
    for answer, checks in full.items():
        assert handed_out[answer] == checks, answer
    exercises = [e for lesson in judged for e in load.exercises(lesson)]
    assert len(full) == sum(len(e.misconceptions) + 2 for e in exercises)
    outcomes = {o for checks in full.values() for _, _, o, *_ in checks}
    assert outcomes == {"passed", "wrong", "error", "todo"}


ANSWERS = """
import torch

def softmax(x, dim):
    return x.exp() / x.exp().sum()

def log_softmax(x, dim):
    return softmax(x, dim).log()

def entropy(logits):
    return [][1]

def perplexity(loss):
    return torch.tensor(loss)

def next_token_probs(model, text):
    return model(text)[0, 0].softmax(-1)
"""


@pytest.mark.thorough
def test_pytest_says_the_same_there(kit, tmp_path):
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "lesson3_logits.py").write_text(ANSWERS)
    said = []
    for there in (kit, ROOT):
        ran = run_in(
            there, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", "exercises", "--answers",
            tmp_path / "answers", "-p", "no:cacheprovider", "--reference", "gpt2-tiny", "--device",
            "cpu",
        )  # fmt: skip
        assert ran.returncode == 1, ran.stdout[-2000:] + ran.stderr
        # Beside a helper that is wrong the full kit names what is left with the solution's instead.
        differ = (
            r" in \d[^=]*|rootdir: .*|plugins: .*|configfile: .*|(?<=right yet).*\n(?:    .*\n)*"
        )
        said.append(re.sub(differ, "", ran.stdout))
    assert said[0] == said[1]
    assert "This looks like: " in said[0]
    assert "wrong" in said[0]


# --- Nothing that gives it away ------------------------------------------------------------------


def contents(path, data):
    """Everything that is in a file, as far as it can be unpacked."""
    if path.endswith((".zip", ".whl")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from contents(name, archive.read(name))
    elif path.endswith(".ipynb"):
        for cell in json.loads(data)["cells"]:
            yield f"{path}: a cell", "".join(cell["source"]).encode()
        yield path, data
    elif path.endswith(".bin"):
        yield path, zlib.decompress(data)
    else:
        yield path, data


def in_it(kit):
    files = [path for path in kit.rglob("*") if path.is_file()] if kit.is_dir() else [kit]
    for path in files:
        if path.suffix != ".safetensors":
            yield from contents(str(path), path.read_bytes())


def lines(path):
    """Of what its functions do, long enough to tell: as written, and as Python would write it."""
    text = path.read_text()
    written, found = text.splitlines(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            for statement in node.body[1 if ast.get_docstring(node) else 0 :]:
                found.update(written[statement.lineno - 1 : statement.end_lineno])
                found.update(ast.unparse(statement).splitlines())
    return {line.strip() for line in found if len(line.strip()) >= 24}


def secrets():
    """Lines of solutions, of checks and of misconceptions that stand nowhere else."""
    public = [ROOT / "exercises" / f"{name}.py" for name in lessons.names()]
    public += [ROOT / path for path in release.modules()]
    shown = "\n".join(path.read_text() for path in public)
    folders = (ROOT / "solutions", ROOT / "grader" / "checks")
    found = set().union(
        *(lines(p) for folder in folders for p in folder.rglob("*.py") if "lesson" in str(p))
    )
    return [line.encode() for line in found if line not in shown]


def test_no_solution_check_or_misconception_is_in_it(kit):
    secret = secrets()
    assert len(secret) > 1000
    found = {(path, line) for path, data in in_it(kit) for line in secret if line in data}
    assert not found


def test_the_search_would_find_them(tmp_path):
    solved = ROOT / "solutions" / "lesson3_logits.py"
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        cell = {"cell_type": "code", "source": solved.read_text().splitlines(keepends=True)}
        archive.writestr("x.ipynb", json.dumps({"cells": [cell]}))
    secret = secrets()
    [found] = [
        {line for line in secret if line in data}
        for path, data in in_it(tmp_path)
        if path.endswith("a cell")
    ]
    assert len(found) > 15


def test_nothing_that_lies_about_is_in_it(kit):
    assert not [path for path, data in in_it(kit) if CANARY.encode() in data]
    names = {str(path.relative_to(kit)) for path in kit.rglob("*") if path.is_file()}
    assert not [name for name in names if re.search("pyc|seed|sqlite|zip|checks|solutions", name)]
    folders = {name.partition("/")[0] for name in names}
    assert folders == {"exercises", "grader", "notebooks", "pyproject.toml", "README.md", "LICENSE",
                       "NOTICE"}  # fmt: skip


# --- A kit that works ----------------------------------------------------------------------------


def test_every_module_in_it_can_be_imported(kit):
    code = """
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
    names = [str(path.with_suffix("")).replace("/", ".") for path in release.modules()]
    names.remove("grader.__main__")
    ran = run_in(kit, code, *(name.removesuffix(".__init__") for name in names))
    assert ran.returncode == 0, ran.stderr


def test_it_takes_whole_rooms():
    for room in ("inside", "verdict", "desk", "notebooks"):
        there = {p.relative_to(ROOT) for p in (ROOT / "grader" / room).rglob("*.py")}
        assert there <= set(release.modules()), room


def test_it_has_the_commands_of_students_and_no_others(kit):
    said = grader(kit, "--help").stdout
    for command in ("doctor", "hint", "notebook", "watch"):
        assert re.search(rf"^  {command} ", said, re.M)
    for command in ("grade", "release", "export", "new"):
        assert not re.search(rf"^  {command} ", said, re.M)
    assert grader(kit, "doctor").returncode == 0
    assert "no walls to prove" in grader(kit, "doctor", "--prove").stderr
    assert "Hint 1 of" in grader(kit, "hint", "softmax").stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--reference", "gpt2-small"], "recorded with gpt2-tiny on the CPU"),
        (["--device", "cuda"], "recorded with gpt2-tiny on the CPU"),
        (["--case-seed", "1"], "public cases only"),
    ],
)
def test_what_was_not_recorded_is_refused_in_one_line(kit, options, says):
    ran = run_in(kit, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", "exercises", *options)
    assert ran.returncode == 4
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_its_readme_says_what_it_was_told(kit):
    said = (kit / "README.md").read_text()
    assert said.startswith("# Tokens & logits\n\n**Due: Friday, 18 December 2026, 18:00**\n")
    assert "| `lesson3_logits` | logits, what a transformer says | 10 | 140 |" in said
    assert "440 points in all." in said


@pytest.mark.thorough
def test_one_lesson_zipped_with_its_solution_is_the_same_each_time(worked_in, tmp_path):
    kits = []
    for n in range(2):
        to = tmp_path / str(n) / "week 2.zip"
        ran = grader(worked_in, "release", "--to", to, "--lessons", "2", "--with-solutions")
        assert ran.returncode == 0, ran.stderr
        kits.append(to.read_bytes())
        assert [path.name for path in to.parent.iterdir()] == [to.name]
    assert kits[0] == kits[1]
    with zipfile.ZipFile(to) as archive:
        archive.extractall(tmp_path)
    kit = tmp_path / "week 2"
    assert (kit / "solutions" / "lesson2_embedding.py").is_file()
    assert not list(kit.rglob("*lesson1*"))
    ran = run_in(kit, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", "exercises", "--answers",
                 "solutions", "-q")  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_what_is_no_stub_or_would_be_overwritten_stops_it(worked_in, tmp_path):
    (tmp_path / "mine").touch()
    ran = grader(worked_in, "release", "--to", tmp_path, "--lessons", "1")
    assert ran.returncode == 4
    assert "there already" in ran.stderr
    kit = tmp_path / "kit"
    shutil.copytree(worked_in, kit)
    lesson = kit / "exercises" / "lesson2_embedding.py"
    stub = lesson.read_text()
    lesson.write_text(stub.replace("raise NotImplementedError", "return 1", 1))
    ran = grader(kit, "release", "--to", tmp_path / "new")
    assert ran.returncode == 4
    assert "one_hot is no stub" in ran.stderr
    solution = kit / "solutions" / "lesson2_embedding.py"
    [line] = [x for x in solution.read_text().splitlines() if "torch.arange(d_vocab" in x]
    lesson.write_text(f"{stub}\n# {line.strip()}\n")
    ran = grader(kit, "release", "--to", tmp_path / "new")
    assert ran.returncode == 4
    assert "holds a line of one_hot's solution" in ran.stderr
    lesson.write_text(stub + "\n1/0")
    assert "ZeroDivisionError" in grader(kit, "release", "--to", tmp_path / "new").stderr
    (kit / "grader" / "desk" / "pictures" / "call.py").unlink()
    ran = grader(kit, "release", "--to", tmp_path / "new", "--lessons", "1")
    assert ran.stderr.startswith("ERROR: There is no grader/desk/pictures/call.py in this kit.")
    shutil.rmtree(kit / "exercises")
    assert "Release from a clone" in grader(kit, "release", "--to", tmp_path / "new").stderr
    assert not (tmp_path / "new").exists()
