"""A lesson of an instructor's own: begun by a command, and told what is missing."""

import shutil
from pathlib import Path

import pytest

from grader import new_lesson
from kits import run_in

ROOT = Path(__file__).parent.parent
FOLDERS = new_lesson.FOLDERS


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    kit = tmp_path_factory.mktemp("kit")
    for folder in ("exercises", "solutions", "grader", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "attacks")
        shutil.copytree(ROOT / folder, kit / folder, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", kit / "pyproject.toml")
    return kit


def run_pytest(kit, *arguments):
    files = ("tests/test_lessons.py", "tests/test_misconceptions.py")
    chosen = arguments if arguments[0] == "exercises" else (*files, *arguments)
    options = ("-q", "-p", "no:cacheprovider")
    return run_in(kit, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", *chosen, *options)


def test_it_is_whole_as_it_is_begun_and_says_what_is_missing_later(kit):
    ran = run_in(kit, "from grader.cli import main; main()", "new", "lesson", "attention")
    assert ran.returncode == 0, ran.stderr
    assert "pytest tests -k lesson5_attention" in ran.stdout
    ran = run_pytest(kit, "-k", "lesson5_attention")
    assert ran.returncode == 0, ran.stdout
    assert "2 todo" in run_pytest(kit, "exercises", "-k", "attention_example").stdout

    stub, solution, checks = (kit / folder / "lesson5_attention.py" for folder in FOLDERS)
    texts = stub.read_text(), solution.read_text(), checks.read_text()
    stub.write_text(f"{texts[0]}\n\ndef another(x):\n    raise NotImplementedError\n")
    said = run_pytest(kit, "-k", "lesson5_attention").stdout
    assert "test_a_lesson_has_the_same_exercises_in_all_three_files" in said
    stub.write_text(texts[0])
    checks.write_text(texts[2].replace("@attention_example.misconception", ""))
    said = run_pytest(kit, "-k", "lesson5_attention").stdout
    assert "test_an_exercise_has_three_misconceptions" in said
    checks.write_text(texts[2])
    solution.write_text(texts[1].replace("mean(-1", "mean(0"))
    said = run_pytest(kit, "-k", "lesson5_attention").stdout
    assert "test_the_example_in_the_docstring_is_true_of_the_solution" in said


@pytest.fixture
def empty(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def test_a_name_with_a_number_is_taken_as_it_is(empty):
    written = new_lesson.write("lesson12_layer_norm", empty)
    assert [p.relative_to(empty) for p in written] == [
        Path(folder, "lesson12_layer_norm.py") for folder in FOLDERS
    ]
    assert "def layer_norm_example" in written[0].read_text()


@pytest.mark.parametrize(
    "name", ["", "Attention", "my lesson", "../x", "a-b", "class", "lesson0_x"]
)
def test_what_is_no_name_is_said(empty, name):
    with pytest.raises(new_lesson.NoNewLesson, match="no name for a lesson"):
        new_lesson.write(name, empty)


def test_nothing_is_overwritten_or_left_half_done(empty):
    with pytest.raises(new_lesson.NoNewLesson, match="lesson3_logits already"):
        new_lesson.write("lesson3_attention", empty)
    mine = empty / "grader" / "checks" / "lesson9_x.py"
    mine.write_text("mine")
    with pytest.raises(new_lesson.NoNewLesson, match="cannot be written"):
        new_lesson.write("lesson9_x", empty)
    assert mine.read_text() == "mine"
    assert not list((empty / "exercises").iterdir())
    shutil.rmtree(empty / "solutions")
    with pytest.raises(new_lesson.NoNewLesson, match="Work in a clone"):
        new_lesson.write("attention", empty)
