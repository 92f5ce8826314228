"""What `generate_batch` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.checks.lesson4_decoding.shared import (
    EOS,
    GENERATES,
    NEVER,
    past_the_end,
    reaching_back,
    stops_at,
)
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict import agree
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear_continuation

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


generate_batch = Exercise(
    "generate_batch",
    forbids=Forbidden(methods=GENERATES),
    hints=(
        "Each row is either running or has ended, and stays so. How can you keep track of which "
        "rows still run?",
        "Run the model on tokens[running] only. Every other row gets eos_token_id for this "
        "round; one more column for all rows.",
        "Make a column full of eos_token_id, overwrite the running rows with their predictions, "
        "append it, and keep as running those that did not just say EOS.",
    ),
)


def ending_apart(draw: Draw, reference: TransformerBridge) -> list[Case]:
    """Three prompts, of which one ends before the others by choice of the EOS id: the first, the
    second and the third of them."""
    max_new = 4

    def make() -> tuple[Tensor, Tensor | None]:
        tokens = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:3])
        tokens = tokens[:, : draw.integer(3, 6)]
        return tokens, clear_continuation(reference, tokens, max_new)

    def eos_of(new: Tensor | None) -> int | None:
        """A token that the first row says before its last step, and the others later or never."""
        if new is None:
            return None
        rows = new.tolist()
        for token in rows[0][1:3]:
            end, *others = (row.index(token) if token in row else max_new for row in rows)
            if end < max_new - 1 and all(end < other for other in others):
                return int(token)
        return None

    tokens, new = draw.until(make, lambda made: eos_of(made[1]) is not None)
    eos = eos_of(new)
    assert eos is not None
    return [Case(reference, tokens.roll(i, dims=0), max_new, eos_token_id=eos) for i in range(3)]


def never_ending(draw: Draw, reference: TransformerBridge, n: int) -> Case:
    """Two prompts and an EOS that does not come."""

    def make() -> Tensor:
        tokens: Tensor = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:2])
        return tokens[:, :5]

    tokens = draw.until(make, lambda t: clear_continuation(reference, t, n) is not None)
    return Case(reference, tokens, n, eos_token_id=NEVER)


@generate_batch.check(points=6, of_tokens=True)
def each_as_if_alone(draw: Draw, reference: TransformerBridge) -> Cases:
    """Every sequence is continued as it would be alone, then filled up with EOS."""
    yield never_ending(draw, reference, 2)
    yield from ending_apart(draw, reference)[1:]
    if (prompt := reaching_back(reference)) is not None:
        yield Case(reference, reference.to_tokens(prompt), 1, eos_token_id=NEVER)


@generate_batch.check(points=3, of_tokens=True)
def an_eos_in_the_prompt(draw: Draw, reference: TransformerBridge) -> Cases:
    """An EOS that a prompt holds already, its BOS for one, stops nothing."""

    def make() -> Tensor:
        tokens: Tensor = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:2])[:, :5]
        tokens[1, -1] = EOS
        return tokens

    def goes_on(tokens: Tensor) -> bool:
        new = clear_continuation(reference, tokens, 2)
        return new is not None and EOS not in new[:, :1]

    yield Case(reference, draw.until(make, goes_on), 2)


@generate_batch.check(points=4, of_tokens=True)
def as_long_as_the_longest(draw: Draw, reference: TransformerBridge) -> Cases:
    """The result ends where the last sequence does, or at the maximum."""
    yield never_ending(draw, reference, 0)
    case = stops_at(draw, reference, 2, max_new=6)
    args, kwargs = case.arguments()
    yield Case(reference, args[1].repeat(2, 1), 6, **kwargs)
    if (tokens := past_the_end(reference)) is not None:
        yield Case(reference, tokens, 4, eos_token_id=NEVER)
        yield Case(reference, tokens.repeat(2, 1), 4)


@generate_batch.check(
    points=4, observe=observe.result_and_work, agree=agree.no_more_work, of_tokens=True
)
def finished_rows_do_not_run(draw: Draw, reference: TransformerBridge) -> Cases:
    """A sequence that has ended is not run through the model again."""
    yield ending_apart(draw, reference)[0]


@generate_batch.check(
    points=3, observe=observe.result_and_work, agree=agree.no_more_work, of_tokens=True
)
def stops_when_all_have_ended(draw: Draw, reference: TransformerBridge) -> Cases:
    """Once every sequence has ended the model is not called again."""
    case = stops_at(draw, reference, 2, max_new=6)
    args, kwargs = case.arguments()
    yield Case(reference, args[1].repeat(2, 1), 6, **kwargs)


# issues: "generate does not stop after EOS with a batch", in several projects
@generate_batch.misconception
def ended_rows_write_on(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Rows that write on after their EOS.

    You know which rows have ended, and stop when all have, but until then each of them gets what
    the model predicts. What should stand there instead?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
            if ended.all():
                break
    return tokens


@generate_batch.misconception
def ended_rows_run_on(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Ended rows masked in the output, yet still run through the model.

    The tokens are right, and part of the work is for nothing: what the model says about an ended
    row is overwritten. Which rows need to go in at all?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            new[ended] = eos_token_id
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
            if ended.all():
                break
    return tokens


@generate_batch.misconception
def first_end_ends_all(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A stop for all as soon as one row has ended.

    Each row ends by itself, and the others still have something to say. any or all?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            if (new == eos_token_id).any():
                break
    return tokens


@generate_batch.misconception
def never_stops_early(model, tokens, max_new_tokens, eos_token_id=EOS):
    """All the way to the maximum, although every row has ended.

    When no row is left, each further round runs the model for nothing and adds a column of EOS.
    What is true of the ended rows then?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            new[ended] = eos_token_id
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
    return tokens


@generate_batch.misconception
def eos_in_the_prompt_ends_a_row(model, tokens, max_new_tokens, eos_token_id=EOS):
    """An EOS in the prompt taken for the end of its row.

    BOS is the same token as EOS, so a look at the whole row finds every row ended before it
    began. Which tokens may decide?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            running = ~(tokens == eos_token_id).any(dim=1)
            if not running.any():
                break
            new = torch.full_like(tokens[:, 0], eos_token_id)
            new[running] = model(tokens[running])[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
    return tokens


@generate_batch.misconception
def row_by_row(model, tokens, max_new_tokens, eos_token_id=EOS):
    """One sequence after the other, padded at the end.

    The tokens are right, but the model runs once per token and sequence, where one pass could
    serve all rows. A batch costs hardly more time than a row: how can they go in together?
    """
    rows = []
    with torch.no_grad():
        for row in tokens:
            for _ in range(max_new_tokens):
                new = model(row[None])[0, -1].argmax()
                row = torch.cat([row, new[None]])
                if new.item() == eos_token_id:
                    break
            rows.append(row)
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=eos_token_id)
