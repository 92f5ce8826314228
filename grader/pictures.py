"""Pictures of what a reader's own solved functions do, where looking beats reading.

    from grader import pictures

    pictures.next_token(next_token_probs, model, tokenizer, "The cat sat on the")

Each takes the functions that it shows first. A notebook shows what comes back. In a script it is
printed as text, and saved in the folder `pictures` where the script was started. A function that
is still to do, raises or returns what it should not is named in one line, and nothing is raised.
"""

from __future__ import annotations

import io
import math
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import torch

from grader.problem import Problem
from grader.run import innermost
from grader.show import clip, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer

FOLDER = Path("pictures")
SHOWN = 400  # tokens of a text in HTML
LINES = 40  # of text
LABEL = 18  # characters of a token
WITHOUT_MATPLOTLIB = "Charts need matplotlib: pip install matplotlib"
P = ParamSpec("P")


class NoCharts(Problem):
    """Matplotlib is not installed."""


class NothingToShow(Exception):
    """Why, in one line."""


@dataclass
class Picture:
    """Shows itself: as HTML or a chart in a notebook, as text elsewhere."""

    name: str
    text: str
    html: str = ""
    chart: Callable[[Axes], None] | None = None
    size: tuple[float, float] = (7, 4)  # of the chart, in inches

    def __repr__(self) -> str:
        missing = self.chart is not None and not _has_matplotlib() and _is_notebook()
        return f"{self.text}\n{WITHOUT_MATPLOTLIB}" if missing else self.text

    def _repr_html_(self) -> str | None:
        return self.html or None

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        if self.chart is None or not _has_matplotlib():
            return None
        inches = self.size[0]
        return self.png(), {"width": round(inches * 100)}

    def figure(self) -> Figure:
        """The chart, for Matplotlib. Raises `NoCharts`."""
        if not _has_matplotlib():
            raise NoCharts(WITHOUT_MATPLOTLIB)
        import matplotlib.style
        from matplotlib.figure import Figure

        assert self.chart is not None
        with matplotlib.style.context("default"):  # whatever has been set in this notebook
            figure = Figure(figsize=self.size, layout="constrained")
            axes = figure.add_subplot()
            axes.spines[["top", "right"]].set_visible(False)
            self.chart(axes)
        return figure

    def png(self) -> bytes:
        """The same bytes each time. Raises `NoCharts`."""
        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=200, metadata={"Software": None})
        return file.getvalue()

    def save(self, folder: Path = FOLDER, stem: str = "") -> Path | None:
        """As a PNG or HTML file. Returns which, None where there is text only.

        Raises:
            OSError: it cannot be written.
            NoCharts: matplotlib is not installed.
        """
        if self.chart is not None:
            content, ending = self.png(), "png"
        elif self.html:
            content, ending = _page(self.name, self.html).encode("utf-8", "replace"), "html"
        else:
            return None
        folder.mkdir(exist_ok=True)
        path = folder / f"{stem or self.name}.{ending}"
        path.write_bytes(content)
        return path


def _picture(make: Callable[P, Picture]) -> Callable[P, Picture]:
    """Decorator: says why where there is nothing to show, and shows the rest."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Picture:
        try:
            with torch.no_grad():
                picture = make(*args, **kwargs)
        except NothingToShow as why:
            picture = Picture(make.__name__, f"No {make.__name__} to show yet: {why}")
        if not _is_notebook() and not hasattr(sys, "ps1"):  # nobody else will show it
            _print(picture)
        return picture

    return made


# --- The pictures --------------------------------------------------------------------------------


@_picture
def tokens(
    token_spans: Callable[..., list[tuple[bytes, int, int]]], tokenizer: GPT2Tokenizer, text: str
) -> Picture:
    """A text's tokens with where each starts and ends, in bytes, as `token_spans` of lesson 1
    finds them. A space is shown as Ġ, a line break as Ċ, half a character as its bytes."""
    spans = _call(token_spans, tokenizer, text)
    if not isinstance(spans, list) or not all(_is_span(span) for span in spans):
        raise _not(token_spans, "a list of (bytes, start, end)", spans)
    shown = [(visible(piece), f"{start}:{end}") for piece, start, end in spans]
    html = _flow([(piece, place, i % len(TINTS)) for i, (piece, place) in enumerate(shown)])
    lines = [f"{place:>9}  {piece}" for piece, place in shown]
    title = f"{len(spans)} tokens, {len(text.encode('utf-8', 'replace'))} bytes"
    return Picture("tokens", _text(title, lines), _titled(title, html))


@_picture
def similarities(
    embed_by_lookup: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
) -> Picture:
    """The cosine similarity of the embeddings of a text's tokens, each with each, as
    `embed_by_lookup` of lesson 2 embeds them."""
    ids = _ids(tokenizer, text)
    vectors = _tensor(
        embed_by_lookup,
        (len(ids), model.W_E.shape[1]),
        ids.to(model.W_E.device),
        model.W_E.detach(),
    )
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    cosines = (unit @ unit.T).tolist()
    labels = [_label(tokenizer, i) for i in ids.tolist()]

    def chart(axes: Axes) -> None:
        image = axes.imshow(cosines, cmap="cividis", vmin=-1, vmax=1)
        axes.figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.8)
        for ticks, rotation in ((axes.set_xticks, 45), (axes.set_yticks, 0)):
            ticks(range(len(labels)), _for_font(labels), rotation=rotation, parse_math=False)
        axes.spines[:].set_visible(False)
        if len(labels) <= 16:
            for i, row in enumerate(cosines):
                for j, cosine in enumerate(row):
                    colour = "black" if cosine > -0.1 else "white"
                    axes.text(
                        j, i, f"{cosine:.2f}", ha="center", va="center", color=colour, fontsize=8
                    )
        axes.set_title("How alike the embeddings are")

    wide = max(map(len, labels), default=0)
    lines = [
        f"{label:>{wide}}  " + " ".join(f"{cosine:5.2f}" for cosine in row)
        for label, row in zip(labels, cosines, strict=True)
    ]
    size = 2.5 + 0.5 * len(labels)
    return Picture("similarities", _text("Cosine similarity", lines), "", chart, (size + 1, size))


@_picture
def next_token(
    next_token_probs: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
    k: int = 10,
) -> Picture:
    """The k most probable tokens after a text, as `next_token_probs` of lesson 3 finds them."""
    probs = _tensor(next_token_probs, (len(tokenizer),), model, text)
    top = probs.topk(k)
    labels = [_label(tokenizer, i) for i in top.indices.tolist()]
    values = top.values.tolist()
    title = f"What follows {_quoted(text)}"

    def chart(axes: Axes) -> None:
        bars = axes.barh(range(k), values, color=BLUE)
        axes.bar_label(bars, [f"{value:.1%}" for value in values], padding=3)
        axes.set_yticks(range(k), _for_font(labels), parse_math=False)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("probability")
        axes.set_title(_for_font([title])[0], parse_math=False)

    lines = _text_bars(labels, values, [f"{value:.1%}" for value in values])
    return Picture("next_token", _text(title, lines), "", chart, (7, 1.2 + 0.3 * k))


@_picture
def losses(
    target_log_probs: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
) -> Picture:
    """The loss at each token of a text: minus its log-probability, given a BOS and all tokens
    before it, as `target_log_probs` of lesson 3 finds it. In nats."""
    ids = _ids(tokenizer, text)
    batch = torch.cat([torch.tensor([tokenizer.bos_token_id]), ids])[None].to(model.cfg.device)
    log_probs = _tensor(target_log_probs, (1, len(ids)), model(batch), batch)
    values = (-log_probs[0]).tolist()
    labels = [_label(tokenizer, i) for i in ids.tolist()]
    mean = sum(values) / len(values)
    title = f"Loss per token: mean {mean:.2f} nats, perplexity {_exp(mean)}"

    def chart(axes: Axes) -> None:
        axes.bar(range(len(values)), values, color=BLUE)
        axes.axhline(mean, color=ORANGE, linestyle="--", label=f"mean, {mean:.2f}")
        axes.set_xticks(range(len(labels)), _for_font(labels), rotation=90, parse_math=False)
        axes.set_xlim(-0.7, len(values) - 0.3)
        axes.set_xlabel("token")
        axes.set_ylabel("loss in nats")
        axes.legend(frameon=False)
        axes.set_title(title)

    lines = _text_bars(labels, values, [f"{value:.2f}" for value in values])
    return Picture("losses", _text(title, lines), "", chart, (max(5, 1.5 + 0.28 * len(ids)), 4))


@_picture
def top_predictions(
    prefix_predictions: Callable[..., Any],
    softmax: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
    k: int = 5,
) -> Picture:
    """The k most probable tokens after each token of a text and after BOS, as lesson 3's functions
    find them; the one that came is marked."""
    ids = torch.cat([torch.tensor([tokenizer.bos_token_id]), _ids(tokenizer, text)])
    logits = _tensor(
        prefix_predictions, (len(ids), len(tokenizer)), model, ids[None].to(model.cfg.device)
    )
    top = _tensor(softmax, tuple(logits.shape), logits, -1).topk(k)
    came = [*ids[1:].tolist(), None]
    rows, lines = [], []
    for token, predicted, probs, after in zip(
        ids.tolist(), top.indices.tolist(), top.values.tolist(), came, strict=True
    ):
        cells, words = [], []
        for i, p in zip(predicted, probs, strict=True):
            label, is_right = _label(tokenizer, i), i == after
            cells.append(_predicted(label, p, is_right))
            words.append(f"{'*' if is_right else ' '}{label} {p:.0%}")
        token_label = _label(tokenizer, token)
        rows.append(
            f'<tr><th scope="row" style="{CELL}">{escape(token_label)}</th>{"".join(cells)}</tr>'
        )
        lines.append(f"{token_label:>14}  " + "".join(f"{word:<{16}}" for word in words).rstrip())
    heads = ["token", *(f"{rank}." for rank in range(1, k + 1))]
    head = "".join(f'<th scope="col" style="{CELL}">{h}</th>' for h in heads)
    title = "The most probable next tokens after each token"
    html = (
        f'<table style="border-collapse:separate;border-spacing:2px;background:none;color:inherit">'
        f"<tr>{head}</tr>{''.join(rows)}</table>"
    )
    said = "Framed and with a ✓: the token that came. The stronger the tint, the more probable."
    text_said = "* the token that came"
    return Picture("top_predictions", _text(title, [*lines, text_said]), _titled(title, html, said))


@_picture
def expected_tokens(
    predicted_pairs: Callable[..., list[tuple[str, str]]], model: TransformerBridge, text: str
) -> Picture:
    """A text's tokens, below each the one that the model expects next, as `predicted_pairs` of
    lesson 4 finds it."""
    pairs = _call(predicted_pairs, model, text)
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise _not(predicted_pairs, "a list of (token, expected token)", pairs)
    shown, lines, n_right = [], [], 0
    for i, (token, expected) in enumerate(pairs):
        is_right = i + 1 < len(pairs) and pairs[i + 1][0] == expected
        n_right += is_right
        after = f"{visible(expected)}{' ✓' if is_right else ''}"
        shown.append((visible(token), f"→ {after}", 0 if is_right else None))
        lines.append(f"{visible(token):>18}  {after}")
    title = f"{n_right} of {max(len(pairs) - 1, 0)} tokens came as expected (✓)"
    return Picture("expected_tokens", _text(title, lines), _titled(title, _flow(shown)))


@_picture
def continuation(
    greedy_generate: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    prompt: str,
    n_tokens: int = 20,
) -> Picture:
    """A prompt, and what `greedy_generate` of lesson 4 makes of it, token by token."""
    n_prompt = len(_ids(tokenizer, prompt)) + 1
    ids = _tensor(greedy_generate, (1, n_prompt + n_tokens), model, prompt, n_tokens)
    labels = [_label(tokenizer, int(i)) for i in ids[0].tolist()]
    shown = [
        (label, "prompt" if i < n_prompt else f"+{i - n_prompt + 1}", None if i < n_prompt else 0)
        for i, label in enumerate(labels)
    ]
    title = f"{n_tokens} tokens after {_quoted(prompt)}"
    text = "".join(labels[:n_prompt]) + " | " + "".join(labels[n_prompt:])
    lines = textwrap.wrap(text.replace("Ġ", " "), width())
    return Picture("continuation", _text(title, lines), _titled(title, _flow(shown)))


# --- Calling the reader's functions --------------------------------------------------------------


def _call(function: Callable[..., Any], *args: Any) -> Any:
    """What it returns. Raises `NothingToShow` for whatever it raises."""
    name = _name(function)
    try:
        return function(*args)
    except KeyboardInterrupt:
        raise
    except NotImplementedError as error:
        last = innermost(error.__traceback__)
        todo = last.tb_frame.f_code.co_name if last is not None else name
        raise NothingToShow(f"do the exercise {clip(todo, 1, 60)} first.") from None
    except BaseException as error:
        said = clip(f"{type(error).__name__}: {error}".split("\n")[0], 1, 120)
        raise NothingToShow(f"{name} raised {said}. {_see(name)}") from None


def _tensor(function: Callable[..., Any], shape: tuple[int, ...], *args: Any) -> torch.Tensor:
    """What it returns, on the CPU, in double precision if it is not of integers."""
    result = _call(function, *args)
    if not isinstance(result, torch.Tensor) or tuple(result.shape) != shape:
        raise _not(function, f"a tensor of shape {shape}", result)
    result = result.detach().cpu()
    if result.is_floating_point():
        result = result.double()
        if result.isnan().any():
            name = _name(function)
            raise NothingToShow(f"{name} returned NaN. {_see(name)}")
    return result


def _not(function: Callable[..., Any], wanted: str, got: Any) -> NothingToShow:
    is_tensor = isinstance(got, torch.Tensor)
    what = f"a tensor of shape {tuple(got.shape)}" if is_tensor else f"a {type(got).__name__}"
    name = _name(function)
    return NothingToShow(f"{name} returned {what}, not {wanted}. {_see(name)}")


def _name(function: Callable[..., Any]) -> str:
    return clip(str(getattr(function, "__name__", type(function).__name__)), 1, 60)


def _see(name: str) -> str:
    return f"pytest exercises -k {name} shows where, and check({name}) in a notebook."


def _is_span(span: Any) -> bool:
    return (
        isinstance(span, tuple)
        and len(span) == 3
        and isinstance(span[0], bytes)
        and all(isinstance(place, int) for place in span[1:])
    )


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(t, str) for t in pair)


# --- Tokens as they are shown --------------------------------------------------------------------

# GPT-2's vocabulary shows printable bytes as they are, the others from code point 256 on.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [b for b in range(256) if b not in _PRINTABLE]
_BYTES = {chr(b): b for b in _PRINTABLE} | {chr(256 + i): b for i, b in enumerate(_OTHERS)}
_STAND_INS = {" ": "Ġ", "\n": "Ċ", "\t": "ĉ", "\r": "č"}


def visible(token: str | bytes) -> str:
    """A token with nothing in it that cannot be seen: Ġ for a space, bytes of half a character as
    \\xf0, invisible characters as \\u200b."""
    if isinstance(token, bytes):
        token = token.decode("utf-8", "backslashreplace")
    shown = [
        _STAND_INS.get(c) or (c if c.isprintable() else c.encode("unicode_escape").decode())
        for c in token[:200]
    ]
    return "".join(shown)


def _label(tokenizer: GPT2Tokenizer, token: int) -> str:
    """Of one id, cut where it is long."""
    text = tokenizer.decode([token])
    if "\ufffd" in text:  # half a character
        shown = visible(bytes(_BYTES[c] for c in str(tokenizer.convert_ids_to_tokens(token))))
    else:
        shown = visible(text)
    return shown if len(shown) <= LABEL else f"{shown[: LABEL - 1]}…"


def _for_font(labels: Sequence[str]) -> list[str]:
    """With what Matplotlib's own font lacks as \\u escapes."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return [
        "".join(
            c if font.get_char_index(ord(c)) else c.encode("unicode_escape").decode() for c in label
        )
        for label in labels
    ]


def _ids(tokenizer: GPT2Tokenizer, text: str) -> torch.Tensor:
    """int64, without BOS."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if not ids:
        raise NothingToShow("the text is empty.")
    return torch.tensor(ids)


def _quoted(text: str) -> str:
    return f"“{visible(text).replace('Ġ', ' ')[-60:]}”"


def _exp(mean: float) -> str:
    try:
        return f"{math.exp(mean):,.1f}"
    except OverflowError:
        return "infinite"


# --- HTML ----------------------------------------------------------------------------------------
# As in `live.py`: colours of the page around it, and translucent tints. Okabe and Ito's colours,
# which the colour-blind can tell apart.

BLUE, ORANGE = "#0072b2", "#d55e00"
TINTS = ["rgba(0,114,178,.25)", "rgba(230,159,0,.3)", "rgba(0,158,115,.25)", "rgba(204,121,167,.3)"]
CELL = "text-align:left;padding:.2em .5em;border:0;font-family:monospace;font-weight:normal"


def _flow(shown: Sequence[tuple[str, str, int | None]]) -> str:
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


def _predicted(label: str, p: float, is_right: bool) -> str:
    style = f"{CELL};background:rgba(0,114,178,{min(max(p, 0.0), 1.0) * 0.7:.2f})"
    if is_right:
        style += ";outline:2px solid currentColor"
    mark = " ✓" if is_right else ""
    return (
        f'<td style="{style}"><bdi>{escape(label)}</bdi> '
        f'<small style="opacity:.85">{p:.0%}{mark}</small></td>'
    )


def _titled(title: str, html: str, said: str = "") -> str:
    below = f'<p style="margin:.3em 0">{escape(said)}</p>' if said else ""
    return (
        f'<div style="color:inherit;max-width:60em"><p style="margin:.3em 0"><b>{escape(title)}</b>'
        f"</p>{html}{below}</div>"
    )


def _page(title: str, html: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f'<body style="font-family:sans-serif;margin:1em">\n{html}\n</body></html>\n'
    )


# --- Text ----------------------------------------------------------------------------------------


def _text(title: str, lines: Sequence[str]) -> str:
    return clip("\n".join([title, *lines]), LINES + 1)


def _text_bars(labels: Sequence[str], values: Sequence[float], said: Sequence[str]) -> list[str]:
    longest = max((v for v in values if math.isfinite(v)), default=0) or 1
    lines = []
    for label, value, words in zip(labels, values, said, strict=True):
        part = min(max(value / longest, 0), 1)
        lines.append(f"{label:>{LABEL}}  {'█' * round(part * 40)} {words}")
    return lines


# --- Where it is shown ---------------------------------------------------------------------------

_saved: dict[str, int] = {}  # how often, by this script


def _print(picture: Picture) -> None:
    print(picture.text)
    script = Path(sys.argv[0]).stem
    stem = f"{script}_{picture.name}" if script.isidentifier() else picture.name
    number = _saved.get(stem, 0) + 1
    try:
        path = picture.save(stem=f"{stem}_{number}" if number > 1 else stem)
    except NoCharts as problem:
        print(problem)
    except OSError as error:
        print(f"It cannot be saved: {error}")
    else:
        if path is not None:
            _saved[stem] = number
            print(f"Saved as {path}.")
    print()


def _is_notebook() -> bool:
    """Or IPython's prompt."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


def _has_matplotlib() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True
