"""The words a student reads about one check. Plain text, never longer than a screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

from grader.inside.plain import Opaque
from grader.inside.run import NotRun, Raised
from grader.statements import Twice
from grader.verdict import agree, difference
from grader.verdict.exercise import Case, Check, Exercise
from grader.verdict.explain import Explanation
from grader.verdict.grade import Verdict
from grader.verdict.show import clip, show, show_argument, width
from grader.words import STUCK

LINES = 34
FRAMES = 6


def wrong(
    check: Check,
    verdict: Verdict,
    solution: Callable[..., Any],
    explanation: Explanation | None = None,
) -> str:
    """What was asked, on which case, what came back, what should have, where they differ."""
    if verdict.call is not None:
        return clip(str(verdict.call), lines=LINES)
    assert verdict.case is not None
    looked_at = " ".join((check.observe.__doc__ or "").split()).rstrip(".")
    body = [
        *named(explanation),
        check.says,
        "",
        *_case(check.exercise, verdict.case, solution),
        f"{looked_at}:",
        *_indent(clip(show(verdict.observed), lines=6)),
        "Expected:",
        *_indent(clip(show(verdict.expected), lines=6)),
    ]
    sentence = clip(_sentence(check, verdict), lines=3)
    closer = difference.lines(verdict.observed, verdict.expected, check.of_tokens)
    return "\n".join([clip("\n".join(body), lines=LINES), "", sentence, *map(_safe, closer)])


def not_yet(check: Check) -> str:
    """On a check that passes and does not count (`grader.verdict.counting`)."""
    return (
        f"{check.says}\n\nSo it is, but an answer that does nothing passes this, too. It counts "
        f"once another check of {check.exercise} passes that looks at the result."
    )


def _sentence(check: Check, verdict: Verdict) -> str:
    """What is different."""
    observed, what = verdict.observed, check.observe.__name__
    if what == "gradients" and isinstance(observed, str):
        return f"{observed[:1].upper()}{observed[1:]}."
    if what in ("dtype", "device") and isinstance(observed, (list, tuple)):
        other = next((x for x in observed if not isinstance(x, Opaque)), None)
        if other is not None:
            return f"It returns {agree.kind(other)}, which has no {what}."
    if not re.match(r"(?!nan|inf)[a-z]+[ :]", verdict.difference):
        return verdict.difference  # it begins with a value
    return verdict.difference[:1].upper() + verdict.difference[1:]


def first_failure(exercise: Exercise, explanation: Explanation | None, text: str) -> str:
    """The feedback on the first check of an exercise that fails, with what is not said again: what
    to think about, and that there are hints."""
    parts = [text]
    if explanation is not None:
        heading, _, rest = text.partition("\n")
        wrapped = [
            textwrap.wrap(says, width() - 4, break_long_words=False) for says in explanation.says
        ]
        parts = [heading, *(line for says in wrapped for line in _indent("\n".join(says))), rest]
    if exercise.hints:
        n = len(exercise.hints)
        parts += ["", f"{STUCK}`grader hint {exercise.name}` gives a hint at a time, {n} in all."]
    return "\n".join(parts)


def named(explanation: Explanation | None) -> list[str]:
    """The words that name a mistake; empty where it is none that we know."""
    return [] if explanation is None else [explanation.heading, ""]


def error(
    exercise: str,
    raised: Raised,
    check: Check | None = None,
    verdict: Verdict | None = None,
    solution: Callable[..., Any] | None = None,
    explanation: Explanation | None = None,
) -> str:
    """The exception, and those of its frames that are in the student's own files; in a check what
    is asked for, and on which case."""
    parts = [*named(explanation), *([check.says, ""] if check is not None else [])]
    parts += [f"{exercise} raised {described(raised)}", "", *_frames(raised)]
    if raised.stub:
        parts += ["", f"{exercise} calls {raised.stub}, which is still to do."]
    if verdict is not None and verdict.case is not None and solution is not None:
        expected = str(verdict.expected)
        if check is not None and check.observe.__name__.startswith("raises "):
            parts += ["", f"Expected: {expected.removesuffix(' raised')}"]
        parts += ["", *_case(exercise, verdict.case, solution)]
    return clip("\n".join(parts), lines=LINES)


def does_not_import(file: str, raised: Raised) -> str:
    """Why a file of answers cannot be run at all; said once for all its exercises."""
    parts = [f"{file} cannot be imported: {described(raised)}", "", *_frames(raised)]
    parts += ["", "None of its exercises can be checked before that is mended."]
    return clip("\n".join(parts), lines=LINES)


def not_defined(exercise: str, failed: NotRun) -> str:
    """Why a function is missing: what would have defined it did not run."""
    where = place(failed.line, failed.file)
    parts = [f"{exercise} is not defined, since {where} failed: {described(failed.raised)}"]
    return clip("\n".join([*parts, "", *_frames(failed.raised)]), lines=LINES)


def failed(failed: NotRun) -> str:
    """A line on something of a file that did not run."""
    words = " ".join(described(failed.raised).split())
    lost = f" (so there is no {', '.join(failed.names[:4])})" if failed.names else ""
    return f"{place(failed.line, failed.file)} failed{lost}: {words[:300]}"


def twice(two: Twice, said: Callable[[int], str] = "line {}".format) -> str:
    """`said`: how a line is spoken of."""
    counts, other = said(two.counts), said(two.other)
    if two.other_is_stub:
        return f"{two.name}: the one on {counts} counts, and not the untouched stub on {other}."
    return f"{two.name}: the last one, on {counts}, counts, and not the one on {other}."


def place(line: int, file: str) -> str:
    return f"line {line} of {file}"


def described(raised: Raised) -> str:
    return clip(raised.text, lines=4)


def _case(exercise: str, case: Case, solution: Callable[..., Any]) -> list[str]:
    arguments = case.named_for(solution)
    lines = [f"{exercise}({', '.join(arguments)}) with"]
    for name, value in arguments.items():
        text = clip(show_argument(value), lines=7)
        lines += [f"    {name} = {text}"] if "\n" not in text else [f"    {name} =", *_indent(text)]
    return lines


def _frames(raised: Raised) -> list[str]:
    lines = []
    for frame in raised.frames:
        if frame.function:
            at = ":" if frame.file.endswith(".py") or frame.file == "cell" else ", line "
            where = f"{frame.file}{at}{frame.line}"
            lines.append(f"  {where}, in {frame.function}\n    {frame.text}")
        else:  # where Python stopped reading
            lines.append(f"  line {frame.line}: {frame.text}")
    if len(lines) > FRAMES:
        half = FRAMES // 2
        lines[half:-half] = [f"  ... {len(lines) - FRAMES} more frames ..."]
    return lines


def _safe(line: str) -> str:
    return clip(line, lines=1)


def _indent(text: str) -> list[str]:
    return [f"    {line}" for line in text.split("\n")]
