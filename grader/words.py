"""What is looked for in feedback and made of a student's text. No torch."""

from __future__ import annotations

# What lines of feedback begin with that are shown in another way than the rest.
LOOKS_LIKE = "This looks like: "
AT_ONCE = {2: "This looks like two things at once: ", 3: "This looks like three things at once: "}
IN_PART = "On some inputs it does the same as: "
CALLS = "It calls "
NAMES = (LOOKS_LIKE, *AT_ONCE.values(), IN_PART, CALLS)  # what a mistake is named with
SEVERAL = "; "  # between the names of mistakes
STUCK = "Stuck? "
YOURS, EXPECTED = "    yours ", "    expected "

# For str.translate: control characters, but for tabs and line breaks, as Python writes them.
VISIBLE = {c: repr(chr(c))[1:-1] for c in (*range(32), *range(127, 160)) if chr(c) not in "\t\n"}


def harmless(text: str) -> str:
    """Nothing that a terminal would act on, or a file could not take."""
    return text.translate(VISIBLE).encode("utf-8", "backslashreplace").decode()
