"""What is looked for in feedback and made of a student's text. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What lines of feedback begin with that are shown in another way than the rest.
LOOKS_LIKE = "This looks like: "
AT_ONCE = {2: "This looks like two things at once: ", 3: "This looks like three things at once: "}
IN_PART = "On some inputs it does the same as: "
CALLS = "It calls "
NAMES = (LOOKS_LIKE, *AT_ONCE.values(), IN_PART, CALLS)  # what a mistake is named with
SEVERAL = "; "  # between the names of mistakes
STUCK = "Stuck? "
YOURS, EXPECTED = "    yours ", "    expected "

# How GPT-2's vocabulary shows each byte: printable ones as they are, the others from code point 256
# on, so that a space is Ġ (`bytes_to_unicode` in OpenAI's encoder.py).
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [b for b in range(256) if b not in _PRINTABLE]
STAND_INS = {b: chr(b) for b in _PRINTABLE} | {b: chr(256 + i) for i, b in enumerate(_OTHERS)}

# For str.translate: control characters, but for tabs and line breaks, as Python writes them.
VISIBLE = {c: repr(chr(c))[1:-1] for c in (*range(32), *range(127, 160)) if chr(c) not in "\t\n"}


def harmless(text: str) -> str:
    """Nothing that a terminal would act on, or a file could not take."""
    return text.translate(VISIBLE).encode("utf-8", "backslashreplace").decode()


def with_code(html: str) -> str:
    """A line of escaped text of ours, in which what stands between backticks is code."""
    return re.sub("`([^`\n]+)`", r"<code>\1</code>", html)


def ours(lines: Sequence[str]) -> int:
    """How many lines of a feedback are our own words: as far as the first blank one. Then it may be
    a student's."""
    return lines.index("") if "" in lines else 0
