"""`check` in a notebook and at a prompt."""

import subprocess
import sys
import textwrap

import pytest
import torch

from grader.desk import live
from grader.desk.live import CannotCheck, Checks, Stopped
from grader.inside import run
from grader.verdict import grade, load
from markup import Tags

WRONG = '''
import functools
import torch
import torch.nn.functional as F

def softmax(x, dim):
    exp = (x - x.max()).exp()
    return exp / exp.sum(dim, keepdim=True)

def log_softmax(x, dim):
    return softmax(x, dim).log()

def next_token_probs(model, text):
    return model(text)[0, -2].softmax(dim=-1)

def top_k_tokens(tokenizer, probs, k):
    return helper(tokenizer)

def helper(tokenizer):
    return tokenizer.no_such_thing

def target_log_probs(logits, tokens):
    """Medium, 10 minutes. What came."""
    raise NotImplementedError

def cross_entropy(logits, tokens, attention_mask):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())

def perplexity(log_probs):
    return log_probs.mean().exp()

def entropy(logits):
    return target_log_probs(logits, logits)
'''


@pytest.fixture(scope="module")
def check():
    check = Checks()
    check.reference, check.device = "gpt2-tiny", "cpu"
    check._of_settings()("reference")  # pytester forgets what is first imported within a test
    return check


@pytest.fixture
def shell(check, tmp_path, monkeypatch):
    """An IPython, and how to run a cell in it: cell(source) -> what its last line shows."""
    pytest.importorskip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    for prompt in ("ps1", "ps2", "ps3"):  # it sets them for good
        monkeypatch.setattr(sys, prompt, "", raising=False)
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}), colors="nocolor")
    shell.user_ns["check"] = check

    def cell(source):
        result = shell.run_cell(textwrap.dedent(source), store_history=True)
        cell.raised = result.error_in_exec
        return result.result

    return cell


def assert_safe(html):
    page = Tags(html)
    known = {"div", "p", "b", "i", "table", "tr", "td", "code", "span", "details", "summary", "pre"}
    assert page.tags <= known
    assert page.attributes <= {"style", "open", "aria-hidden"}
    assert "url(" not in html
    return page.text


# --- Words ---------------------------------------------------------------------------------------


def test_importing_grader_imports_no_torch():
    code = "import grader, sys; assert 'torch' not in sys.modules; from grader import check"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_grader_does_not_have_is_an_attribute_error():
    import grader

    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        grader.chekc  # noqa: B018


def test_the_words_are_those_of_pytest(check, pytester, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\naddopts=-p grader.desk.pytest_plugin\npython_files=lesson*_*.py")
    path = pytester.mkdir("exercises") / "lesson3_logits.py"
    path.write_text(WRONG)
    said = pytester.runpytest_inprocess(
        "exercises", "-v", "--reference", "gpt2-tiny", "--device", "cpu"
    ).stdout.str()
    module = run.load(path).module
    compared = named = 0
    for exercise in load.exercises("lesson3_logits"):
        function = vars(module).get(exercise.name)
        if function is None:
            continue
        checked = check(function)
        for result in checked.results:
            name = f"{exercise.name}::{result.check.name} "
            assert f"{name}{result.outcome.upper()}" in said or result.outcome == "passed"
            if result.is_shown:
                assert result.judged.feedback in said
                assert result.judged.feedback in repr(checked)
                shown = result.judged.feedback.replace("`", "")  # it is code there
                assert shown in assert_safe(checked._repr_html_())
                compared += 1
        if checked.misconception:
            name = checked.misconception.partition(", which is not right yet")[0]
            assert name in assert_safe(checked._repr_html_())
            named += 1
    assert compared >= 10
    assert named >= 3
    progress = said.partition("= progress =")[2]
    for line in repr(namespace_progress(check, vars(module))).split("\n")[1:-2]:
        assert line in progress


def namespace_progress(check, namespace):
    return eval("check.all()", {**namespace, "check": check})


def test_a_right_answer_passes_with_its_points_and_says_what_is_next(check):
    scope = {name: getattr(load.solution("lesson2_embedding"), name) for name in vars(
        load.solution("lesson2_embedding")) if not name.startswith("_")}  # fmt: skip
    checked = eval("check(one_hot)", {**scope, "check": check})
    assert (checked.points, checked.max_points, checked.is_passed) == (10, 10, True)
    assert repr(checked).startswith("one_hot: passed, 10/10 points\n")
    assert repr(checked).endswith("\nNext: embed_by_matmul")
    assert "✓" in checked._repr_html_()


def test_a_near_miss_of_type_passes_with_a_remark(check):
    def merge_pair(tokens, pair):
        return tuple(load.solution("lesson1_tokens").merge_pair(tokens, pair))

    assert "merge_pair passes, with a remark: " in repr(check(merge_pair))


def test_a_stub_is_todo_and_nothing_is_loaded_for_it():
    def next_token_probs(model, text):
        raise NotImplementedError

    check = Checks()
    checked = check(next_token_probs)
    assert repr(checked).startswith("next_token_probs: todo, 0/10 points\n")
    assert "Write it in place of `raise NotImplementedError`" in repr(checked)
    assert not any(fixtures.loaded("reference") for fixtures in check._fixtures.values())


def test_hostile_text_is_text(check):
    def perplexity(log_probs):
        """<script>alert(1)</script>"""
        print("<img src=x onerror=alert(1)>\x1b[31m")
        raise type("<b>", (ValueError,), {})("</pre><script>alert(2)</script>\ud800")

    html = check(perplexity)._repr_html_()
    text = assert_safe(html)
    assert "</pre><script>alert(2)</script>" in text
    assert "<img src=x onerror=alert(1)>" in text
    html.encode()
    progress = eval("check.all()", {"check": check, "perplexity": perplexity})
    assert "<script>alert(1)</script>" in assert_safe(progress._repr_html_())


def test_what_is_printed_is_shown_under_a_failure_and_limited(check, capsys):
    def perplexity(log_probs):
        print("line\n" * 100_000)
        return log_probs

    shown = repr(check(perplexity))
    assert shown.count("It printed:\nline\n") >= 1
    assert len(shown) < 10_000
    assert capsys.readouterr().out == ""


# --- What is checked -----------------------------------------------------------------------------


def test_a_second_call_makes_no_case_again(check, monkeypatch):
    solved = load.solution("lesson3_logits").entropy
    assert check(solved).is_passed
    monkeypatch.setattr(grade, "questions", None)
    assert check(solved).is_passed

    def entropy(logits):
        result = solved(logits)
        logits.zero_()  # cases are made of copies
        return result

    first, second = check(entropy), check(entropy)
    assert first.properties == second.properties
    assert check(solved).is_passed


def test_another_reference_asks_anew(tmp_path):
    check = Checks()
    check.device = "cpu"
    assert check._of_settings() is check._of_settings()
    first = check._of_settings()
    check.reference = "gpt2-tiny"
    assert check._of_settings() is not first


def test_a_redefined_function_is_checked_as_it_is_now(shell):
    shell("import torch\ndef perplexity(log_probs):\n    return log_probs.mean().exp()")
    assert not shell("check(perplexity)").is_passed
    shell("def perplexity(log_probs):\n    return (-log_probs.mean()).exp()")
    assert shell("check(perplexity)").is_passed
    shell("def perplexity(log_probs):\n    raise NotImplementedError")
    assert shell("check(perplexity)").results[0].outcome == "todo"


def test_frames_are_named_for_what_they_are_in_cells(shell):
    shell("def helper(x):\n\n    return x.no_such_thing")
    shell("def softmax(x, dim):\n    return helper(x)")
    said = repr(shell("check(softmax)"))
    assert "  cell:2, in softmax\n    return helper(x)\n" in said
    assert "  cell:3, in helper\n    return x.no_such_thing\n" in said
    assert "ipython-input" not in said


@pytest.mark.parametrize(
    "name",
    [
        "/tmp/ipykernel_12/3456.py",
        r"C:\Users\Ada\AppData\Local\Temp\ipykernel_12\3456.py",
        "<ipython-input-3-0a1b>",
        "/tmp/ipython-input-1-99.py",
        "<python-input-0>",
        "<stdin>",
    ],
)
def test_these_are_cells(name):
    assert run.is_cell(name)


@pytest.mark.parametrize(
    "name", ["/home/ada/exercises/lesson3_logits.py", "<string>", "/x/ipykernel/kernelapp.py"]
)
def test_these_are_none(name):
    assert not run.is_cell(name)


@pytest.mark.parametrize(
    ("imports", "call", "said"),
    [
        ("import torch.nn.functional as F", "F.softmax", "torch.nn.functional.softmax"),
        ("import torch as t", "t.softmax", "torch.softmax"),
        ("from torch import softmax as s", "s", "torch.softmax"),
    ],
)
def test_a_forbidden_call_is_read_in_the_cell_with_imports_of_another(shell, imports, call, said):
    shell("def softmax(x, dim):\n    return 'an older one'")
    shell(imports)
    shell(f"def softmax(x, dim):\n    y = x\n    return {call}(y, dim)")
    feedback = shell("check(softmax)").results[0].judged.feedback
    assert feedback.startswith(f"Line 3 calls {said}, which this exercise rules out:\n    return ")


def test_a_forbidden_call_in_another_cell_is_seen_as_it_runs(shell):
    shell("import torch\ndef helper(x, dim):\n    return torch.softmax(x, dim)")
    shell("def softmax(x, dim):\n    return helper(x, dim)")
    feedback = shell("check(softmax)").results[0].judged.feedback
    assert feedback.startswith("Line 2 calls PyTorch's softmax, which this exercise rules out:")


def test_a_file_that_has_changed_since_is_not_read(check, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(WRONG)
    softmax = run.load(path).module.softmax
    assert live._source("softmax", softmax) == WRONG
    path.write_text("import torch\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n")
    assert live._source("softmax", softmax) is None
    assert check(softmax).misconception == "softmax with one maximum for the whole tensor"


# --- Which exercise ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "define",
    [
        "perplexity = lambda log_probs: (-log_probs.mean()).exp()",
        "perplexity = functools.partial(lambda y, log_probs: (-log_probs.mean()).exp(), 1)",
        "def undressed(log_probs):\n  return (-log_probs.mean()).exp()\n"
        "perplexity = torch.no_grad()(undressed)",
        "class Perplexity:\n def __call__(self, log_probs):\n  return (-log_probs.mean()).exp()\n"
        "perplexity = Perplexity()",
    ],
)
@pytest.mark.parametrize("say", ["perplexity", "'perplexity'", "perplexity, 'perplexity'"])
def test_whatever_is_called_so_is_checked(check, define, say):
    scope = {"check": check, "torch": torch}
    exec(f"import functools\n{define}\nresult = check({say})", scope)
    assert scope["result"].is_passed


def test_a_function_of_another_name_is_checked_as_what_it_is_said_to_be(check):
    assert check(lambda log_probs: (-log_probs.mean()).exp(), "perplexity").is_passed


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("softmx", "There is no exercise 'softmx'. Did you mean softmax or log_softmax?"),
        (3, "check takes a function, and this is an int"),
        (torch.zeros(2), "check takes a function, and this is a Tensor: check(softmax), without"),
        (lambda x: x, 'This is a function without a name. Say which exercise it is: check(it, "'),
        ("softmax", "softmax is not defined yet. Run its cell first."),
        (print, "There is no exercise 'print'."),
    ],
)
def test_a_wrong_argument_is_one_line(check, argument, said):
    with pytest.raises(CannotCheck) as raised:
        check(argument)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_reference_or_device_is_one_line_in_the_words_of_this_place(check):
    other = Checks()
    other.reference = "no/such/folder"
    with pytest.raises(CannotCheck, match="no folder 'no/such/folder'"):
        other(load.solution("lesson3_logits").softmax)
    other.reference, other.device = "gpt2-tiny", "abacus"
    with pytest.raises(CannotCheck, match=r'Use check\.device = "'):
        other(load.solution("lesson3_logits").softmax)


def test_ipython_shows_that_line_without_a_traceback(shell, capsys):
    shell("check('softmx')")
    assert isinstance(shell.raised, CannotCheck)
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).strip().split("\n")
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: There is no exercise 'softmx'. Did you mean softmax")


def test_ctrl_c_ends_it_without_a_traceback(shell, capsys):
    shell("def perplexity(log_probs):\n    raise KeyboardInterrupt")
    for call in ("check(perplexity)", "check.all()"):
        shell(call)
        assert isinstance(shell.raised, Stopped)
        assert capsys.readouterr().out.strip() == "Stopped."


def test_threads_and_standard_output_are_put_back(check):
    def perplexity(log_probs):
        raise KeyboardInterrupt

    before, out = torch.get_num_threads(), sys.stdout
    torch.set_num_threads(before + 1)
    try:
        with pytest.raises(Stopped):
            check(perplexity)
        assert torch.get_num_threads() == before + 1
        assert sys.stdout is out
    finally:
        torch.set_num_threads(before)


# --- All of them ---------------------------------------------------------------------------------


def test_all_shows_the_lessons_that_are_defined_here_and_what_is_next(shell):
    shell(
        '''
        import torch
        from torch.nn.functional import softmax, log_softmax  # nobody's answers
        entropy = 3.5
        def append_token(tokens, token):
            return torch.cat([tokens, token[:, None].to(tokens)], dim=1)
        def next_token(logits):
            """Very easy, 3 minutes. The most likely token."""
            return logits.argmax()
        '''
    )
    progress = shell("check.all()")
    assert [c.exercise.name for c in progress.checked] == ["next_token", "append_token"]
    assert (progress.points, progress.max_points) == (10, 20)
    lines = repr(progress).split("\n")
    assert lines[0].startswith("lesson4_decoding ")
    assert "10/20" in lines[0]
    assert lines[-1] == "Next: next_token  Very easy, 3 minutes. The most likely token."
    html = assert_safe(progress._repr_html_())
    assert "lesson4_decoding: 10/20 points" in html
    assert "lesson3" not in html


def test_all_where_nothing_is_defined_says_so(shell):
    assert repr(shell("check.all()")).startswith("No exercise is defined here yet.")
    assert "No exercise is defined here yet." in shell("check.all()")._repr_html_()
