"""HTML for notebooks.

It has the colours of the page around it, light or dark: text inherits its colour, and what is
tinted is so by a translucent one. Styles are in the elements, as notebooks strip style sheets.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from grader.outcome import worst
from grader.words import EXPECTED, NAMES, STUCK, YOURS, ours, with_code

# It has the colours of the page around it, light or dark: text inherits its colour, and what is
# tinted is so by a translucent one. Styles are in the elements, as notebooks strip style sheets.

# Okabe and Ito's colours, which the colour-blind can tell apart; there are words beside each.
COLOURS = {"passed": "#009e73", "wrong": "#d55e00", "error": "#cc79a7", "todo": "#888888"}
MARKS = {"passed": "✓", "wrong": "✗", "error": "!", "todo": "○"}


def box(content: str, outcome: str) -> str:
    style = f"border-left:4px solid {COLOURS[outcome]};padding:.2em 0 .2em 1em;max-width:60em"
    return f'<div style="{style};color:inherit;line-height:1.4">\n{content}\n</div>'


def heading(text: str) -> str:
    name, colon, rest = text.partition(":")
    return f'<p style="margin:0"><b>{escape(name)}</b>{colon}{escape(rest)}</p>'


def table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows of outcome, name, points, and what is to be said, the last as HTML."""
    cell = "text-align:left;vertical-align:top;padding:.15em .8em .15em 0;border:0"
    lines = []
    for outcome, name, points, said in rows:
        kind = worst(o for o in COLOURS if o in outcome)
        mark = f'<span style="color:{COLOURS[kind]}" aria-hidden="true">{MARKS[kind]}</span>'
        cells = [f"{mark}&nbsp;{escape(outcome)}", points, f"<code>{name}</code>", said]
        lines.append("<tr>" + "".join(f'<td style="{cell}">{c}</td>' for c in cells) + "</tr>")
    style = "border-collapse:collapse;margin:.4em 0;background:none;font-size:inherit"
    return f'<table style="{style}">' + "\n".join(lines) + "</table>"


def code(text: str) -> str:
    """A text of ours, what stands between backticks as code."""
    return with_code(escape(text))


def feedback(check: str, text: str, is_open: bool) -> str:
    lines = []
    own = ours(text.split("\n"))
    for i, line in enumerate(text.split("\n")):
        html = escape(line)
        if i == 0 and line.startswith(NAMES):
            words, _, name = line.partition(": ")
            html = f"{escape(words)}: <b>{code(name)}</b>"
        elif i < own or line.startswith(STUCK):
            html = code(line)
        elif line.startswith(YOURS):
            html = f'<span style="background:rgba(213,94,0,.22)">{html}</span>'
        elif line.startswith(EXPECTED):
            html = f'<span style="background:rgba(0,158,115,.22)">{html}</span>'
        lines.append(html)
    style = (
        "white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;padding:.6em .8em;"
        "background:rgba(128,128,128,.12);color:inherit;font-size:.92em;line-height:1.35"
    )
    return (
        f'<details{" open" if is_open else ""} style="margin:.4em 0">'
        f"<summary>{escape(check)}</summary>\n"
        f'<pre style="{style}">' + "\n".join(lines) + "</pre></details>"
    )
