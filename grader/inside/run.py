"""Run an implementation on a case, and put down what came of it as plain data.

This is all that happens to a student's code, in `pytest exercises` and in the sandbox alike. It
knows no expected value.
"""

from __future__ import annotations

import dis
import importlib.util
import inspect
import linecache
import os
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

import torch

from grader import statements
from grader.inside.forbidden import Forbidden
from grader.inside.plain import name_of, plain
from grader.inside.watch import Watch, threads
from grader.statements import Twice

Function = Callable[..., Any]
TEXT = 4_000  # characters of an exception's message that are kept
# What cells are compiled as: by IPython and Python's own prompt; by ipykernel; by Colab.
CELL = re.compile(
    r"^<(ipython-input|python-input|stdin)|[/\\]ipykernel_\d+[/\\]\w+\.py$|[/\\]ipython-input-"
)
CALLED = 1_000  # functions that are looked through for what they call
FRAMES = 20  # the first and the last ones; a recursion has a thousand


@dataclass(frozen=True)
class Frame:
    """A line of a student's own that an exception came through."""

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Raised:
    """An observation: the implementation raised."""

    kind: str  # the name of the exception's type
    text: str  # type and message
    frames: tuple[Frame, ...] = ()
    is_todo: bool = False  # the exercise's own `raise NotImplementedError`
    stub: str = ""  # the function that raised a NotImplementedError
    errno: int | None = None  # of the operating system's refusal behind it
    exception: BaseException | None = field(default=None, compare=False)  # in this process only


def observation(
    observe: Function,
    implementation: Function,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    forbids: Forbidden | None = None,
    folder: Path | None = None,
) -> Any:
    """What `observe` sees of the implementation: plain data, or `Raised`, or a forbidden `Call`.
    Frames of exceptions are kept where they lie in `folder`."""
    watch = Watch(implementation, forbids) if forbids is not None else None
    with clean_state():
        try:
            with watch or nullcontext():
                looked_at = observe(implementation, *args, **kwargs)
            seen = plain(looked_at)
        except KeyboardInterrupt:
            raise
        except BaseException as exception:  # SystemExit and pytest's own are theirs too
            seen = raised(exception, implementation, folder)
    return watch.call if watch is not None and watch.call is not None else seen


@dataclass(frozen=True)
class NotRun:
    """A statement of a file's top level that did not run."""

    line: int
    names: tuple[str, ...]  # that it would have given a meaning to
    raised: Raised
    file: str


class Skipped(Exception):
    """A statement that was not to be run."""


@dataclass
class Loaded:
    """A file of answers as a module, and what of it failed."""

    module: ModuleType
    failed: list[NotRun] = field(default_factory=list)
    twice: list[Twice] = field(default_factory=list)

    def why_missing(self, name: str) -> NotRun | None:
        """What kept a name from having a meaning; where nothing of the file is there, its first
        failure."""
        for failed in reversed(self.failed):
            if name in failed.names or "*" in failed.names:
                return failed
        own = self.module.__name__
        if any(getattr(value, "__module__", None) == own for value in vars(self.module).values()):
            return None
        return self.failed[0] if self.failed else None


def load(
    path: Path,
    cells: Sequence[int] = (),
    skip: Sequence[int] = (),
    at: Callable[[int], None] = lambda line: None,
    interrupts: bool = True,
) -> Loaded:
    """Run a file of answers as a module, afresh, statement by statement: one that fails costs what
    needs it.

    cells: of a notebook, the line on which each begins. skip: lines of statements that are not to
    be run. `at` is told the line of each before it runs. interrupts: whether a KeyboardInterrupt
    is somebody's, and not the file's own.

    Raises OSError, SyntaxError or UnicodeDecodeError where there is no text in the file.
    """
    return run(path, _as_module(path), cells, skip, at, interrupts)


def run(
    path: Path,
    module: ModuleType,
    cells: Sequence[int] = (),
    skip: Sequence[int] = (),
    at: Callable[[int], None] = lambda line: None,
    interrupts: bool = True,
) -> Loaded:
    """The same into a module that is made already. Raises as `load`."""
    text = importlib.util.decode_source(path.read_bytes())
    read = statements.read(text, cells, str(path))
    sys.modules[module.__name__] = module  # dataclasses and pickling look a class's module up there
    loaded = Loaded(module, twice=read.twice)
    names = vars(module)
    names["__doc__"] = read.docstring
    if "get_ipython" in text:
        names["get_ipython"] = lambda: Shell(names)
    for statement in read.statements:
        failure: BaseException | None = statement.problem
        if statement.line in skip:
            failure = Skipped()
        elif statement.code is not None:
            at(statement.line)
            try:
                with threads():
                    _exec(statement, path, names)
            except BaseException as problem:  # SystemExit and pytest's own are theirs, too
                if interrupts and isinstance(problem, KeyboardInterrupt):
                    raise
                failure = problem
        if failure is not None:
            put_down = raised(failure, folder=path.parent)
            loaded.failed.append(NotRun(statement.line, statement.names, put_down, path.name))
    return loaded


def _exec(statement: statements.Statement, path: Path, names: dict[str, Any]) -> None:
    """Raises whatever the statement raises. What an annotation speaks of need not be there: the
    lessons' own stand under `from __future__ import annotations`, which is soon lost."""
    assert statement.code is not None
    try:
        exec(statement.code, names)
    except NameError:
        code = statement.without_annotations(str(path))
        if code is None:
            raise
        exec(code, names)


def _as_module(path: Path) -> ModuleType:
    """A module for a file that is to be run."""
    name = f"{path.parent.name}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, path
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # answers may import one another, by plain name
    return module


class Shell:
    """What nbconvert's scripts call IPython for: Python within magics is run, nothing else is."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def run_line_magic(self, name: str, line: str = "", *rest: Any) -> None:
        if name in statements.PYTHON_MAGICS:
            exec(line, self.names)

    def run_cell_magic(self, name: str, line: str = "", cell: str = "") -> None:
        if name in statements.PYTHON_MAGICS:
            exec(cell, self.names)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


def lessons_are_in(folder: Path) -> None:
    """From now on, `exercises.lesson1_tokens`, as an answer may call another lesson, is the one in
    this folder, whatever that is called."""
    package = sys.modules.get("exercises")
    if package is not None and list(package.__path__) == [str(folder)]:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "exercises"]:
        del sys.modules[name]
    package = ModuleType("exercises")
    package.__path__ = [str(folder)]
    sys.modules["exercises"] = package


# --- Exceptions ----------------------------------------------------------------------------------


def raised(
    exception: BaseException, implementation: Function | None = None, folder: Path | None = None
) -> Raised:
    stub = ""
    if isinstance(exception, NotImplementedError) and (last := innermost(exception.__traceback__)):
        stub = last.tb_frame.f_code.co_name
    return Raised(
        kind=name_of(type(exception)),
        text=describe(exception),
        frames=_frames(exception, folder) if folder is not None else (),
        is_todo=implementation is not None and is_todo(implementation, exception),
        stub=stub,
        errno=_errno(exception),
        exception=exception,
    )


def describe(exception: BaseException) -> str:
    """Type and message; the message of a hostile exception may itself raise."""
    try:
        if isinstance(exception, SyntaxError):
            return f"{type(exception).__name__}: {exception.msg}"[:TEXT]
        lines = traceback.format_exception_only(type(exception), exception)
        return "".join(lines).strip()[:TEXT]
    except Exception:  # theirs: whatever it is, the type's name is what is left to say
        return name_of(type(exception))


def _frames(exception: BaseException, folder: Path) -> tuple[Frame, ...]:
    if isinstance(exception, SyntaxError) and Path(str(exception.filename)).parent == folder:
        text = str(exception.text or "").strip()[:TEXT]
        return (Frame(Path(str(exception.filename)).name, exception.lineno or 0, "", text),)
    found = [
        (frame, line)
        for frame, line in traceback.walk_tb(exception.__traceback__)
        if folder in Path(frame.f_code.co_filename).parents or is_cell(frame.f_code.co_filename)
    ]
    if len(found) > FRAMES:
        found = found[: FRAMES // 2] + found[-FRAMES // 2 :]
    return tuple(
        Frame(
            "cell" if is_cell(frame.f_code.co_filename) else Path(frame.f_code.co_filename).name,
            line,
            frame.f_code.co_name,
            linecache.getline(frame.f_code.co_filename, line).strip()[:TEXT],
        )
        for frame, line in found
    )


def is_cell(filename: str) -> bool:
    """Is this the "file" of what was typed into a notebook or at a prompt?"""
    return CELL.search(filename) is not None


def _errno(exception: BaseException | None) -> int | None:
    """Of the first OSError among an exception and what it was raised from or while handling."""
    for _ in range(20):
        if exception is None:
            return None
        if isinstance(exception, OSError) and isinstance(exception.errno, int):
            return int(exception.errno)
        exception = exception.__cause__ or exception.__context__
    return None


def is_untouched(implementation: Function) -> bool:
    """Is `raise NotImplementedError` all it does?"""
    own = code(implementation)
    if own is None or own.co_names != ("NotImplementedError",):
        return False
    does = [i.opname for i in dis.get_instructions(own) if i.opname not in ("RESUME", "NOP")]
    return does == ["LOAD_GLOBAL", "RAISE_VARARGS"]


def is_todo(implementation: Function, exception: BaseException) -> bool:
    """Did this very function say `raise NotImplementedError`? (PyTorch raises that type, too, for
    operators it lacks; then the frame is at a call and not at a `raise`.)"""
    frame = innermost(exception.__traceback__)
    return (
        isinstance(exception, NotImplementedError)
        and frame is not None
        and frame.tb_frame.f_code is code(implementation)
        and frame.tb_frame.f_code.co_code[frame.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    )


def code(implementation: Function) -> CodeType | None:
    """Of the function itself."""
    own = function(implementation)
    return own.__code__ if own is not None else None


def function(implementation: Function) -> FunctionType | None:
    """What is below decorators such as `torch.no_grad()`."""
    if not isinstance(implementation, FunctionType):
        return None
    try:
        own = inspect.unwrap(implementation, stop=lambda f: not isinstance(f, FunctionType))
    except ValueError:  # it is wrapped in itself
        return None
    return own if isinstance(own, FunctionType) else None


def called(implementation: Function, names: Sequence[str]) -> dict[str, Function]:
    """The functions of its own module, of these names, that it speaks of: itself, or by way of
    others."""
    own = function(implementation)
    if own is None:
        return {}
    found: dict[str, Function] = {}
    left = [own.__code__]
    seen: set[str] = set()
    looked_at: set[int] = set()
    while left:
        code = left.pop()
        if id(code) in looked_at or len(looked_at) > CALLED:
            continue
        looked_at.add(id(code))
        left += [part for part in code.co_consts if isinstance(part, CodeType)]
        # Not `co_names`: an attribute's name, as in `x.softmax(-1)`, is there, too.
        for name in {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}:
            other = own.__globals__.get(name)
            if name in seen or not isinstance(other, FunctionType):
                continue
            seen.add(name)
            helper = function(other)
            if helper is None or helper.__globals__ is not own.__globals__:
                continue
            if name in names and helper is not own:
                found[name] = other
            left.append(helper.__code__)
    return {name: found[name] for name in names if name in found}


@contextmanager
def replaced(implementation: Function, others: dict[str, Function]) -> Iterator[None]:
    """With other functions under these names of its module."""
    own = function(implementation)
    assert own is not None
    before = {name: own.__globals__[name] for name in others}
    own.__globals__.update(others)
    try:
        yield
    finally:
        own.__globals__.update(before)


def innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


# --- Global state --------------------------------------------------------------------------------


def _default_device() -> torch.device | None:
    """None where it is one that this machine does not have."""
    try:
        return torch.get_default_device()
    except Exception:  # as an AssertionError, "Torch not compiled with CUDA enabled"
        return None


@contextmanager
def clean_state() -> Iterator[None]:
    """Whatever runs of a student's starts from the same global state, and leaves none behind."""
    cwd, recursion_limit = os.getcwd(), sys.getrecursionlimit()
    random.seed(0)
    torch.default_generator.manual_seed(0)  # torch.manual_seed formats a stack trace per call
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    grad, threads = torch.is_grad_enabled(), torch.get_num_threads()
    precision = torch.get_float32_matmul_precision()
    torch.set_grad_enabled(True)
    torch.set_float32_matmul_precision("highest")  # else float32 is float32 in name only
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one per call, over thousands of calls
            yield
    finally:
        os.chdir(cwd)
        sys.setrecursionlimit(recursion_limit)
        torch.set_grad_enabled(grad)
        torch.set_float32_matmul_precision(precision)
        torch.set_default_dtype(dtype)
        if _default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
