"""The autograder. What notebooks and scripts take of it:

from grader import check, pictures
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.desk import pictures as pictures
    from grader.desk.live import check as check


def __getattr__(name: str) -> Any:
    # When asked for: both import torch.
    if name == "check":
        return import_module("grader.desk.live").check
    if name == "pictures":
        return import_module("grader.desk.pictures")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
