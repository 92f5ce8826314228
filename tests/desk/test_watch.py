"""`grader watch`, through a pseudo-terminal, and what it is made of."""

import os
import re
import shutil
import signal
import sys
import termios
import time
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.desk.watch import saved

GRADER = Path(sys.executable).parent / "grader"
PATIENCE = 60  # seconds; machines are busy

LESSON2 = '''
import torch

def one_hot(tokens, d_vocab):
    """Easy, 5 minutes. One at the id."""
    raise NotImplementedError

def embed_by_lookup(tokens, W_E):
    """Very easy, 3 minutes. Rows."""
    raise NotImplementedError
'''
ONE_HOT = "return torch.nn.functional.one_hot(tokens, d_vocab).float()"
LESSON3 = '''
import torch

def softmax(x, dim):
    """Easy, 10 minutes. Adds up to one."""
    raise NotImplementedError

def perplexity(log_probs):
    """Very easy, 3 minutes. exp of minus the mean."""
    raise NotImplementedError
'''
SOFTMAX = "e = (x - x.amax(dim, keepdim=True)).exp(); return e / e.sum(dim, keepdim=True)"
WITHOUT_MAXIMUM = "return x.exp() / x.exp().sum(dim, keepdim=True)"


def with_body(text, function, body):
    """The function's stub replaced."""
    start = text.index(f"def {function}(")
    return text[:start] + text[start:].replace("raise NotImplementedError", body, 1)


class Watcher:
    def __init__(self, folder, *options, env=None):
        self.exercises = folder / "exercises"
        self.child = pexpect.spawn(
            str(GRADER),
            ["watch", "--reference", "gpt2-tiny", "--device", "cpu", *options],
            cwd=folder, encoding="utf-8", timeout=PATIENCE, dimensions=(50, 200),
            env={**os.environ, "TERM": "xterm", **(env or {})},
        )  # fmt: skip
        self.before = termios.tcgetattr(self.child.child_fd)
        self.press = self.child.send

    def save(self, text, lesson="lesson3_logits"):
        (self.exercises / f"{lesson}.py").write_text(text)

    def shows(self, *patterns):
        """Waits for these, in this order; all that was shown until the last."""
        shown = ""
        for pattern in patterns:
            try:
                self.child.expect(pattern)
            except pexpect.ExceptionPexpect:
                pytest.fail(f"{pattern!r} is not shown, but:\n{plain(shown + self.child.before)}")
            shown += self.child.before + self.child.after
        return plain(shown)

    def verdict(self, exercise, outcome):
        """Waits for the exercise's next verdict, which must be this one."""
        shown = self.shows(rf"{exercise}  [^\r\n]*\d s\)")
        line = shown.splitlines()[-1]
        assert outcome in line, shown
        return line

    def ends(self):
        self.child.expect(pexpect.EOF)
        self.child.wait()
        return self.child.exitstatus

    @property
    def settings(self):
        return termios.tcgetattr(self.child.child_fd)


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "\n")


def project(folder):
    (folder / "exercises").mkdir()
    (folder / "exercises" / "lesson2_embedding.py").write_text(LESSON2)
    (folder / "exercises" / "lesson3_logits.py").write_text(LESSON3)
    return folder


@pytest.fixture(scope="module")
def watcher(tmp_path_factory):
    watcher = Watcher(project(tmp_path_factory.mktemp("project")))
    shown = watcher.shows("Next: choose_device")
    assert "lesson3_logits                  0/140  todo" in shown
    yield watcher
    watcher.child.close(force=True)


@pytest.fixture
def fresh(tmp_path):
    """Another watcher, for what ends it."""
    watchers = []

    def start(*options, **env):
        watchers.append(Watcher(project(tmp_path), "--lesson", "3", *options, env=env))
        watchers[0].shows("Next: softmax")
        return watchers[0]

    yield start
    for watcher in watchers:
        watcher.child.close(force=True)


# --- From a save to the verdict ------------------------------------------------------------------


def test_a_wrong_answer_is_named_and_a_right_one_leads_on(watcher):
    watcher.save(with_body(LESSON3, "softmax", WITHOUT_MAXIMUM))
    watcher.verdict("softmax", "wrong: softmax without the maximum subtracted")
    shown = watcher.shows("Stuck[?] Press h")
    assert "This looks like: softmax without the maximum subtracted." in shown
    assert "x = tensor([" in shown
    watcher.save(with_body(LESSON3, "softmax", SOFTMAX))
    watcher.verdict("softmax", "20/20  passed")
    watcher.shows(r"Next: log_softmax|Next: perplexity")


def test_an_exception_is_shown_with_its_line_and_what_was_printed(watcher):
    body = 'print("\\x1b[2Jprinted", dim); return x[5, 5, 5, 5]'
    watcher.save(with_body(LESSON3, "softmax", body))
    watcher.verdict("softmax", "error")
    shown = watcher.shows("It printed:", r"printed 0")
    assert "softmax raised IndexError" in shown
    assert "lesson3_logits.py:6, in softmax" in shown
    assert r"\x1b[2Jprinted" in shown


def test_a_syntax_error_names_file_and_line_and_is_mended(watcher):
    right = with_body(LESSON3, "softmax", SOFTMAX)
    watcher.save(right)
    watcher.verdict("softmax", "passed")
    watcher.save(right.replace("def softmax(x, dim):", "def softmax(x, dim:"))
    shown = watcher.shows("can be checked before that is mended")
    assert "lesson3_logits.py cannot be imported: SyntaxError" in shown
    assert "line 4: def softmax(x, dim:" in shown
    watcher.save(right.replace("x.amax(dim, keepdim=True)", "0"))
    watcher.shows(r"lesson3_logits\.py can be imported again")
    watcher.verdict("softmax", "wrong: softmax without")


def test_what_was_changed_in_a_file_that_failed_is_shown_once_that_is_mended(watcher):
    wrong = with_body(LESSON3, "softmax", "return x")
    watcher.save(wrong)
    watcher.verdict("softmax", "wrong")
    watcher.save("nowhere\n" + wrong.replace("return x", "return -x"))
    watcher.shows("cannot be imported: NameError", "lesson3_logits.py:1, in <module>")
    watcher.save(wrong.replace("return x", "return -x"))
    watcher.verdict("softmax", "wrong")


def test_only_what_has_changed_is_shown(watcher):
    text = with_body(LESSON3, "softmax", SOFTMAX)
    watcher.save(text)
    watcher.verdict("softmax", "passed")
    text = with_body(text, "perplexity", "return log_probs.mean().exp()")
    watcher.save(text)
    shown = watcher.shows(r"perplexity  [^\r\n]*\d s\)")
    assert "softmax" not in shown
    watcher.save(text.replace("log_probs.mean", "(-log_probs).mean"))
    watcher.verdict("perplexity", "10/10  passed")
    watcher.save(text.replace("log_probs.mean", "(-log_probs).mean") + "\n# done\n")
    watcher.shows(r"lesson3_logits\.py is saved; no exercise in it has changed")


def test_what_depends_on_another_file_is_run_again(watcher):
    helper = watcher.exercises / "helping.py"
    helper.write_text("from lesson2_embedding import SHIFT\ndef mean(x): return x.mean() + SHIFT\n")
    watcher.save(LESSON2 + "\nSHIFT = 0\n", "lesson2_embedding")
    watcher.shows(r"lesson2_embedding\.py is saved")
    body = "from helping import mean; return (-mean(log_probs)).exp()"
    watcher.save(with_body(LESSON3, "perplexity", body))
    watcher.verdict("perplexity", "passed")
    helper.write_text(helper.read_text().replace("x.mean()", "x.sum()"))
    watcher.verdict("perplexity", "wrong")
    helper.write_text(helper.read_text().replace("x.sum()", "x.mean()"))
    watcher.verdict("perplexity", "passed")
    watcher.save(
        LESSON2 + "\nSHIFT = 1\n", "lesson2_embedding"
    )  # a lesson that it calls by way of it
    watcher.verdict("perplexity", "wrong")
    watcher.save(LESSON2 + "\nSHIFT = (\n", "lesson2_embedding")
    shown = watcher.shows(r"lesson3_logits\.py cannot be imported|perplexity raised SyntaxError")
    assert "perplexity" in shown
    watcher.save(LESSON2 + "\nSHIFT = 0\n", "lesson2_embedding")
    watcher.verdict("perplexity", "passed")


def test_editors_that_save_in_their_own_way(watcher):
    file = watcher.exercises / "lesson3_logits.py"
    right, wrong = (with_body(LESSON3, "softmax", body) for body in (SOFTMAX, "return x"))
    watcher.save(wrong)
    watcher.verdict("softmax", "wrong")
    beside = file.with_suffix(".tmp")  # by rename
    beside.write_text(right)
    beside.replace(file)
    watcher.verdict("softmax", "passed")
    file.rename(file.with_suffix(".py~"))  # the old one out of the way, and then a new one
    file.write_text(wrong)
    watcher.verdict("softmax", "wrong")
    with open(file, "w") as opened:  # empty for a while, then half of it
        watcher.shows(r"lesson3_logits\.py is empty")
        opened.write(right[:40])
        opened.flush()
        time.sleep(0.15)
        opened.write(right[40:])
    shown = watcher.shows(r"softmax  [^\r\n]*\d s\)")
    assert "passed" in shown
    assert "cannot be imported" not in shown


def test_of_two_saves_in_quick_succession_the_second_counts(watcher):
    right, wrong = (with_body(LESSON3, "softmax", body) for body in (SOFTMAX, "return x + x"))
    wrong += "#" * (len(right) - len(wrong))  # of the same size, and saved in the same second
    for first, second, outcome in [(right, wrong, "wrong"), (wrong, right, "passed")] * 2:
        watcher.save(first)
        watcher.save(second)
        os.utime(watcher.exercises / "lesson3_logits.py", (10**9, 10**9))
        watcher.verdict("softmax", outcome)


def test_the_reference_is_loaded_once_an_answer_needs_it(watcher):
    stub = "\ndef next_token_probs(model, text):\n    raise NotImplementedError\n"
    text = with_body(LESSON3, "softmax", "return x / 2") + stub
    watcher.save(text)
    assert "Checked against" not in watcher.verdict("softmax", "wrong")
    watcher.save(with_body(text, "next_token_probs", "return model(text)[0, -1].softmax(-1)"))
    watcher.shows("Checked against gpt2-tiny on cpu")
    watcher.verdict("next_token_probs", "10/10  passed")


# --- Code that does not come back ----------------------------------------------------------------


def test_an_endless_loop_ends_with_the_next_save(watcher):
    watcher.save(with_body(LESSON3, "softmax", "\n    while True: print('round and round')"))
    watcher.shows("softmax is still running. Ctrl-C stops it", "round and round")
    watcher.press("?")
    watcher.shows("a hint; press it again")
    watcher.save(with_body(LESSON3, "softmax", SOFTMAX))
    watcher.verdict("softmax", "passed")


def test_ctrl_c_stops_what_is_running_and_nothing_else(watcher):
    watcher.save(with_body(LESSON3, "softmax", "\n    while True: pass"))
    watcher.shows("softmax: [1-9] s ... Ctrl-C stops it")
    watcher.press("\x03")
    watcher.verdict("softmax", "error: stopped after")
    watcher.save("while True: pass\n" + LESSON3)
    watcher.shows(r"lesson3_logits.py: [1-9] s")
    watcher.press("\x03")
    watcher.shows(r"lesson3_logits.py stopped after \d s while it was being imported")


def test_code_that_ends_python_costs_that_run_only(watcher):
    watcher.save(with_body(LESSON3, "softmax", "import os; os._exit(3)"))
    watcher.verdict("softmax", r"error: ended Python (exit code 3)")
    watcher.save(with_body(LESSON3, "softmax", "import ctypes; ctypes.string_at(0)"))
    watcher.verdict("softmax", r"error: ended Python (SIGSEGV)")
    watcher.save(with_body(LESSON3, "softmax", SOFTMAX))
    watcher.verdict("softmax", "passed")


# --- Keys ----------------------------------------------------------------------------------------


def test_keys(watcher):
    watcher.save(with_body(LESSON3, "softmax", "return x"))
    watcher.verdict("softmax", "wrong")
    watcher.press("h")
    watcher.shows("Hint 1 of 3 to softmax")
    watcher.press("h")
    watcher.shows("Hint 2 of 3 to softmax")
    watcher.press("r")
    watcher.verdict("softmax", "wrong")
    watcher.press("\x1b[A")  # an arrow is no command
    watcher.press("l")
    shown = watcher.shows("> softmax +0/20[^\r\n]*wrong", "lesson4_decoding", "generate_batch")
    assert re.search(r"perplexity +0/10 +todo", shown)
    watcher.press("n")
    shown = watcher.shows(r"Next: perplexity \(lesson3_logits\.py:8\)", "exp of minus the mean")
    watcher.press("?")
    watcher.shows("n  the next unfinished exercise", "q  quit")


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("\x03", 130)])
def test_the_terminal_is_as_it_was(fresh, key, code):
    watcher = fresh()
    assert watcher.settings != watcher.before
    watcher.press(key)
    assert watcher.ends() == code
    assert watcher.settings == watcher.before


def test_a_signal_ends_it_and_all_that_it_has_started(fresh, tmp_path):
    watcher = fresh()
    number = tmp_path / "number"
    body = f"import os, pathlib; pathlib.Path({str(number)!r}).write_text(str(os.getpid()))"
    watcher.save(with_body(LESSON3, "softmax", f"\n    {body}\n    while True: pass"))
    watcher.shows("softmax: [1-9] s")
    watcher.child.kill(signal.SIGTERM)
    assert watcher.ends() == 143
    assert watcher.settings == watcher.before
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_it_comes_back_from_the_background(tmp_path):
    project(tmp_path)
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=tmp_path, encoding="utf-8",
        timeout=PATIENCE, env={**os.environ, "PS1": "prompt> ", "TERM": "xterm"},
    )  # fmt: skip
    shell.expect("prompt> ")
    shell.sendline(f"{GRADER} watch --lesson 3")
    shell.expect("Next: softmax")
    watching = termios.tcgetattr(shell.child_fd)
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect("prompt> ")
    shell.sendline("stty -a; fg")
    shell.expect(r" icanon .* echo ")
    shell.send("?")
    shell.expect("this help")
    assert termios.tcgetattr(shell.child_fd)[3] == watching[3]
    shell.send("q")
    shell.expect("prompt> ")
    shell.close(force=True)


# --- Elsewhere -----------------------------------------------------------------------------------


def test_without_a_terminal_it_prints_verdicts(tmp_path):
    project(tmp_path)
    command = f"{GRADER} watch --lesson 3 --answers exercises < /dev/null | cat"
    child = pexpect.spawn("sh", ["-c", command], cwd=tmp_path, encoding="utf-8", timeout=PATIENCE)
    child.expect("Next: softmax")
    (tmp_path / "exercises" / "lesson3_logits.py").write_text(
        with_body(LESSON3, "softmax", "return x")
    )
    child.expect("gives a hint at a time")
    assert "\x1b" not in child.before
    child.sendintr()
    child.expect(pexpect.EOF)


def test_the_hint_is_to_what_was_saved_and_not_to_what_calls_it(fresh):
    watcher = fresh()
    calls = "return softmax(log_probs, 0)"  # wrong, too, and run after it
    solved = with_body(with_body(LESSON3, "softmax", SOFTMAX), "perplexity", calls)
    watcher.save(solved)
    watcher.verdict("softmax", "passed")
    watcher.verdict("perplexity", "wrong")
    watcher.save(solved.replace(SOFTMAX, WITHOUT_MAXIMUM))
    watcher.verdict("softmax", "wrong")
    watcher.verdict("perplexity", "wrong")
    watcher.press("h")
    watcher.shows("Hint 1 of 3 to softmax")


def test_where_forks_do_not_work(fresh, tmp_path):
    """As on Windows."""
    (tmp_path / "sitecustomize.py").write_text("import os\ndel os.fork\n")
    watcher = fresh(PYTHONPATH=str(tmp_path))
    (watcher.exercises / "helping.py").write_text("SCALE = 2\n")
    text = "from exercises import helping\n" + with_body(
        LESSON3, "perplexity", "return (-log_probs.mean() * helping.SCALE).exp()"
    )
    watcher.save(text)
    watcher.verdict("perplexity", "wrong")
    (watcher.exercises / "helping.py").write_text("SCALE = 1\n")
    watcher.verdict("perplexity", "passed")
    watcher.save(with_body(text, "softmax", "\n    while True: pass"))
    watcher.shows("softmax: [1-9] s ... Ctrl-C stops it")
    watcher.save(with_body(text, "softmax", SOFTMAX))
    watcher.verdict("softmax", "passed")
    watcher.press("q")
    assert watcher.ends() == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--answers", "nowhere"], "There is no folder 'nowhere'"),
        (["--lesson", "9"], "There is no lesson '9'"),
        (["--reference", "nowhere"], "no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_had_is_one_line(tmp_path, options, says):
    project(tmp_path)
    child = pexpect.spawn(
        str(GRADER), ["watch", *options], cwd=tmp_path, encoding="utf-8", timeout=PATIENCE
    )
    child.expect(pexpect.EOF)
    child.wait()
    assert f"ERROR: {says}" in plain(child.before)
    assert child.exitstatus == 4


# --- What a save may change ----------------------------------------------------------------------


def source(text):
    return saved.Source(text)


BEFORE = """
import math as m
SCALE = 2
def helper(x):
    return x * SCALE
def first(x):
    return helper(x)
def second(x):
    return first(x) + m.pi
def third(x):
    return x
"""


@pytest.mark.parametrize(
    ("old", "new", "own", "all_of_them"),
    [
        ("    return x\n", "    return -x\n", {"third"}, {"third"}),
        ("SCALE = 2", "SCALE = 3", {"SCALE"}, {"SCALE", "helper", "first", "second"}),
        ("helper(x)\n", "helper(x) # why\n", {"first"}, {"first", "second"}),
        ("math as m", "cmath as m", {"m"}, {"m", "second"}),
        ("def third", "\n# a remark\n\ndef third", set(), set()),
        ("SCALE = 2", "SCALE = 2\nm.tau = 6", set(), None),
        ("def third", "@helper\ndef third", {"third"}, {"third"}),
    ],
)
def test_what_hangs_on_a_change(old, new, own, all_of_them):
    after = BEFORE.replace(old, new, 1)
    assert after != BEFORE
    assert saved.changed_names(source(BEFORE), source(after)) == (own, all_of_them)
    assert saved.changed_names(source(after), source(BEFORE)) == (own, all_of_them)


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1), st.sampled_from("abcd"))
def test_whatever_calls_a_changed_function_is_found(calls, changed):
    def text(value):
        """a calls whatever comes first, and so on; one of them returns the value."""
        lines = []
        for name, called in zip("abcd", calls, strict=False):
            own = value if name == changed else 0
            lines.append(f"def {name}(n=9): return {own} + (n and {called}(n - 1))")
        rest = "abcd"[len(calls) :]
        lines += [f"def {name}(n=9): return {value if name == changed else 0}" for name in rest]
        return "\n".join(lines)

    def results(value):
        names = {}
        exec(text(value), names)
        return {name: names[name]() for name in "abcd"}

    before, after = results(1), results(2)
    _, hanging = saved.changed_names(source(text(1)), source(text(2)))
    assert {name for name in "abcd" if before[name] != after[name]} <= hanging


def test_stubs_and_what_is_not_there_are_not_waited_for():
    text = '''
def one():
    """Do."""
    raise NotImplementedError
def two(): return 1
def three(): raise ValueError
from elsewhere import four
'''
    names = ("one", "two", "three", "four", "five")
    assert saved.answered(text, names) == {"two", "three", "four"}
    assert saved.answered(text + "from elsewhere import *", names) >= {"five"}
    assert saved.answered("def two(", names) == {"two"}


# --- Files ---------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(saved.time, "monotonic", lambda: now[0])

    def forward(seconds):
        now[0] += seconds

    return forward


def test_a_file_is_reported_once_it_is_stable(tmp_path, clock):
    file = tmp_path / "a.py"
    file.write_text("old = 1")
    folder = saved.Folder(tmp_path)
    file.write_text("x = 1")
    assert folder.changed() == []
    clock(0.04)
    file.write_text("x = 2")
    assert folder.changed() == []
    clock(0.04)
    assert folder.changed() == []
    clock(0.04)
    assert folder.changed() == ["a.py"]
    assert folder.text("a.py") == "x = 2"
    assert folder.changed() == []


@pytest.mark.parametrize(("half", "patience"), [("", 2), ("old", 0.5)])
def test_half_a_file_is_waited_for(tmp_path, clock, half, patience):
    file = tmp_path / "a.py"
    file.write_text("old = 1")
    folder = saved.Folder(tmp_path)
    file.write_text(half)
    assert folder.changed() == []
    clock(patience - 0.01)
    assert folder.changed() == []
    clock(0.02)
    assert folder.changed() == ["a.py"]


def test_two_saves_that_the_file_system_takes_for_one(tmp_path, clock, monkeypatch):
    file = tmp_path / "a.py"
    file.write_text("x = 1")
    stamp = os.stat(file)
    monkeypatch.setattr(saved.os, "stat", lambda path: stamp)
    folder = saved.Folder(tmp_path)
    for text in ("x = 2", "x = 3"):
        file.write_text(text)
        assert folder.changed() == []
        clock(1)
        assert folder.changed() == ["a.py"]
        assert folder.text("a.py") == text


def test_files_that_come_and_go(tmp_path, clock):
    folder = saved.Folder(tmp_path)
    shutil.copy(__file__, tmp_path / "new.py")
    folder.changed()
    clock(0.1)
    assert folder.changed() == ["new.py"]
    (tmp_path / "new.py").unlink()
    folder.changed()
    clock(2.1)
    assert folder.changed() == ["new.py"]
    assert folder.texts() == {}
