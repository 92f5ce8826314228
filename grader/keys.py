"""Single keys from the terminal, without Enter, and the terminal as it was afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def read(press: Callable[[str], None]) -> Iterator[None]:
    """In the body `press` is called with each key, from another thread. Nothing where nobody can
    press one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
    elif sys.platform == "win32":
        threading.Thread(target=_windows, args=(press,), daemon=True).start()
        yield
    else:
        with _cbreak():
            threading.Thread(target=_unix, args=(press,), daemon=True).start()
            yield


def _windows(press: Callable[[str], None]) -> None:
    import msvcrt

    while True:
        press(msvcrt.getwch())  # type: ignore[attr-defined]


def _unix(press: Callable[[str], None]) -> None:
    while True:
        try:
            pressed = os.read(sys.stdin.fileno(), 32)
        except OSError:  # the terminal is gone
            return
        if not pressed:
            return
        if not pressed.startswith(b"\x1b"):  # an arrow is no command
            for key in pressed.decode("utf-8", "replace"):
                press(key)


@contextlib.contextmanager
def _cbreak() -> Iterator[None]:
    """Keys one at a time and unseen; Ctrl-C and Ctrl-Z as ever, and back to it after `fg`."""
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)

    def is_ours() -> bool:
        """In the background a change would stop us."""
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(fd) == os.getpgrp()
        return False

    def restore() -> None:
        if is_ours():
            termios.tcsetattr(fd, termios.TCSADRAIN, before)

    def suspend(*_: Any) -> None:
        restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)

    def resume(*_: Any) -> None:
        signal.signal(signal.SIGTSTP, suspend)
        if is_ours():
            tty.setcbreak(fd, termios.TCSADRAIN)

    handlers = signal.signal(signal.SIGTSTP, suspend), signal.signal(signal.SIGCONT, resume)
    try:
        tty.setcbreak(fd, termios.TCSADRAIN)
        yield
    finally:
        signal.signal(signal.SIGTSTP, handlers[0])
        signal.signal(signal.SIGCONT, handlers[1])
        restore()
