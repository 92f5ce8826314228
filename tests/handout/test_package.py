"""The kit packed for Gradescope and GitHub Actions, and run there as they would run it."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

import warm
from grader.classroom import isolation
from grader.handout import autograde, package
from grader.handout.package import NotPackaged, Order
from gradescope import is_results, seen_by_students
from handin import ROOT, grader, needs_isolation, solved, stub

LESSON = "lesson2_embedding"
SEED = "a line that nobody knows"
METADATA = {
    "id": 123456,
    "created_at": "2026-03-01T14:22:32.365935-08:00",
    "assignment": {"due_date": "2026-03-01T23:00:00.000000-08:00", "total_points": "50.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.edu", "id": 1234, "name": "Ada \x1b Lovelace"}],
    "previous_submissions": [],
}


def archive(to, isolation="none", **options):
    package.gradescope(Order(to, [LESSON], isolation=isolation, **options))
    return to


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """packed(...) -> an archive; of the same options the same one."""
    folder = tmp_path_factory.mktemp("packed")

    @cache
    def packed(*options, **more):
        return archive(folder / f"{len(list(folder.iterdir()))}.zip", *options, **more)

    return packed


@pytest.fixture
def unpack(packed):
    def unpack(base, *options, **more):
        with zipfile.ZipFile(packed(*options, **more)) as found:
            found.extractall(base / "source")
        shutil.copy(base / "source" / "run_autograder", base)
        (base / "run_autograder").chmod(0o755)

    return unpack


@pytest.fixture
def base(tmp_path):
    """/autograder, as Gradescope's documentation has it, elsewhere."""
    base = tmp_path / "autograder"
    for folder in ("source", "submission", "results"):
        (base / folder).mkdir(parents=True)
    (base / "submission_metadata.json").write_text(json.dumps(METADATA))
    (base / "venv").symlink_to(sys.prefix)  # for what setup.sh installs
    return base


def submit(base, source, lesson=LESSON):
    (base / "submission" / f"{lesson}.py").write_text(source)


def run_here(base):
    """As `run`, in this process, with what this kit's grading has loaded before."""
    out = io.StringIO()
    with warm.kept(), pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setenv("AUTOGRADER_BASE", str(base))
        autograde.main()
    return is_results(json.loads((base / "results" / "results.json").read_text())), out.getvalue()


def run(base, **environment):
    """(results.json, what was printed)."""
    ran = subprocess.run(
        [base / "run_autograder"], cwd=base, capture_output=True, text=True, timeout=300,
        env={**os.environ, "AUTOGRADER_BASE": str(base), **environment},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return is_results(json.loads((base / "results" / "results.json").read_text())), (
        ran.stdout + ran.stderr
    )


# --- The archive ---------------------------------------------------------------------------------


def test_the_archive_has_what_gradescope_wants_at_its_root_and_the_kit_without_the_rest(tmp_path):
    with zipfile.ZipFile(archive(tmp_path / "a.zip")) as packed:
        names = packed.namelist()
        for program in ("setup.sh", "run_autograder"):
            assert packed.getinfo(program).external_attr >> 16 == 0o755
            assert packed.read(program).startswith(b"#!/usr/bin/env bash\n")
        settings = json.loads(packed.read("settings.json"))
        setup = packed.read("setup.sh").decode()
    assert settings == {"lessons": [LESSON], "timeout": 10.0, "isolation": "none"}
    assert {f"kit/grader/checks/{LESSON}/unembed.py", f"kit/solutions/{LESSON}.py",
            "kit/pyproject.toml",
            "kit/grader/gpt2_tiny/model.safetensors"} <= set(names)  # fmt: skip
    assert not [n for n in names if re.search(r"\.git|tests/|pyc|\.sqlite|exercises|hidden", n)]
    assert re.search(r'"torch>=[\d.]+,<[\d.]+"', setup)
    for name, text in (("setup.sh", package.SETUP), ("run_autograder", package.RUN)):
        checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
        assert checked.returncode == 0, (name, checked.stderr)


def test_the_same_kit_is_the_same_archive(tmp_path):
    one, other = archive(tmp_path / "a.zip"), archive(tmp_path / "b.zip")
    assert one.read_bytes() == other.read_bytes()


def test_where_it_cannot_be_written_one_line_says_so_and_nothing_is_left(tmp_path):
    with pytest.raises(NotPackaged, match="cannot be written"):
        archive(tmp_path / "no" / "a.zip")
    assert list(tmp_path.iterdir()) == []


# --- Run as Gradescope runs it -------------------------------------------------------------------


@needs_isolation
def test_a_submission_is_graded_in_the_sandbox_by_the_kit_of_the_archive(base, unpack):
    unpack(base, "bubblewrap")
    wrong = solved(LESSON).replace("def unembed", "print('hello')\n\n\ndef unembed", 1)
    submit(base, wrong)
    # The archive's own kit: it says so where it is changed.
    examine = base / "source" / "kit" / "grader" / "gradebook" / "exports" / "gradescope.py"
    examine.write_text(examine.read_text().replace('"For instructors"', '"From the archive"'))
    found, printed = run(base)
    assert found["score"] == sum(test["max_score"] for test in found["tests"]) == 50
    assert all(test["status"] == "passed" for test in found["tests"])
    [instructors] = [test for test in found["tests"] if test["visibility"] == "hidden"]
    assert instructors["name"] == "From the archive"
    assert "hello" in instructors["output"]
    assert "without" not in instructors["output"]
    assert "Error" not in printed


def test_without_the_sandbox_only_where_it_was_packed_so_and_instructors_are_told(base, unpack):
    unpack(base)
    submit(base, stub(LESSON))
    # What makes a folder a class of somebody else's has no meaning here.
    (base / "submission" / "submission_metadata.yml").write_text("x:\n  :submitters: []\n")
    (base / "submission" / "x").mkdir()
    found, _ = run_here(base)
    assert found["score"] == 0
    assert {t["status"] for t in found["tests"] if t["visibility"] == "visible"} == {"failed"}
    assert any(test["output"].startswith("todo") for test in found["tests"])
    [instructors] = [test for test in found["tests"] if test["visibility"] == "hidden"]
    assert "Graded without the sandbox, as this archive was packed" in instructors["output"]
    assert "sandbox" not in seen_by_students(found)


SPY = """
seen = []
def spying(function):
    def spied(*args, **kwargs):
        seen.append(repr(args)[:60])
        return function(*args, **kwargs)
    return spied
one_hot = spying(one_hot)
def LAST(*args, **kwargs):
    print("PRINTED", len(seen), seen)
    raise ValueError(f"RAISED {len(seen)} {seen[-1]}")
"""


def test_students_see_nothing_of_hidden_cases(base, unpack):
    unpack(base, hidden_seed=SEED)
    last = re.findall(r"^def (\w+)", stub(LESSON), re.M)[-1]
    submit(base, solved(LESSON) + SPY.replace("LAST", last))
    found, printed = run_here(base)
    shown = seen_by_students(found)
    [instructors] = [test for test in found["tests"] if test["visibility"] == "hidden"]
    [public] = set(re.findall(r"RAISED (\d+)", shown))
    hidden = set(re.findall(r"(?:RAISED|PRINTED) (\d+)", instructors["output"]))
    assert min(map(int, hidden)) > int(public)  # what was raised had hidden cases in it
    assert "PRINTED" not in shown
    assert SEED not in json.dumps(found) + printed


def test_a_submission_that_cannot_be_read_is_no_crash(base, unpack):
    unpack(base)
    (base / "submission" / "essay.txt").write_text("words")
    found, _ = run_here(base)
    assert found["score"] == 0
    assert "Name each file after its lesson" in found["output"]
    assert seen_by_students(found).endswith(", []]")


# --- When it fails -------------------------------------------------------------------------------


def test_where_there_is_no_sandbox_nothing_is_graded(base, unpack, monkeypatch):
    unpack(base, "bubblewrap")
    submit(base, solved(LESSON))

    def none():
        raise isolation.CannotIsolate("bubblewrap is not on this machine. Run --isolation none.")

    monkeypatch.setattr(isolation, "bubblewrap", none)
    monkeypatch.setenv("AUTOGRADER_BASE", str(base))
    autograde.main()
    found = is_results(json.loads((base / "results" / "results.json").read_text()))
    assert found["score"] == 0
    assert "Ask your instructor to run the autograder again" in found["output"]
    assert "bubblewrap" not in seen_by_students(found)
    assert "--isolation none" in found["tests"][0]["output"]


def test_a_crash_of_the_grader_is_written_down_for_instructors(base, unpack, monkeypatch):
    unpack(base)
    submit(base, solved(LESSON))
    monkeypatch.setenv("AUTOGRADER_BASE", str(base))
    monkeypatch.setattr(autograde, "grade", lambda base: 1 // 0)
    autograde.main()
    found = is_results(json.loads((base / "results" / "results.json").read_text()))
    assert "the score of 0 says nothing of your work" in found["output"]
    assert "ZeroDivisionError" in found["tests"][0]["output"]
    assert found["tests"][0]["visibility"] == "hidden"
    assert "ZeroDivisionError" not in seen_by_students(found)


@pytest.mark.parametrize("breakage", ["no python", "no settings", "no submission", "no kit"])
def test_results_are_written_whatever_is_missing(base, unpack, breakage):
    unpack(base)
    submit(base, solved(LESSON))
    (base / "results" / "results.json").write_text('{"score": 50}')  # of an earlier run
    if breakage == "no python":
        (base / "venv").unlink()
    elif breakage == "no settings":
        (base / "source" / "settings.json").write_text("{}")
    elif breakage == "no submission":
        shutil.rmtree(base / "submission")
    else:
        shutil.rmtree(base / "source" / "kit")
    found, _ = run(base)
    assert found["score"] == 0
    assert "Ask your instructor" in found["output"]


# --- GitHub Actions ------------------------------------------------------------------------------


def workflow(folder, **options):
    path = package.github(folder, **options)
    assert path == folder / ".github" / "workflows" / "grade.yml"
    found = yaml.safe_load(path.read_text())
    steps = found["jobs"]["grade"]["steps"]
    return found, {step.get("name", step.get("uses")): step for step in steps}


def test_the_workflow_runs_on_each_push_with_no_more_rights_than_to_read(tmp_path):
    found, steps = workflow(tmp_path)
    assert "push" in found[True]  # which is what YAML makes of `on`
    assert found["permissions"] == {"contents": "read"}
    assert "./work" in steps["Install"]["run"]
    assert "torch>=" in steps["Install"]["run"]
    assert steps["actions/upload-artifact@v4"]["with"]["path"] == "results.xml"


def test_another_repositorys_kit_can_grade(tmp_path):
    found, steps = workflow(tmp_path, kit="uni/gpt2-kit@v1.2")
    checkouts = [s for s in found["jobs"]["grade"]["steps"] if "checkout" in s.get("uses", "")]
    assert [step["with"] for step in checkouts] == [
        {"path": "work"},
        {"repository": "uni/gpt2-kit", "ref": "v1.2", "path": "kit"},
    ]
    assert "./kit" in steps["Install"]["run"]
    assert "cd kit" in steps["Grade"]["run"]


@pytest.mark.parametrize("kit", ["kit", "a/b/c", "a/b; rm -rf", "a/b\nx: y", "a/b@${{ x }}"])
def test_what_is_no_repository_does_not_get_into_the_workflow(tmp_path, kit):
    with pytest.raises(NotPackaged, match="no repository"):
        package.github(tmp_path, kit)
    assert list(tmp_path.iterdir()) == []


def test_a_workflow_that_is_there_is_not_replaced_unasked(tmp_path):
    path = package.github(tmp_path)
    path.write_text("mine")
    with pytest.raises(NotPackaged, match="--force"):
        package.github(tmp_path)
    assert path.read_text() == "mine"
    package.github(tmp_path, force=True)
    assert "jobs:" in path.read_text()


def test_the_workflows_steps_grade_and_leave_a_summary_and_junit(tmp_path):
    _, steps = workflow(tmp_path / "repository", kit="uni/kit")
    (tmp_path / "kit").symlink_to(ROOT)
    answers = tmp_path / "work" / "exercises"
    answers.mkdir(parents=True)
    (answers / f"{LESSON}.py").write_text(solved(LESSON))
    summary = tmp_path / "summary.md"
    environment = {
        **os.environ, "GITHUB_STEP_SUMMARY": str(summary), "PYTEST_ADDOPTS": "-k embedding",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    for name in ("Grade", "Summary"):
        ran = subprocess.run(
            ["bash", "-e", "-c", steps[name]["run"]], cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    cases = ET.parse(tmp_path / "results.xml").getroot().findall(".//testcase")
    assert any(LESSON in case.get("classname") for case in cases)
    assert {c.find(".//property[@name='outcome']").get("value") for c in cases} == {"passed"}
    lines = summary.read_text().splitlines()
    assert lines[0] == "### Exercises"
    assert all(line.startswith("    ") for line in lines[2:])  # code, whatever it says
    assert "50/50" in summary.read_text()


# --- The command ---------------------------------------------------------------------------------


def test_the_command_packs_both(tmp_path):
    (tmp_path / "seed").write_text(SEED)
    made = grader(
        "package", "gradescope", "--to", tmp_path / "a.zip", "--lesson", "2",
        "--hidden-seed-file", tmp_path / "seed",
    )  # fmt: skip
    assert "1 lessons" in made.stdout
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.read("hidden_seed.txt").decode() == SEED + "\n"
        assert json.loads(packed.read("settings.json"))["isolation"] == "bubblewrap"
    assert "no kit" in grader("package", "github", "--to", tmp_path, code=4).stderr
    (tmp_path / "grader" / "recorded").mkdir(parents=True)
    assert "grade.yml" in grader("package", "github", "--to", tmp_path).stdout
    assert "--force" in grader("package", "github", "--to", tmp_path, code=4).stderr
