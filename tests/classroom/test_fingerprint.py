"""What a grade hangs on."""

import shutil

import pytest

from grader.classroom import fingerprint
from handin import (
    LESSONS,
    ROOT,
)

ALL = set(LESSONS)


@pytest.mark.parametrize(
    ("path", "lessons"),
    [
        ("solutions/lesson1_tokens.py", {"lesson1_tokens"}),
        ("grader/checks/lesson3_logits/softmax.py", {"lesson3_logits"}),
        ("grader/checks/lesson4_decoding/shared.py", {"lesson4_decoding"}),
        ("grader/checks/texts.py", ALL),
        ("grader/inside/run.py", ALL),
        ("grader/verdict/agree.py", ALL),
        ("grader/classroom/examine.py", ALL),
        ("grader/classroom/jobs.py", set()),
        ("grader/gradebook/page/page.css", set()),
        ("grader/gradebook/results.py", set()),
        ("grader/desk/live.py", set()),
        ("grader/cli/grade.py", set()),
        ("exercises/lesson1_tokens.py", set()),
    ],
)
def test_a_grade_hangs_on_what_decides_and_on_nothing_else(path, lessons, copied_kit, monkeypatch):
    monkeypatch.setattr(fingerprint, "KIT", copied_kit)
    monkeypatch.setattr(fingerprint, "GRADER", copied_kit / "grader")
    monkeypatch.setattr(fingerprint, "CHECKS", copied_kit / "grader" / "checks")
    monkeypatch.setattr(fingerprint, "SOLUTIONS", copied_kit / "solutions")
    fingerprint.of_kit.cache_clear()
    before = {lesson: fingerprint.of_kit(lesson) for lesson in LESSONS}
    as_it_was = (copied_kit / path).read_bytes()
    (copied_kit / path).write_bytes(as_it_was + b"\n")
    fingerprint.of_kit.cache_clear()
    changed = {lesson for lesson in LESSONS if fingerprint.of_kit(lesson) != before[lesson]}
    (copied_kit / path).write_bytes(as_it_was)
    fingerprint.of_kit.cache_clear()
    assert changed == lessons


@pytest.fixture(scope="module")
def copied_kit(tmp_path_factory):
    kit = tmp_path_factory.mktemp("kit")
    for folder in ("exercises", "solutions", "grader"):
        leave = shutil.ignore_patterns("__pycache__", "gpt2_tiny")
        shutil.copytree(ROOT / folder, kit / folder, ignore=leave)
    return kit
