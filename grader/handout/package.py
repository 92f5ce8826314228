"""The kit, packed to grade one submission at a time elsewhere: Gradescope, GitHub Actions.

Gradescope's archive is laid out as its documentation says (gradescope-autograders.readthedocs.io,
"Autograder Specifications"): `setup.sh` builds the container, `run_autograder` runs in it for each
submission, the rest lies in /autograder/source. What happens there is in
`grader/handout/autograde.py`.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import whole
from grader.handout import autograde
from grader.handout.clone import add, torch
from grader.lessons import KIT
from grader.problem import Problem

PROGRAMS = ("setup.sh", "run_autograder")
FOLDERS = ("grader", "solutions")
FILES = ("LICENSE", "NOTICE", "README.md", "pyproject.toml")
LEFT_OUT = re.compile(r"\..*|__pycache__|.*\.(pyc|part)")
WORKFLOW = Path(".github", "workflows", "grade.yml")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)


class NotPackaged(Problem):
    """Why there is no package: one line."""


@dataclass(frozen=True)
class Order:
    to: Path
    lessons: Sequence[str]
    hidden_seed: str = ""
    timeout: float = 10.0
    isolation: str = "bubblewrap"


# --- Gradescope ----------------------------------------------------------------------------------


def gradescope(order: Order) -> None:
    """The same kit gives the same bytes.

    Raises NotPackaged."""
    settings = {
        "lessons": list(order.lessons),
        "timeout": order.timeout,
        "isolation": order.isolation,
    }
    texts = {
        "setup.sh": SETUP.replace("TORCH", torch()),
        "run_autograder": RUN,
        autograde.SETTINGS: json.dumps(settings, indent=2) + "\n",
    }
    if order.hidden_seed:
        texts[autograde.SEED] = order.hidden_seed + "\n"
    try:
        with whole.writing(order.to, binary=True) as file, zipfile.ZipFile(file, "w") as archive:
            for name, text in texts.items():
                add(archive, name, text.encode(), 0o755 if name in PROGRAMS else 0o644)
            for path in _kit():
                add(archive, f"kit/{path.as_posix()}", (KIT / path).read_bytes())
    except OSError as problem:
        raise NotPackaged(f"{order.to} cannot be written ({problem.strerror}).") from None


def _kit() -> Iterator[Path]:
    """Raises NotPackaged where this is no whole kit."""
    for name in FILES:
        if not (KIT / name).is_file():
            raise NotPackaged(f"There is no {name} beside grader/. Package from a clone.")
        yield Path(name)
    for folder in FOLDERS:
        for path in sorted((KIT / folder).rglob("*")):
            relative = path.relative_to(KIT)
            if path.is_file() and not any(LEFT_OUT.fullmatch(part) for part in relative.parts):
                yield relative


SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, as root on Ubuntu, to make the container that it grades in.
set -euo pipefail
base="${AUTOGRADER_BASE:-/autograder}"
apt-get update
apt-get install -y python3 python3-venv bubblewrap
python3 -m venv "$base/venv"
"$base/venv/bin/pip" install --no-deps --index-url https://download.pytorch.org/whl/cpu "TORCH"
"$base/venv/bin/pip" install --editable "$base/source/kit"
"""

RUN = f"""\
#!/usr/bin/env bash
# Gradescope runs this for each submission.
export AUTOGRADER_BASE="${{AUTOGRADER_BASE:-/autograder}}"
results="$AUTOGRADER_BASE/results/results.json"
mkdir -p "$AUTOGRADER_BASE/results"
rm -f "$results"
cd "$AUTOGRADER_BASE/source/kit" && "$AUTOGRADER_BASE/venv/bin/python" -m grader.handout.autograde
# It writes down its own failures; this is for when it did not even begin, or was killed.
if [ ! -s "$results" ]; then
  cat > "$results" <<'END'
{json.dumps(autograde.no_grade())}
END
fi
"""


# --- GitHub Actions ------------------------------------------------------------------------------


def github(folder: Path, kit: str = "", force: bool = False) -> Path:
    """The workflow that was written.

    Raises NotPackaged."""
    path = folder / WORKFLOW
    if kit and not REPOSITORY.fullmatch(kit):
        raise NotPackaged(f"--kit {kit!r} is no repository of GitHub's. Write OWNER/NAME@REF.")
    if path.exists() and not force:
        raise NotPackaged(f"{path} is there already. Remove it, or give --force.")
    repository, _, ref = kit.partition("@")
    given = [f"repository: {repository}", *([f"ref: {ref}"] if ref else []), "path: kit"]
    lines = "\n".join(f"          {line}" for line in given)
    checkout = f"      - uses: actions/checkout@v4\n        with:\n{lines}\n" if kit else ""
    text = (
        STEPS.replace("CHECKOUT\n", checkout)
        .replace("TORCH", torch())
        .replace("KIT", "kit" if kit else "work")
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole.writing(path) as file:
            file.write(text)
    except OSError as problem:
        raise NotPackaged(f"{path} cannot be written ({problem.strerror}).") from None
    return path


# The runner is the student's own, for one job, and the kit that is released holds no solutions: no
# sandbox is needed. Whoever can write to the repository can change the workflow, though.
STEPS = """\
# Runs the exercises on each push. The summary says what passed; results.xml is the JUnit file.
name: grade
on: [push, workflow_dispatch]
permissions:
  contents: read
jobs:
  grade:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
        with:
          path: work
CHECKOUT
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install
        run: |
          pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "TORCH"
          pip install --editable ./KIT
      - name: Grade
        run: |
          set -o pipefail
          answers="$(realpath work/exercises)" results="$PWD/results.xml" report="$PWD/report.txt"
          cd KIT
          pytest exercises --answers "$answers" --junitxml "$results" 2>&1 | tee "$report"
      - name: Summary
        if: always()
        run: |
          {
            echo "### Exercises"
            echo
            if [ -s report.txt ]; then sed 's/^/    /' report.txt; else echo "Nothing was run."; fi
          } | head -c 900000 >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: results
          path: results.xml
"""
