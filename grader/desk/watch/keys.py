"""Single keys from the terminal, without Enter, and the terminal as it was afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

if sys.platform == "win32":
    import msvcrt
else:
    import termios
    import tty


class Keys:
    """In the body `press` is called with each key, from another thread. Ctrl-C and Ctrl-Z stay
    signals. Nothing happens where nobody can press a key."""

    def __init__(self, press: Callable[[str], None]) -> None:
        self._press = press
        self._before: list[Any] | None = None  # how the terminal was

    def __enter__(self) -> Keys:
        if sys.stdin.isatty() and sys.stdout.isatty():
            if sys.platform != "win32":
                self._before = termios.tcgetattr(0)
                self.take()
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def take(self) -> None:
        """Keys one at a time and unseen; also after somebody else has had the terminal."""
        if sys.platform != "win32" and self._before is not None and _is_ours():
            tty.setcbreak(0, termios.TCSADRAIN)

    def give_back(self) -> None:
        if sys.platform != "win32" and self._before is not None and _is_ours():
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)

    def suspend(self) -> None:
        """What Ctrl-Z does; returns after `fg`."""
        if sys.platform != "win32":
            self.give_back()
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, handler)
            self.take()

    def _read(self) -> None:
        if sys.platform == "win32":
            while True:
                self._press(msvcrt.getwch())
        with contextlib.suppress(OSError):  # the terminal is gone
            while pressed := os.read(0, 32):
                if not pressed.startswith(b"\x1b"):  # an arrow is no command
                    for key in pressed.decode("utf-8", "replace"):
                        self._press(key)


def _is_ours() -> bool:
    """In the background a change of the terminal would stop us."""
    with contextlib.suppress(OSError, AttributeError):
        return os.tcgetpgrp(0) == os.getpgrp()
    return False
