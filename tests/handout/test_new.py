"""A lesson or an exercise of an instructor's own: begun by a command, and told what is missing."""

import re
import shutil
from pathlib import Path

import pytest

from grader import lessons
from grader.handout import new
from grader.lessons import KIT as ROOT
from kits import run_in

FOLDERS = new.FOLDERS


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """With two lessons, since the tests of each take their time."""
    kit = tmp_path_factory.mktemp("kit")
    for folder in ("exercises", "solutions", "grader", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "attacks")
        shutil.copytree(ROOT / folder, kit / folder, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", kit / "pyproject.toml")
    for lesson in set(lessons.names()) - {"lesson2_embedding", "lesson3_logits"}:
        for folder in FOLDERS[:2]:
            (kit / folder / f"{lesson}.py").unlink()
        shutil.rmtree(kit / "grader" / "checks" / lesson)
    return kit


def run_pytest(kit, *arguments):
    files = ("tests/checks/test_lessons.py", "tests/checks/test_misconceptions.py")
    chosen = arguments if arguments[0] == "exercises" else (*files, *arguments)
    options = ("-q", "-p", "no:cacheprovider")
    return run_in(kit, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", *chosen, *options)


def test_it_is_whole_as_it_is_begun_and_says_what_is_missing_later(kit):
    ran = run_in(kit, "from grader.cli import main; main()", "new", "lesson", "attention")
    assert ran.returncode == 0, ran.stderr
    assert "pytest tests -k lesson4_attention" in ran.stdout
    ran = run_pytest(kit, "-k", "lesson4_attention")
    assert ran.returncode == 0, ran.stdout
    assert "2 todo" in run_pytest(kit, "exercises", "-k", "attention_example").stdout

    stub, solution = (kit / folder / "lesson4_attention.py" for folder in FOLDERS[:2])
    checks = kit / "grader" / "checks" / "lesson4_attention" / "attention_example.py"
    texts = stub.read_text(), solution.read_text(), checks.read_text()
    stub.write_text(f"{texts[0]}\n\ndef another(x):\n    raise NotImplementedError\n")
    solution.write_text(texts[1].replace("mean(-1", "mean(0"))
    checks.write_text(texts[2].replace("@attention_example.misconception", ""))
    said = run_pytest(kit, "-k", "lesson4_attention").stdout
    assert "test_a_lesson_has_the_same_exercises_in_all_three_files" in said
    assert "test_an_exercise_has_three_misconceptions" in said
    assert "test_the_example_in_the_docstring_is_true_of_the_solution" in said
    for path, text in zip((stub, solution, checks), texts, strict=True):
        path.write_text(text)


@pytest.fixture
def empty(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def test_a_name_with_a_number_is_taken_as_it_is(empty):
    written = new.lesson("lesson12_layer_norm", empty)
    checks = Path("grader", "checks", "lesson12_layer_norm")
    assert [p.relative_to(empty) for p in written] == [
        Path("exercises", "lesson12_layer_norm.py"),
        Path("solutions", "lesson12_layer_norm.py"),
        checks / "layer_norm_example.py",
    ]
    assert (empty / checks / "__init__.py").is_file()
    assert "def layer_norm_example" in written[0].read_text()


@pytest.mark.parametrize(
    "name", ["", "Attention", "my lesson", "../x", "a-b", "class", "lesson0_x"]
)
def test_what_is_no_name_is_said(empty, name):
    with pytest.raises(new.NotBegun, match="no name for a lesson"):
        new.lesson(name, empty)


def test_nothing_is_overwritten_or_left_half_done(empty):
    with pytest.raises(new.NotBegun, match="lesson3_logits already"):
        new.lesson("lesson3_attention", empty)
    mine = empty / "grader" / "checks" / "lesson9_x" / "__init__.py"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(new.NotBegun, match="cannot be written"):
        new.lesson("lesson9_x", empty)
    assert mine.read_text() == "mine"
    assert [p.name for p in mine.parent.iterdir()] == ["__init__.py"]
    assert not list((empty / "exercises").iterdir())
    shutil.rmtree(empty / "solutions")
    with pytest.raises(new.NotBegun, match="Work in a clone"):
        new.lesson("attention", empty)


# --- An exercise ---------------------------------------------------------------------------------


def test_an_exercise_stands_at_the_end_of_its_lesson_and_is_whole(kit):
    before = (kit / "exercises" / "lesson2_embedding.py").read_text()
    ran = run_in(kit, "from grader.cli import main; main()", "new", "exercise", "2", "centred")
    assert ran.returncode == 0, ran.stderr
    after = (kit / "exercises" / "lesson2_embedding.py").read_text()
    shows = before[before.index('if __name__ == "__main__":') :]
    assert after.startswith(before.removesuffix(shows))
    assert after.endswith(f"    raise NotImplementedError\n\n\n{shows}")
    whole = "centred or (all_three_files and lesson2_embedding)"
    ran = run_pytest(kit, "-k", whole)
    assert ran.returncode == 0, ran.stdout
    assert int(re.search(r"(\d+) passed", ran.stdout)[1]) > 20
    assert "2 todo" in run_pytest(kit, "exercises", "-k", "centred").stdout
    assert (
        "2 passed" in run_pytest(kit, "exercises", "-k", "centred", "--answers", "solutions").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("2", "Centred"), "no name for an exercise"),
        (("2", "softmax"), "softmax already, in lesson3_logits"),
        (("2,3", "centred"), "of one lesson"),
        (("9", "centred"), "no lesson '9'"),
    ],
)
def test_what_is_no_exercise_is_said(kit, arguments, says):
    ran = run_in(kit, "from grader.cli import main; main()", "new", "exercise", *arguments)
    assert (ran.returncode, ran.stderr.count("\n")) == (4, 1)
    assert says in ran.stderr


def test_of_an_exercise_that_cannot_be_written_nothing_is_left(empty):
    for folder in ("exercises", "solutions"):
        (empty / folder / "lesson2_embedding.py").write_text("x = 1\n")
    checks = empty / "grader" / "checks" / "lesson2_embedding"
    checks.mkdir()
    (checks / "centred.py").write_text("mine")
    with pytest.raises(new.NotBegun, match="cannot be written"):
        new.exercise("lesson2_embedding", "centred", empty)
    assert (checks / "centred.py").read_text() == "mine"
    for folder in ("exercises", "solutions"):
        assert (empty / folder / "lesson2_embedding.py").read_text() == "x = 1\n"
