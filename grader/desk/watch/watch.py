"""`grader watch`, until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import lessons
from grader.desk.watch.watcher import CONTINUE, END, STOP, SUSPEND, Watcher
from grader.problem import Problem

SIGNALS = {
    "SIGINT": STOP,
    "SIGBREAK": STOP,  # Windows
    "SIGTERM": END,
    "SIGHUP": END,
    "SIGTSTP": SUSPEND,
    "SIGCONT": CONTINUE,
}


def watch(
    folder: Path, only: Sequence[str] = (), reference: str = "auto", device: str = "auto"
) -> None:
    """Until it is told to stop. Raises `Problem`, KeyboardInterrupt, and SystemExit on SIGTERM."""
    if not folder.is_dir():
        raise Problem(f"There is no folder {str(folder)!r}. Say where: --answers DIR.")
    if Path(reference).is_dir():
        reference = str(Path(reference).resolve())
    watcher = Watcher(folder.resolve(), lessons.named(only), reference, device)
    before: dict[int, Any] = {}
    for name, key in SIGNALS.items():
        if (number := getattr(signal, name, None)) is not None:
            # They wait for their turn, so that none of them cuts anything in two.
            handler = lambda *_, key=key: watcher.signals.append(key)  # noqa: E731
            before[number] = signal.signal(number, handler)
    try:
        with watcher.keys:
            watcher.run()
    finally:
        watcher.close()
        for number, handler in before.items():
            signal.signal(number, handler)
