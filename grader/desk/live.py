"""Functions are checked as they are in this process, in a notebook or at Python's prompt:

    from grader import check

    check(softmax)  # this exercise
    check.all()  # the progress table of all exercises that are defined here
    check.reference, check.device = "gpt2-small", "cpu"  # what to be held against from now on

What comes back shows itself: as HTML in a notebook, as text elsewhere. Its words are those of
`pytest exercises`. What the checks ask, and what is right, is worked out once per process.
"""

from __future__ import annotations

import ast
import io
import linecache
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import torch

from grader import lessons
from grader.desk.checked import Checked, Progress, Result
from grader.inside import reference, run
from grader.inside.fixtures import Fixtures
from grader.problem import Problem
from grader.statements import read
from grader.verdict import grade, load
from grader.verdict.answers import Answers
from grader.verdict.exercise import Check
from grader.verdict.show import clip

PRINTED_LINES = 20  # shown of what a function prints, under a failure
PRINTED = 100_000  # characters kept of it


class CannotCheck(Problem):
    """A wrong argument or option. A notebook shows its one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:  # what IPython looks for
        return [f"ERROR: {self}"]


class Stopped(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, during a check."""

    def _render_traceback_(self) -> list[str]:
        return ["Stopped."]


class Checks:
    """`check`: see the module. Raises `CannotCheck`, and `Stopped` where it was interrupted."""

    def __init__(self) -> None:
        self.reference, self.device = "auto", "auto"
        self._fixtures: dict[tuple[str, str], Fixtures] = {}
        self._questions: dict[tuple[Fixtures, Check], list[grade.Question]] = {}
        self._passed: set[str] = set()  # names of exercises, when last checked

    def __repr__(self) -> str:
        return "check(function) checks an exercise, check.all() all that are defined here"

    def __call__(self, function: Any, name: str | None = None) -> Checked:
        """Run an exercise's checks on a function: the exercise of its name, or of this `name`. A
        name alone means what is called so where the call stands."""
        here = sys._getframe(1).f_globals
        if isinstance(function, str):
            name = function
            self._lesson_of(name)  # that there is no such exercise is to be said first
            if name not in here:
                raise CannotCheck(f"{name} is not defined yet. Run its cell first.")
            function = here[name]
        if not callable(function):
            meant = name or "softmax"
            raise CannotCheck(
                f"check takes a function, and this is {_a(function)}: check({meant}), without "
                "calling it."
            )
        name = name or self._name_of(function, here)
        lesson = self._lesson_of(name)
        with _one_line():
            return self._checked(lesson, name, function, here)

    def all(self) -> Progress:
        """Check every exercise that is defined where this call stands."""
        here = sys._getframe(1).f_globals
        checked = []
        with _one_line():
            for name, lesson in self._lessons.items():
                if _is_someones_own(here.get(name)):
                    checked.append(self._checked(lesson, name, here[name], here))
        return Progress(checked)

    # --- Which exercise ----------------------------------------------------------------------

    @cached_property
    def _lessons(self) -> dict[str, str]:
        """Exercise -> its lesson, in order."""
        return {e.name: lesson for lesson in lessons.names() for e in load.exercises(lesson)}

    def _lesson_of(self, name: str) -> str:
        if name not in self._lessons:
            close = get_close_matches(name, self._lessons, n=3, cutoff=0.6)
            meant = f" Did you mean {' or '.join(close)}?" if close else ""
            raise CannotCheck(
                f"There is no exercise {name[:80]!r}.{meant} A function of another name is checked "
                'by check(it, "softmax").'
            )
        return self._lessons[name]

    def _name_of(self, function: Any, here: dict[str, Any]) -> str:
        """What it is called where it is used, or else where it was defined."""
        bound = [name for name in self._lessons if here.get(name) is function]
        if len(bound) == 1:
            return bound[0]
        name = getattr(function, "__name__", None)
        if not isinstance(name, str) or not name.isidentifier():  # as "<lambda>" is not
            raise CannotCheck(
                f"This is {_a(function)} without a name. Say which exercise it is: "
                'check(it, "softmax").'
            )
        return name

    # --- Checking ----------------------------------------------------------------------------

    def _checked(self, lesson: str, name: str, function: Any, here: dict[str, Any]) -> Checked:
        exercise = next(e for e in load.exercises(lesson) if e.name == name)
        solution = getattr(load.solution(lesson), name)
        fixtures = self._of_settings()
        needs_reference = any("reference" in check.needs for check in exercise.checks)
        will_run_reference = needs_reference and not run.is_untouched(function)
        if will_run_reference:
            fixtures("reference")  # now, as `pytest exercises` does: naming a mistake takes it
        answers = LiveAnswers(name, function, self._questions)
        results = []
        with _few_threads(fixtures):
            for check in exercise.checks:
                with _caught_print() as printed:
                    judged = answers.judge(exercise, check, solution, fixtures)
                results.append(Result(check, judged, clip(printed.text, PRINTED_LINES)))
        code = run.code(function)
        is_cell = code is None or run.is_cell(code.co_filename)
        checked = Checked(lesson, exercise, results, is_cell, _summary(function))
        if checked.is_passed:
            self._passed.add(name)
        else:
            self._passed.discard(name)
        if will_run_reference:
            checked.against = _in_python(fixtures.describe())
        names = [other.name for other in load.exercises(lesson)]
        after = names[names.index(name) :] + names
        left = (other for other in after if other not in self._passed and other in here)
        if following := next(left, None):
            checked.next = f"{following}  {_summary(here[following])}".rstrip()
        return checked

    def _of_settings(self) -> Fixtures:
        settings = (self.reference, self.device)
        if settings not in self._fixtures:
            fixtures = load.fixtures(*settings)
            if settings != ("auto", "auto"):  # is there such a one?
                reference.pick_device(fixtures.device)
                reference.find(fixtures.reference_name)
            self._fixtures[settings] = fixtures
        return self._fixtures[settings]


class LiveAnswers(Answers):
    """One function. `asked` keeps what checks ask, from call to call."""

    def __init__(
        self,
        name: str,
        function: Any,
        asked: dict[tuple[Fixtures, Check], list[grade.Question]],
    ) -> None:
        code = run.code(function)
        super().__init__(
            name, {name: function}, folder=Path(code.co_filename).parent if code else Path("/")
        )
        self.name, self.asked = name, asked

    @cached_property
    def source(self) -> str | None:
        return _source(self.name, self.functions[self.name])

    def questions(
        self, check: Check, solution: Any, seeds: Sequence[int | str], fixtures: Fixtures
    ) -> Iterator[grade.Question]:
        if (fixtures, check) not in self.asked:
            made = grade.questions(check, solution, seeds, fixtures)
            self.asked[fixtures, check] = list(made)
        yield from self.asked[fixtures, check]


def _source(name: str, function: Any) -> str | None:
    """Of the cell or file that a function comes from, with what its names stand for elsewhere in a
    notebook. None where that is not known, or is no longer what runs."""
    code = run.code(function)
    if code is None:
        return None
    linecache.checkcache(code.co_filename)
    source = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(source)
        if not run.is_cell(code.co_filename):  # a file may have changed since it was imported
            now = compile(source, code.co_filename, "exec", dont_inherit=True)
            # Statement by statement, as `run.load` does it, the compiler makes other code of it.
            pieces = [s.code for s in read(source, file=code.co_filename).statements if s.code]
            is_there = any(code in _codes(one) for one in (now, *pieces))
            return source if is_there else None
    except (RecursionError, MemoryError):
        return source  # where it matters, it is said that it cannot be read
    except (SyntaxError, ValueError):
        return None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    elsewhere = [_import(as_name, function.__globals__.get(as_name)) for as_name in sorted(names)]
    if function.__name__ != name and function.__name__.isidentifier():
        elsewhere.append(f"{name} = {function.__name__}")
    return "\n".join([source, *filter(None, elsewhere)])


def _import(name: str, value: Any) -> str:
    """The statement that would make this name stand for this value, where it is PyTorch's."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    for module in (torch, torch.nn.functional, torch.special):
        own = getattr(value, "__name__", None)
        if isinstance(own, str) and value is getattr(module, own, None):
            return f"from {module.__name__} import {own} as {name}"
    return ""


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@contextmanager
def _one_line() -> Iterator[None]:
    """What a person can mend, and their Ctrl-C, without the frames it came through."""
    try:
        yield
    except Problem as problem:
        raise CannotCheck(_in_python(str(problem))) from None
    except KeyboardInterrupt:
        raise Stopped from None


def _in_python(text: str) -> str:
    """With options of `pytest exercises` as they are set here."""
    text = re.sub(r"--(reference|device) (gpt2-\w+|cpu|cuda|mps)", r'check.\1 = "\2"', text)
    return re.sub(r"--(reference|device)", r"check.\1", text)


@contextmanager
def _few_threads(fixtures: Fixtures) -> Iterator[None]:
    """A small model is no faster on several, see `pytest_plugin`."""
    threads = torch.get_num_threads()
    if not fixtures.loaded("reference") or fixtures.reference.cfg.d_model < 512:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Printed(io.TextIOBase):
    """Takes what is printed, and keeps the beginning."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


@contextmanager
def _caught_print() -> Iterator[_Printed]:
    printed = _Printed()
    with redirect_stdout(printed), redirect_stderr(printed):
        yield printed


def _is_someones_own(value: Any) -> bool:
    """Not PyTorch's function of the same name, and not a number that is called so."""
    module = getattr(value, "__module__", None)
    return callable(value) and isinstance(module, str) and module.partition(".")[0] != "torch"


def _summary(function: Any) -> str:
    return (getattr(function, "__doc__", None) or " ").strip().split("\n")[0][:200]


def _a(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind}"


check = Checks()
