"""An answer watched as it runs: the first call that its exercise forbids, in whichever thread."""

from __future__ import annotations

import _thread
import inspect
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from torch.autograd import profiler_legacy
from torch.overrides import TorchFunctionMode

from grader.inside.forbidden import LIBRARIES, Call, Forbidden

Function = Callable[..., Any]
_watching: Watch | None = None
_STARTS = ("start_new_thread", "start_new", "_start_new_thread",
           "start_joinable_thread", "_start_joinable_thread")  # fmt: skip


class Watch:
    """As a context, within which an implementation runs and is looked at: `call` becomes the first
    forbidden call that is made."""

    def __init__(self, implementation: Function, forbidden: Forbidden) -> None:
        self.implementation, self.forbidden = implementation, forbidden
        self.call: Call | None = None
        self.thread = threading.get_ident()
        self.known = _known.setdefault(forbidden, {})

    def __enter__(self) -> Watch:
        global _watching
        self._stack = ExitStack()
        self._stack.enter_context(threads())
        if self.forbidden:
            _watching = self
            self._stack.enter_context(_looking(_asks_of_torch(), _asks_of_torch()))
        return self

    def __exit__(self, *exception: object) -> None:
        global _watching
        try:
            self._stack.close()
        finally:
            _watching = None

    def saw(self, what: str) -> None:
        if self.call is None:
            self.call = Call(what, *self._place())

    def _place(self) -> tuple[int | None, str]:
        """The innermost line of the implementation's own file that runs at this moment: in this
        thread, or where the implementation waits for it."""
        try:
            function = inspect.unwrap(self.implementation)
            code, module = function.__code__, function.__module__
        except Exception:  # it is no function of Python's, or says that it is another
            return None, ""
        if _root(module) in LIBRARIES:
            return None, ""
        frame: FrameType | None
        for frame in (sys._getframe(), sys._current_frames().get(self.thread)):
            while frame is not None:
                if frame.f_code.co_filename == code.co_filename:
                    text = linecache.getline(code.co_filename, frame.f_lineno).strip()
                    return frame.f_lineno, text
                frame = frame.f_back
        return None, ""


# --- Threads -------------------------------------------------------------------------------------


@contextmanager
def threads() -> Iterator[None]:
    """Threads that are started within it are looked at for as long as they run, whatever watch
    there is at that time."""
    before = [
        (module, name, vars(module)[name])
        for module in (_thread, threading)
        for name in _STARTS
        if name in vars(module)
    ]
    for module, name, start in before:
        setattr(module, name, _looking_on(start))
    try:
        yield
    finally:
        for module, name, start in before:
            setattr(module, name, start)


def _looking_on(start: Function) -> Function:
    def start_looking(function: Function, *args: Any, **kwargs: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            with _looking(compiled=_asks_of_torch(), tensors=True):
                return function(*args, **kwargs)

        return start(run, *args, **kwargs)

    return start_looking


# --- What is looked at ---------------------------------------------------------------------------


def _asks_of_torch() -> bool:
    return _watching is not None and bool(_watching.forbidden.torch)


@contextmanager
def _looking(compiled: bool, tensors: bool) -> Iterator[None]:
    """At all that this thread calls, for the watch that there is."""
    with ExitStack() as stack:
        if compiled:
            stack.enter_context(_ops())
        if tensors:
            stack.enter_context(_Functions())
        if sys.getprofile() is None:  # else somebody measures how long it takes
            sys.setprofile(_entered)
            stack.callback(sys.setprofile, None)
        yield


@contextmanager
def unwatched() -> Iterator[None]:
    """What the kit does by itself meanwhile need not be looked at call by call."""
    is_looking = sys.getprofile() is _entered
    if is_looking:
        sys.setprofile(None)
    try:
        yield
    finally:
        if is_looking:
            sys.setprofile(_entered)


class _Functions(TorchFunctionMode):
    """Python's calls into PyTorch. (A TorchDispatchMode would see deeper, but takes a second to
    import, and lines are known only up here.)"""

    def __torch_function__(
        self, called: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if (watch := _watching) is not None:
            name = getattr(called, "__name__", None) or str(called)
            ruled_out = watch.known.get(name)
            if ruled_out is None:
                ruled_out = watch.known[name] = watch.forbidden.rules_out_torchs(name)
            if ruled_out:
                watch.saw(f"PyTorch's {name.strip('_')}")
        return called(*args, **(kwargs or {}))


@contextmanager
def _ops() -> Iterator[None]:
    """What compiled code (`torch.jit.script`) calls."""
    with profiler_legacy.profile() as profile:
        yield
    if (watch := _watching) is not None:
        for event in profile.function_events:
            space, _, name = event.name.partition("::")
            if space == "aten" and watch.forbidden.rules_out_torchs(name):
                watch.saw(f"PyTorch's {name.strip('_')}")


# A function of PyTorch's, or (module, function) -> is it ruled out? Asked of every call: a pass of
# the model makes thousands.
_known: dict[Forbidden, dict[Any, bool]] = {}


def _entered(frame: FrameType, event: str, argument: Any) -> None:
    """A function that a library has written in Python: however it was reached, this is where."""
    watch = _watching
    if event != "call" or watch is None:
        return
    code = frame.f_code
    # Python 3.10 does not say which class a method is of.
    module: Any = frame.f_globals.get("__name__")
    name = getattr(code, "co_qualname", code.co_name)
    key = module, name
    ruled_out = watch.known.get(key)
    if ruled_out is None:
        ruled_out = watch.known[key] = watch.forbidden.rules_out(f"{module}.{name}")
    if ruled_out and not _is_importing(frame):
        watch.saw(f"{LIBRARIES[_root(module)]}'s {name.removesuffix('.__init__')}")


def _root(module: object) -> str:
    return str(module).partition(".")[0]


def _is_importing(frame: FrameType | None) -> bool:
    """Does the library run this for itself, since it is imported?"""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        if _root(frame.f_globals.get("__name__")) not in LIBRARIES:
            return False
        frame = frame.f_back
    return False
