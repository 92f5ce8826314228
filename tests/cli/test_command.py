"""The `grader` command."""

import subprocess
import sys
from pathlib import Path

import warm

GRADER = Path(sys.executable).parent / "grader"


def grader(*arguments):
    return subprocess.run([GRADER, *arguments], capture_output=True, text=True)


def test_python_m_grader_is_the_same_command():
    command = [sys.executable, "-m", "grader", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.replace("python -m grader", "grader") == grader("--help").stdout


def test_doctor_says_what_would_be_used_and_why():
    result = grader("doctor", "--reference", "gpt2-tiny", "--device", "cpu")
    assert result.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines["Python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert lines["reference"] == "gpt2-tiny on cpu (as asked for)"
    assert "cpu" in lines["devices"]
    assert lines["isolation"].startswith(("bubblewrap ", "none: "))
    for package in ("torch", "transformer-lens", "pytest", "einops", "nbformat"):
        assert lines[package][0].isdigit()


def test_what_cannot_be_had_is_one_line_and_exit_code_4():
    result = grader("doctor", "--reference", "nowhere")
    assert result.returncode == 4
    assert result.stdout == ""
    assert result.stderr.startswith("ERROR: no folder 'nowhere'")
    assert result.stderr.count("\n") == 1


def test_without_a_command_it_says_what_there_is():
    assert "doctor" in grader().stdout + grader().stderr


def test_hints_come_one_at_a_time_and_are_remembered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = [grader("hint", "softmax").stdout]  # by a process of its own, then by this one
    said += [warm.command("hint", "softmax").stdout for _ in range(3)]
    n = int(said[0].split()[3].rstrip(":"))
    assert said[0].startswith(f"Hint 1 of {n}: ")
    assert f"{n - 1} more to go." in said[0]
    assert said[n - 1].startswith(f"Hint {n} of {n}: ")
    assert "That was the last one." in said[n - 1]
    assert len(set(said[:n])) == n
    assert warm.command("hint", "entropy").stdout.startswith("Hint 1 of")
    assert warm.command("hint", "softmax", "--again").stdout == said[0]


def test_a_hint_to_no_exercise_is_one_line_that_helps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = grader("hint", "soft_max")
    assert result.returncode == 4
    assert "no exercise 'soft_max'. Did you mean softmax" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_hint_is_given_where_nothing_can_be_remembered(tmp_path, monkeypatch):
    (tmp_path / ".grader").write_text("a file, and no folder")
    monkeypatch.chdir(tmp_path)
    result = warm.command("hint", "softmax")
    assert result.returncode == 0
    assert result.stdout.startswith("Hint 1 of ")
    assert "cannot remember" in result.stderr
