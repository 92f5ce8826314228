"""Pictures of what a reader's own solved functions do, where looking beats reading.

    from grader import pictures

    pictures.next_token(next_token_probs, model, tokenizer, "The cat sat on the")

Each takes the functions that it shows first. A notebook shows what comes back. In a script it is
printed as text, and saved in the folder `pictures` where the script was started. A function that
is still to do, raises or returns what it should not is named in one line, and nothing is raised.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import torch

from grader.desk.pictures.call import call, is_pair, is_span, returned_not, tensor
from grader.desk.pictures.labels import exp, for_font, ids_of, label_of, quoted, visible
from grader.desk.pictures.markup import (
    BLUE,
    CELL,
    ORANGE,
    TINTS,
    flow,
    predicted_cell,
    text_bars,
    text_of,
    titled,
)
from grader.desk.pictures.picture import Picture, shows_itself
from grader.verdict.show import width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer


@shows_itself
def tokens(
    token_spans: Callable[..., list[tuple[bytes, int, int]]], tokenizer: GPT2Tokenizer, text: str
) -> Picture:
    """A text's tokens with where each starts and ends, in bytes, as `token_spans` of lesson 1
    finds them. A space is shown as Ġ, a line break as Ċ, half a character as its bytes."""
    spans = call(token_spans, tokenizer, text)
    if not isinstance(spans, list) or not all(is_span(span) for span in spans):
        raise returned_not(token_spans, "a list of (bytes, start, end)", spans)
    shown = [(visible(piece), f"{start}:{end}") for piece, start, end in spans]
    html = flow([(piece, place, i % len(TINTS)) for i, (piece, place) in enumerate(shown)])
    lines = [f"{place:>9}  {piece}" for piece, place in shown]
    title = f"{len(spans)} tokens, {len(text.encode('utf-8', 'replace'))} bytes"
    return Picture("tokens", text_of(title, lines), titled(title, html))


@shows_itself
def similarities(
    embed_by_lookup: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
) -> Picture:
    """The cosine similarity of the embeddings of a text's tokens, each with each, as
    `embed_by_lookup` of lesson 2 embeds them."""
    ids = ids_of(tokenizer, text)
    vectors = tensor(
        embed_by_lookup,
        (len(ids), model.W_E.shape[1]),
        ids.to(model.W_E.device),
        model.W_E.detach(),
    )
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    cosines = (unit @ unit.T).tolist()
    labels = [label_of(tokenizer, i) for i in ids.tolist()]

    def chart(axes: Axes) -> None:
        image = axes.imshow(cosines, cmap="cividis", vmin=-1, vmax=1)
        axes.figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.8)
        for ticks, rotation in ((axes.set_xticks, 45), (axes.set_yticks, 0)):
            ticks(range(len(labels)), for_font(labels), rotation=rotation, parse_math=False)
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
    return Picture("similarities", text_of("Cosine similarity", lines), "", chart, (size + 1, size))


@shows_itself
def next_token(
    next_token_probs: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
    k: int = 10,
) -> Picture:
    """The k most probable tokens after a text, as `next_token_probs` of lesson 3 finds them."""
    probs = tensor(next_token_probs, (len(tokenizer),), model, text)
    top = probs.topk(k)
    labels = [label_of(tokenizer, i) for i in top.indices.tolist()]
    values = top.values.tolist()
    title = f"What follows {quoted(text)}"

    def chart(axes: Axes) -> None:
        bars = axes.barh(range(k), values, color=BLUE)
        axes.bar_label(bars, [f"{value:.1%}" for value in values], padding=3)
        axes.set_yticks(range(k), for_font(labels), parse_math=False)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("probability")
        axes.set_title(for_font([title])[0], parse_math=False)

    lines = text_bars(labels, values, [f"{value:.1%}" for value in values])
    return Picture("next_token", text_of(title, lines), "", chart, (7, 1.2 + 0.3 * k))


@shows_itself
def losses(
    target_log_probs: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    text: str,
) -> Picture:
    """The loss at each token of a text: minus its log-probability, given a BOS and all tokens
    before it, as `target_log_probs` of lesson 3 finds it. In nats."""
    ids = ids_of(tokenizer, text)
    batch = torch.cat([torch.tensor([tokenizer.bos_token_id]), ids])[None].to(model.cfg.device)
    log_probs = tensor(target_log_probs, (1, len(ids)), model(batch), batch)
    values = (-log_probs[0]).tolist()
    labels = [label_of(tokenizer, i) for i in ids.tolist()]
    mean = sum(values) / len(values)
    title = f"Loss per token: mean {mean:.2f} nats, perplexity {exp(mean)}"

    def chart(axes: Axes) -> None:
        axes.bar(range(len(values)), values, color=BLUE)
        axes.axhline(mean, color=ORANGE, linestyle="--", label=f"mean, {mean:.2f}")
        axes.set_xticks(range(len(labels)), for_font(labels), rotation=90, parse_math=False)
        axes.set_xlim(-0.7, len(values) - 0.3)
        axes.set_xlabel("token")
        axes.set_ylabel("loss in nats")
        axes.legend(frameon=False)
        axes.set_title(title)

    lines = text_bars(labels, values, [f"{value:.2f}" for value in values])
    return Picture("losses", text_of(title, lines), "", chart, (max(5, 1.5 + 0.28 * len(ids)), 4))


@shows_itself
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
    ids = torch.cat([torch.tensor([tokenizer.bos_token_id]), ids_of(tokenizer, text)])
    logits = tensor(
        prefix_predictions, (len(ids), len(tokenizer)), model, ids[None].to(model.cfg.device)
    )
    top = tensor(softmax, tuple(logits.shape), logits, -1).topk(k)
    came = [*ids[1:].tolist(), None]
    rows, lines = [], []
    for token, predicted, probs, after in zip(
        ids.tolist(), top.indices.tolist(), top.values.tolist(), came, strict=True
    ):
        cells, words = [], []
        for i, p in zip(predicted, probs, strict=True):
            label, is_right = label_of(tokenizer, i), i == after
            cells.append(predicted_cell(label, p, is_right))
            words.append(f"{'*' if is_right else ' '}{label} {p:.0%}")
        token_label = label_of(tokenizer, token)
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
    return Picture(
        "top_predictions", text_of(title, [*lines, text_said]), titled(title, html, said)
    )


@shows_itself
def expected_tokens(
    predicted_pairs: Callable[..., list[tuple[str, str]]], model: TransformerBridge, text: str
) -> Picture:
    """A text's tokens, below each the one that the model expects next, as `predicted_pairs` of
    lesson 4 finds it."""
    pairs = call(predicted_pairs, model, text)
    if not isinstance(pairs, list) or not all(is_pair(pair) for pair in pairs):
        raise returned_not(predicted_pairs, "a list of (token, expected token)", pairs)
    shown, lines, n_right = [], [], 0
    for i, (token, expected) in enumerate(pairs):
        is_right = i + 1 < len(pairs) and pairs[i + 1][0] == expected
        n_right += is_right
        after = f"{visible(expected)}{' ✓' if is_right else ''}"
        shown.append((visible(token), f"→ {after}", 0 if is_right else None))
        lines.append(f"{visible(token):>18}  {after}")
    title = f"{n_right} of {max(len(pairs) - 1, 0)} tokens came as expected (✓)"
    return Picture("expected_tokens", text_of(title, lines), titled(title, flow(shown)))


@shows_itself
def continuation(
    greedy_generate: Callable[..., Any],
    model: TransformerBridge,
    tokenizer: GPT2Tokenizer,
    prompt: str,
    n_tokens: int = 20,
) -> Picture:
    """A prompt, and what `greedy_generate` of lesson 4 makes of it, token by token."""
    n_prompt = len(ids_of(tokenizer, prompt)) + 1
    ids = tensor(greedy_generate, (1, n_prompt + n_tokens), model, prompt, n_tokens)
    labels = [label_of(tokenizer, int(i)) for i in ids[0].tolist()]
    shown = [
        (label, "prompt" if i < n_prompt else f"+{i - n_prompt + 1}", None if i < n_prompt else 0)
        for i, label in enumerate(labels)
    ]
    title = f"{n_tokens} tokens after {quoted(prompt)}"
    text = "".join(labels[:n_prompt]) + " | " + "".join(labels[n_prompt:])
    lines = textwrap.wrap(text.replace("Ġ", " "), width())
    return Picture("continuation", text_of(title, lines), titled(title, flow(shown)))
