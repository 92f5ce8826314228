"""Pictures as HTML and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from grader.desk.pictures.labels import LABEL
from grader.verdict.show import clip

SHOWN = 400  # tokens of a text in HTML
LINES = 40  # of text


# --- HTML ----------------------------------------------------------------------------------------
# As in `live.py`: colours of the page around it, and translucent tints. Okabe and Ito's colours,
# which the colour-blind can tell apart.

BLUE, ORANGE = "#0072b2", "#d55e00"
TINTS = ["rgba(0,114,178,.25)", "rgba(230,159,0,.3)", "rgba(0,158,115,.25)", "rgba(204,121,167,.3)"]
CELL = "text-align:left;padding:.2em .5em;border:0;font-family:monospace;font-weight:normal"


def flow(shown: Sequence[tuple[str, str, int | None]]) -> str:
    """Tokens in a row, below each something small: (token, what is below, which tint)."""
    parts = []
    for token, below, tint in shown[:SHOWN]:
        colour = "transparent" if tint is None else TINTS[tint]
        parts.append(
            '<span style="display:inline-block;text-align:center;vertical-align:top;margin:0 1px '
            f'.4em"><bdi style="display:block;background:{colour};padding:.1em .25em;'
            'border:1px solid rgba(128,128,128,.5);border-radius:3px;white-space:pre">'
            f'{escape(token)}</bdi><small style="margin:0 .3em;opacity:.85">'
            f"<bdi>{escape(below)}</bdi></small></span>"
        )
        if token.endswith("Ċ"):
            parts.append("<br>")
    more = f"<p>… and {len(shown) - SHOWN:,} more.</p>" if len(shown) > SHOWN else ""
    return f'<div style="font-family:monospace;line-height:1.5">{"".join(parts)}</div>{more}'


def predicted_cell(label: str, p: float, is_right: bool) -> str:
    style = f"{CELL};background:rgba(0,114,178,{min(max(p, 0.0), 1.0) * 0.7:.2f})"
    if is_right:
        style += ";outline:2px solid currentColor"
    mark = " ✓" if is_right else ""
    return (
        f'<td style="{style}"><bdi>{escape(label)}</bdi> '
        f'<small style="opacity:.85">{p:.0%}{mark}</small></td>'
    )


def titled(title: str, html: str, said: str = "") -> str:
    below = f'<p style="margin:.3em 0">{escape(said)}</p>' if said else ""
    return (
        f'<div style="color:inherit;max-width:60em"><p style="margin:.3em 0"><b>{escape(title)}</b>'
        f"</p>{html}{below}</div>"
    )


def page(title: str, html: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f'<body style="font-family:sans-serif;margin:1em">\n{html}\n</body></html>\n'
    )


# --- Text ----------------------------------------------------------------------------------------


def text_of(title: str, lines: Sequence[str]) -> str:
    return clip("\n".join([title, *lines]), LINES + 1)


def text_bars(labels: Sequence[str], values: Sequence[float], said: Sequence[str]) -> list[str]:
    longest = max((v for v in values if math.isfinite(v)), default=0) or 1
    lines = []
    for label, value, words in zip(labels, values, said, strict=True):
        part = min(max(value / longest, 0), 1)
        lines.append(f"{label:>{LABEL}}  {'█' * round(part * 40)} {words}")
    return lines
