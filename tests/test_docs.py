"""What is said to readers is there."""

import re
import subprocess
import sys

import pytest

from grader import cli
from grader.lessons import KIT as ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@each_page
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert "://" in link or (page.parent / link).exists(), link


@each_page
def test_commands_and_their_options_exist(page):
    for name, rest in re.findall(r"^grader (\w+)(.*)$", page.read_text("utf-8"), re.MULTILINE):
        assert name in (*cli.STUDENTS, *cli.INSTRUCTORS), name
        source = (ROOT / "grader" / "cli" / f"{name}.py").read_text("utf-8")
        for option in re.findall(r"(?<!\S)--([a-z-]+)", rest.partition("#")[0]):
            assert f"--{option}" in source or option.replace("-", "_") in source, option


@each_page
def test_files_that_are_named_exist(page):
    folders = "exercises|solutions|grader|tests|benchmarks|docs"
    for path in re.findall(rf"`((?:{folders})/[\w./]+)`", page.read_text("utf-8")):
        if "attention" not in path:  # the lesson that a reader is about to begin
            assert (ROOT / path).exists(), path


def test_the_readme_is_short_and_has_its_two_commands():
    text = (ROOT / "README.md").read_text("utf-8")
    assert text.count("\n") <= 150
    for name in ("one", "two"):
        [command] = re.findall(rf"<!-- command {name} -->\n```bash\n(.*?)```", text, re.DOTALL)
        checked = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            "tests",
            "ERROR: These tests need what is not installed (nbclient). "
            'Run `pip install -e ".[test]"` in this clone first.',
        ),
        ("exercises/lesson9.py", "ERROR: file or directory not found: exercises/lesson9.py"),
    ],
)
def test_without_the_test_extra_one_line_says_what_to_install(given, says):
    """As where nbclient is missing."""
    code = "import sys; sys.modules['nbclient'] = None; import pytest; sys.exit(pytest.main())"
    ran = subprocess.run(
        [sys.executable, "-c", code.replace("main()", f"main([{given!r}, '-q'])")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 4
    assert ran.stderr.strip().splitlines() == [says]
