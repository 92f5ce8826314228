"""`pytest exercises` as a student meets it."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest

from grader.lessons import KIT as ROOT
from grader.verdict import load

RIGHT = """
import torch

def one_hot(tokens, d_vocab):
    return torch.nn.functional.one_hot(tokens, d_vocab).float()
"""
WRONG = """
import torch

def one_hot(tokens, d_vocab):
    print("a million\\n" * 1_000_000)
    return torch.nn.functional.one_hot(tokens).float()
"""
STUB = '''
def one_hot(tokens, d_vocab):
    """Easy, 5 minutes. One at the id."""
    raise NotImplementedError
'''


@pytest.fixture(scope="module")
def loaded():
    """load.fixtures, whose reference is loaded once for all of this process's runs."""
    return cache(load.fixtures)


@pytest.fixture
def exercises(pytester, monkeypatch, loaded):
    """A project of one lesson, and how to run it."""
    monkeypatch.setattr(load, "fixtures", loaded)
    monkeypatch.delenv("CI", raising=False)  # pytest prints other things there
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    pytester.makeini(
        "[pytest]\naddopts = -p grader.desk.pytest_plugin\npython_files = test_*.py lesson*_*.py"
    )
    folder = pytester.mkdir("exercises")

    def run(source, *options, lesson="lesson2_embedding"):
        (folder / f"{lesson}.py").write_text(source)
        return pytester.runpytest_inprocess("exercises", *options)

    return run


def one_hot_only(run, source, *options):
    return run(source, "-k", "one_hot", *options)


def text(result):
    return result.stdout.str()


def failures(result):
    return failures_of(text(result))


def failures_of(output):
    return output.partition("= FAILURES =")[2].partition("= progress =")[0]


def test_everything_right_exits_with_zero(exercises):
    result = one_hot_only(exercises, RIGHT)
    assert result.ret == 0
    result.assert_outcomes(passed=4, deselected=13)
    result.stdout.fnmatch_lines(["lesson2_embedding*10/10*passed"])


def test_an_untouched_stub_is_todo_in_one_line_without_a_traceback(exercises):
    result = exercises(STUB)
    assert result.ret == 1
    assert "17 todo" in text(result)
    assert "Traceback" not in text(result)
    assert "NotImplementedError" not in text(result)
    result.stdout.fnmatch_lines(["Next: one_hot (lesson2_embedding.py:2)  Easy, 5 minutes.*"])


def test_a_missing_function_is_todo_and_says_so(exercises):
    result = exercises(STUB, "-k", "unembed")
    assert result.ret == 1
    assert "todo: no such function" in text(result)
    assert "Next: unembed (not there yet)" in text(result)


def test_a_wrong_answer_shows_the_smallest_case_and_where_it_differs(exercises):
    result = one_hot_only(exercises, WRONG, "-v")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*lesson2_embedding.py::one_hot::the_whole_vocabulary_is_there WRONG*",
            "one_hot(tokens, d_vocab) with",
            "    tokens = tensor([[]0, 1[]]*",
            "What it returns:",
            "Expected:",
            "Shape (2, 2) instead of (2, *).",
            "  one_hot*",
        ]
    )


PARTLY_RIGHT = """
import torch

def one_hot(tokens, d_vocab):
    return torch.nn.functional.one_hot(tokens, d_vocab if d_vocab < 8 else 600).double()
"""
NAME = "one-hot vectors only as long as the largest id needs"


def test_a_mistake_that_people_make_is_named_and_explained(exercises, pytester):
    result = one_hot_only(exercises, WRONG.replace("print", "#"), "--junitxml=out.xml")
    section = failures(result)
    assert section.count(f"This looks like: {NAME}.") == 2
    says = "The vocabulary is the same whatever the text"
    assert " ".join(section.split()).count(says) == 1
    result.stdout.fnmatch_lines([f"  one_hot * wrong: {NAME}"])
    assert (
        ET.parse(pytester.path / "out.xml").find(".//property[@name='misconception']") is not None
    )


def test_a_mistake_that_raises_is_named_too(exercises):
    source = "import torch\ndef unembed(final, W_U, b_U):\n    return final @ W_U.T + b_U\n"
    result = exercises(source, "-k", "unembed and not reference")
    assert "This looks like: " in failures(result)
    assert "unembed raised RuntimeError" in failures(result)


def test_other_mistakes_get_no_name(exercises):
    source = "import torch\ndef one_hot(tokens, d_vocab):\n    return torch.ones(*tokens.shape, d_vocab) / 3\n"
    assert "This looks like" not in text(one_hot_only(exercises, source))


def test_an_exercise_under_way_is_told_once_that_there_are_hints(exercises):
    result = one_hot_only(exercises, WRONG.replace("print", "#"))
    assert text(result).count("`grader hint one_hot`") == 1
    assert "grader hint" not in text(one_hot_only(exercises, RIGHT))


def test_a_near_miss_of_type_passes_with_a_remark(exercises):
    source = (
        "def sort_vocab(vocab):\n    return [[t, vocab[t]] for t in sorted(vocab, key=vocab.get)]\n"
    )
    result = exercises(source, "-k", "sort_vocab and not gpt2", lesson="lesson1_tokens")
    assert result.ret == 0
    remark = "at [0]: a list where a tuple is meant"
    result.stdout.fnmatch_lines([f"sort_vocab passes, with a remark: {remark}."])


def test_a_forbidden_call_is_said_once_with_its_line_and_nothing_passes(exercises):
    source = "import torch\n\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n"
    result = exercises(source, "-k", "softmax and not log_softmax", lesson="lesson3_logits")
    assert "passed" not in text(result)
    said = "Line 4 calls torch.softmax, which this exercise rules out:"
    assert failures(result).count(said) == 1
    assert "    return torch.softmax(x, dim)" in failures(result)


def test_colours_are_for_terminals_that_have_them(exercises, monkeypatch):
    wrong = RIGHT.replace("return", "return 0.1 +")
    plain = text(one_hot_only(exercises, wrong))
    assert "\x1b" not in plain
    coloured = text(one_hot_only(exercises, wrong, "--color=yes"))
    assert "\x1b[31m    yours " in coloured
    assert "\x1b[32m    expected " in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in text(one_hot_only(exercises, wrong))
    without = re.sub(r"\x1b\[[0-9;]*m", "", failures_of(coloured))
    assert without == failures_of(plain)  # nothing is said by colour alone


def test_what_an_answer_prints_is_cut(exercises):
    result = one_hot_only(exercises, WRONG)
    assert 1 < text(result).count("a million") < 100


@pytest.mark.parametrize(
    "body",
    [
        "return torch.zeros(1_000_000)",
        "return 'x' * 10_000_000",
        "return [['y' * 1000] * 1000] * 1000",
        "return type('Liar', (), {'__eq__': lambda s, o: True, '__repr__': lambda s: 1 / 0})()",
        "return type('Odd', (type,), {'__name__': property(lambda s: 1 / 0)})('x' * 9999, (), {})()",
        "raise ValueError('z' * 10_000_000)",
        "raise type('Hostile', (Exception,), {'__str__': lambda s: 1 / 0})()",
        "return one_hot(tokens, d_vocab)",
        "raise SystemExit(0)",
        "raise KeyboardInterruptLike()",
        "import pytest; pytest.exit('done', returncode=0)",
        "import pytest; pytest.skip('never mind')",
        "import os, sys; sys.stdout = None; return 1",
        "l = []\n    for _ in range(5): l = [l] * 10\n    return l",
        "return torch.zeros(1).expand(50257, 50257)",
        "return 10**100_000",
        "return torch.zeros(2, 3, dtype=torch.complex32)",
        "return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])",
        "raise ValueError('\\ud800 \\x1b[31m red')",
        "import unittest; raise unittest.SkipTest('never mind')",
        "import warnings\n    for i in range(5000): warnings.warn(f'w{i}')",
        "import sys; sys.setrecursionlimit(60); raise ValueError('x')",
        "torch.set_default_device('meta'); raise ValueError('x')",
        "import os; os.chdir('/'); raise ValueError('x')",
    ],
)
def test_feedback_is_never_longer_than_a_screen(exercises, body):
    source = f"import torch\nclass KeyboardInterruptLike(BaseException): pass\n\ndef one_hot(tokens, d_vocab):\n    {body}\n"
    result = exercises(source, "-k", "one_at_the_id")
    assert result.ret == 1
    result.assert_outcomes(failed=1, deselected=16)
    section = failures(result)
    assert 2 < section.count("\n") < 45
    assert max(map(len, section.split("\n"))) < 250
    assert "\x1b" not in section
    assert {m[1] for m in re.finditer(r"(\w+)\.py:", section)} <= {"lesson2_embedding"}


def test_an_exception_shows_the_students_frames_only_and_once(exercises):
    source = "def helper(x):\n    return x.nothing\n\ndef one_hot(tokens, d_vocab):\n    return helper(tokens)\n"
    result = one_hot_only(exercises, source)
    assert "3 same error" in text(result)
    section = failures(result)
    assert section.count("raised AttributeError") == 1
    assert "lesson2_embedding.py:5, in one_hot" in section
    assert "lesson2_embedding.py:2, in helper" in section
    assert section.count(".py:") == 2  # no frame of the kit's own


def test_the_short_summary_has_a_line_per_failure_in_ci_too(exercises, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = one_hot_only(exercises, WRONG.replace("print", "#"))
    summary = text(result).partition("= short test summary info =")[2].strip().split("\n")
    assert [line.partition("::")[0] for line in summary[1:-1]] == [
        "WRONG exercises/lesson2_embedding.py"
    ] * 4
    assert summary[1].endswith(f" - This looks like: {NAME}.")


def test_an_operator_that_pytorch_lacks_is_an_error_and_not_todo(exercises):
    source = "import torch\n\ndef one_hot(tokens, d_vocab):\n    return torch.randn(3).long().exp2_().softmax(0) if 0 else torch.tensor([1]).softmax(0)\n"
    result = exercises(source, "-k", "one_at_the_id")
    result.assert_outcomes(failed=1, deselected=16)


def test_calling_another_stub_says_which_one_is_missing(exercises):
    source = "def helper():\n    raise NotImplementedError\n\ndef one_hot(tokens, d_vocab):\n    return helper()\n"
    result = one_hot_only(exercises, source)
    assert "one_hot calls helper, which is still to do." in text(result)


def test_a_decorated_stub_is_todo(exercises):
    result = exercises("import torch\n@torch.no_grad()" + STUB)
    assert "17 todo" in text(result)
    partly = "import torch\n@torch.no_grad()\ndef one_hot(tokens, d_vocab):\n    x = 1\n    raise NotImplementedError\n"
    assert "4 todo" in text(one_hot_only(exercises, partly))


def test_a_half_written_answer_is_todo_where_it_says_so(exercises):
    source = RIGHT.replace(
        "return", "if tokens.ndim != 1: raise NotImplementedError('more')\n    return"
    )
    result = exercises(source, "-k", "one_at_the_id or whole_vocabulary")
    assert "1 passed" in text(result)
    assert "1 todo" in text(result)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def one_hot(:\n", "SyntaxError"),
        ("import nothing_of_the_kind\n", "No module named 'nothing_of_the_kind'"),
        ("raise SystemExit\n", "SystemExit"),
        ("x = 1 / 0\n", "ZeroDivisionError"),
        ("\0", "null bytes"),
    ],
)
def test_a_lesson_that_does_not_import_says_so_once_and_the_others_run(
    exercises, pytester, source, says
):
    (pytester.path / "exercises" / "lesson4_decoding.py").write_text(
        "def next_token(logits):\n    return logits[:, -1].argmax(-1)\n"
    )
    result = exercises(source, "-k", "one_hot or next_token")
    assert result.ret == 1
    assert (
        len(re.findall("is not defined, since line 1 of|cannot be imported", failures(result))) == 1
    )
    assert says in text(result)
    assert "1 passed" in text(result)
    assert "3 same error" in text(result)


def test_last_failed_runs_what_failed(exercises):
    one_hot_only(exercises, PARTLY_RIGHT)
    result = exercises(PARTLY_RIGHT, "--lf")
    result.assert_outcomes(failed=2)


def test_a_check_that_passes_for_anything_says_that_it_does_not_count_yet(exercises):
    result = one_hot_only(exercises, WRONG.replace("print", "#"))
    result.assert_outcomes(failed=4)
    assert failures(result).count("It counts once another check") == 2
    result = exercises(WRONG, "-k", "is_float32")  # alone: the others are asked, too
    result.assert_outcomes(failed=1)
    assert "0/1" in text(result)


def test_exit_first_stops_at_the_first_failure_and_not_at_a_todo(exercises):
    result = exercises(WRONG.replace("print", "#"), "-x")
    result.assert_outcomes(failed=1, passed=0)
    result = exercises(RIGHT, "-x")
    assert "13 todo" in text(result)


def test_a_path_may_name_one_check(exercises, pytester):
    exercises(RIGHT)
    result = pytester.runpytest_inprocess(
        "exercises/lesson2_embedding.py::one_hot::is_float32", "-v"
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["exercises/lesson2_embedding.py::one_hot::is_float32 PASSED*"])


def test_junit_files_hold_outcomes_and_points(exercises, pytester):
    one_hot_only(exercises, WRONG, "--junitxml=out.xml")
    cases = ET.parse(pytester.path / "out.xml").getroot().findall(".//testcase")
    properties = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
    }
    assert properties["is_float32"] == {"outcome": "wrong", "points": "0", "max_points": "1"} | (
        {"misconception": NAME}
    )
    assert properties["one_at_the_id"]["outcome"] == "wrong"
    assert properties["one_at_the_id"]["points"] == "0"


@pytest.mark.thorough
def test_text_that_cannot_be_encoded_does_not_end_a_spread_run(exercises):
    source = "def one_hot(tokens, d_vocab):\n    raise ValueError('\\ud800')\n"
    result = one_hot_only(exercises, source, "-n", "2")
    assert result.ret == 1
    assert "ValueError" in text(result)


def test_a_lesson_that_intercepts_lookups_is_just_a_lesson(exercises):
    source = RIGHT + "\ndef __getattr__(name):\n    raise ValueError(name)\n"
    result = exercises(source)
    assert "4 passed" in text(result)
    assert "13 todo" in text(result)


def test_xdist_gives_the_same_summary(exercises):
    source = WRONG.replace("print", "#")
    alone = text(one_hot_only(exercises, source)).partition("= progress =")[2]
    spread = text(one_hot_only(exercises, source, "-n", "2")).partition("= progress =")[2]
    assert [line for line in spread.split("\n") if "one_hot" in line and "WRONG" not in line] == [
        line for line in alone.split("\n") if "one_hot" in line and "WRONG" not in line
    ]
    assert "0/10" in spread


def test_pdb_stops_where_the_case_is_at_hand(pytester, exercises):
    exercises(WRONG.replace("print", "#"), "--co")
    child = pytester.spawn_pytest("exercises -k whole_vocabulary --pdb")
    child.expect("Pdb")
    child.sendline("p observed.shape, expected.shape")
    child.expect(r"torch.Size\(\[2, 2\]\), torch.Size\(\[2, \d\]\)")
    child.sendline("q")
    child.read()


def test_answers_are_taken_from_another_folder(exercises, pytester):
    other = pytester.mkdir("theirs")
    (other / "lesson2_embedding.py").write_text(RIGHT)
    result = one_hot_only(exercises, STUB, "--answers", "theirs")
    result.assert_outcomes(passed=4, deselected=13)


def test_a_lesson_missing_from_the_folder_of_answers_is_todo(exercises, pytester):
    pytester.mkdir("theirs")
    result = one_hot_only(exercises, STUB, "--answers", "theirs", "-rs")
    assert result.ret == 1
    assert "4 todo" in text(result)
    assert "todo: no such file" in text(result)


@pytest.mark.parametrize("module", ["lesson1_tokens", "exercises.lesson1_tokens"])
def test_one_lesson_may_import_another_of_the_same_folder(exercises, pytester, module):
    later = f"from {module} import second\ndef one_hot(tokens, d_vocab):\n    return second()\n"
    earlier = "def second():\n    raise ValueError('theirs')\n"
    for folder in ("exercises", "theirs"):
        (pytester.path / folder).mkdir(exist_ok=True)
        (pytester.path / folder / "lesson1_tokens.py").write_text(earlier)
    (pytester.path / "theirs" / "lesson2_embedding.py").write_text(later)
    earlier_ones = pytester.path / "exercises" / "lesson1_tokens.py"
    earlier_ones.write_text(earlier.replace("theirs", "those in place"))
    result = one_hot_only(exercises, STUB, "--answers", "theirs")
    assert "ValueError: theirs" in text(result)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--answers", "nowhere"], "no folder 'nowhere'"),
        (["--reference", "nowhere"], "no folder 'nowhere'"),
        (["--reference", "exercises"], "no readable config.json"),
        (["--device", "mps"], "no device 'mps' here"),
        (["--device", "cuda"], "no device 'cuda' here"),
        (["--device", "abacus"], "invalid choice"),
    ],
)
def test_a_choice_that_cannot_be_met_is_one_line_and_exit_code_4(exercises, options, says):
    if options[-1] in ("mps", "cuda"):
        from grader.inside.reference import available_devices

        if options[-1] in available_devices():
            pytest.skip("that device is here")
    result = exercises(RIGHT, *options)
    assert result.ret == 4
    assert says in result.stderr.str()
    assert "collected" not in text(result)


def test_a_checkpoint_that_does_not_load_stops_the_run_before_it_begins(exercises, pytester):
    broken = pytester.mkdir("broken")
    (broken / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    (broken / "model.safetensors").write_bytes(b"no weights")
    (broken / "tokenizer.json").write_text("{}")
    source = "def embed_by_matmul(tokens, W_E):\n    return W_E[tokens]\n"
    exercises(source, "--co")
    # In a process of its own: importing TransformerLens twice in one upsets PyTorch.
    result = pytester.runpytest_subprocess("exercises", "--reference", "broken")
    assert result.ret == 4
    assert "broken does not load as a GPT-2" in text(result)
    assert "passed" not in text(result)


@pytest.mark.thorough
def test_a_reference_that_prefers_no_token_is_named_as_the_cause(exercises, pytester):
    from transformers import GPT2Config, GPT2LMHeadModel

    from grader.inside.reference import load_tokenizer

    folder = pytester.path / "untrained"
    GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8)).save_pretrained(folder)
    load_tokenizer("gpt2-tiny").save_pretrained(folder)
    exercises(
        "def top_k_tokens(tokenizer, probs, k):\n    return 1\n", "--co", lesson="lesson3_logits"
    )
    result = pytester.runpytest_subprocess(
        "exercises", "-k", "of_the_live_model", "--reference", "untrained"
    )
    assert result.ret == 1
    assert "Is it trained?" in text(result)
    assert "Traceback" not in text(result)


def test_another_seed_runs_other_cases_too(exercises):
    counted = """
import torch
from functools import cache
from pathlib import Path

def one_hot(tokens, d_vocab):
    with Path("calls").open("a") as file:
        file.write("x")
    return torch.nn.functional.one_hot(tokens, d_vocab).float()
"""
    one_hot_only(exercises, counted)
    public = len(Path("calls").read_text())
    result = one_hot_only(exercises, counted, "--case-seed", "7", "--case-seed", "secret")
    assert result.ret == 0
    assert len(Path("calls").read_text()) == 4 * public


def test_arguments_are_fresh_in_every_call(exercises):
    source = RIGHT.replace("return", "tokens = tokens.clone(); return") + (
        "\n_one_hot = one_hot\ndef one_hot(tokens, d_vocab):\n"
        "    result = _one_hot(tokens, d_vocab)\n    tokens.zero_()\n    return result\n"
    )
    one_hot_only(exercises, source).assert_outcomes(passed=4, deselected=13)


def test_global_state_that_an_answer_changes_is_put_back(exercises):
    import torch

    source = RIGHT.replace(
        "    return",
        "    torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)\n    return",
    )
    one_hot_only(exercises, source).assert_outcomes(passed=4, deselected=13)
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()


def test_global_state_that_a_lesson_sets_on_import_is_put_back(exercises):
    source = (
        "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_default_device('meta')\n"
        + RIGHT
    )
    one_hot_only(exercises, source).assert_outcomes(passed=4, deselected=13)


def test_the_difference_is_said_however_long_the_values_are(exercises):
    source = "import torch\ndef embed_with_positions(tokens, W_E, W_pos):\n    return (W_E[tokens] + W_pos[: tokens.shape[1]]).expand(9, 9, 9, -1, -1, -1)\n"
    result = exercises(source, "-k", "token_plus_position")
    assert "Shape (9, 9, 9, " in text(result)


def modules_after(*options):
    """What a run has imported by its end, in a process of its own."""
    code = (
        "import sys, pytest\n"
        f"code = pytest.main({list(options)!r})\n"
        "print('CODE', int(code))\n"
        "print('MODULES', *sorted(sys.modules))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "CODE 0" in result.stdout, result.stdout + result.stderr
    return result.stdout.rpartition("MODULES")[2].split()


def test_lessons_that_need_no_reference_do_not_wait_for_it():
    lesson1 = modules_after("exercises/lesson1_tokens.py", "--answers", "solutions")
    assert "transformer_lens" not in lesson1
    softmax = modules_after("exercises", "-k", "softmax", "--answers", "solutions")
    assert "transformer_lens" not in softmax
    assert "transformers" not in softmax


def test_a_run_without_lessons_does_not_wait_for_torch():
    assert "torch" not in modules_after("--version")


def test_the_solutions_pass_on_the_embedded_reference():
    command = [sys.executable, "-m", "pytest", "exercises", "--answers", "solutions", "-q"]
    result = subprocess.run(
        [*command, "--reference", "gpt2-tiny"], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stdout
    assert "Checked against gpt2-tiny on " in result.stdout
