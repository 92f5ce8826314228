"""What pages for people are made of: what was said of an answer, and HTML that stands alone.

A page loads nothing, and its Content-Security-Policy lets nothing run but the script that it was
written with, so that a student's text cannot act even if it were not escaped; it is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from grader import whole
from grader.problem import Problem
from grader.words import LOOKS_LIKE, NAMES, STUCK, ours, with_code

if TYPE_CHECKING:
    from jinja2 import Environment

FILES = Path(__file__).parent / "page"


class CannotWrite(Problem):
    """Why a page is not written: one clear line."""


# --- Feedback ------------------------------------------------------------------------------------


class Said(NamedTuple):
    """A check's feedback."""

    heading: str  # names the mistake; empty if it is none that we know
    think: str  # what to think about
    text: str  # the rest, many lines


def said(feedback: str, misconception: str) -> Said:
    heading, _, rest = feedback.partition("\n")
    if not misconception:
        return Said("", "", feedback)
    if not heading.startswith(NAMES):
        return Said(f"{LOOKS_LIKE}{misconception}.", "", feedback)
    think = []
    lines = rest.split("\n")
    while lines and lines[0].startswith("    "):
        think.append(lines.pop(0).strip())
    return Said(heading, " ".join(think), "\n".join(lines).strip("\n"))


def lines_named(lesson: str, feedback: str) -> set[int]:
    """The lines of the student's file that a feedback speaks of."""
    places = rf"\b{re.escape(lesson)}\.py:(\d{{1,7}})\b|^ *[Ll]ine (\d{{1,7}})(?::| calls )"
    return {int(a or b) for a, b in re.findall(places, feedback, re.MULTILINE)}


# --- HTML ----------------------------------------------------------------------------------------


def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    made = Environment(
        loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip

    def code(text: str) -> Markup:
        """A text of ours, what stands between backticks as code."""
        return Markup(with_code(str(escape(text))))

    def feedback(text: str) -> Markup:
        lines = text.split("\n")
        own = ours(lines)
        shown = (
            code(line) if i < own or line.startswith(STUCK) else escape(line)
            for i, line in enumerate(lines)
        )
        return Markup("\n").join(shown)

    made.filters.update(code=code, feedback=feedback)
    return made


def asset(*names: str) -> str:
    return "".join((FILES / name).read_text("utf-8") for name in names)


def policy(style: str, script: str = "") -> str:
    """A Content-Security-Policy that allows these two and nothing else."""
    parts = ["default-src 'none'", f"style-src {_hash(style)}"]
    parts += [f"script-src {_hash(script)}"] if script else []
    parts += ["base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"]
    return "; ".join(parts)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write(path: Path, text: str) -> None:
    """All of it or nothing. Raises CannotWrite."""
    try:
        with whole.writing(path) as file:
            file.write(text)
    except OSError as problem:
        raise CannotWrite(f"{path} cannot be written ({problem.strerror}).") from None
