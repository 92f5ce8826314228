"""What `generate_batch` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

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
        new = clear_continuation(reference, tokens, 4)
        assert new is not None
        never = NEVER if 0 in new else 0  # which is a token like any other, and not none
        yield Case(reference, tokens, 4, eos_token_id=never)
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


def generated(model, tokens, max_new, eos, *, fill=None, stop=torch.all):
    """As it should be, unless told otherwise: what an ended row is filled up with, and when it is
    over, by which rows have ended."""
    fill = eos if fill is None else fill
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    for _ in range(max_new):
        if stop(ended):
            break
        new = torch.full_like(tokens[:, 0], fill)
        with torch.no_grad():
            new[~ended] = model(tokens[~ended])[:, -1].argmax(dim=-1)
        tokens = torch.cat([tokens, new[:, None]], dim=1)
        ended = ended | (new == eos)
    return tokens


# course forks: the stop condition looks at each row's last token
@generate_batch.misconception
def prompt_that_ends_in_eos(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A look at the last tokens before anything has been predicted.

    A prompt may end in EOS, and its row is to go on. When do you ask for the first time which rows
    have ended?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            running = tokens[:, -1] != eos_token_id
            if not running.any():
                break
            new = torch.full_like(tokens[:, 0], eos_token_id)
            new[running] = model(tokens[running])[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
    return tokens


@generate_batch.misconception
def an_eos_anywhere_stops_all(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A stop for all as soon as there is an EOS anywhere.

    BOS is the same token, and is there from the beginning; and of two rows that end apart, one is
    cut short. Which tokens may decide, and for which rows?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            if (tokens == eos_token_id).any():
                break
    return tokens


@generate_batch.misconception
def eos_ignored(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Generation up to the maximum, whatever is predicted.

    The maximum is for texts that do not end by themselves. If your loop has a test for EOS, is it
    one that can ever be true?
    """
    return generated(model, tokens, max_new_tokens, eos=-1)


@generate_batch.misconception
def eos_of_the_tokenizer(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A fixed EOS, whatever eos_token_id says.

    <|endoftext|> is only the default. A caller may want to stop at a line break instead; where does
    your loop learn which token that is?
    """
    return generated(model, tokens, max_new_tokens, eos=EOS)


@generate_batch.misconception
def id_0_taken_for_none(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The id 0 taken for no id at all.

    In Python 0 is as good as False, so that `eos_token_id or ...` gives something else for it. Is
    there a need for a default here?
    """
    return generated(model, tokens, max_new_tokens, eos=eos_token_id or EOS)


@generate_batch.misconception
def filled_up_with_endoftext(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Ended rows filled up with <|endoftext|>, whatever eos_token_id says.

    A row that has ended is to be filled with the token that ended it. Which one did the caller
    name?
    """
    return generated(model, tokens, max_new_tokens, eos_token_id, fill=EOS)


@generate_batch.misconception
def filled_up_with_zeros(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Ended rows filled up with the id 0.

    In GPT-2's vocabulary that is an exclamation mark. With which token is a row to be filled up
    that has ended?
    """
    return generated(model, tokens, max_new_tokens, eos_token_id, fill=0)


@generate_batch.misconception
def one_token_too_many(model, tokens, max_new_tokens, eos_token_id=EOS):
    """One token more than the maximum.

    max_new_tokens may be 0, and then nothing is added. Is there a token that you append before or
    after the loop?
    """
    return generated(model, tokens, max_new_tokens + 1, eos_token_id)


@generate_batch.misconception
def only_the_new_tokens(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The new tokens alone, without those that it was given.

    What comes back are the whole sequences, from their first tokens on.
    """
    return generated(model, tokens, max_new_tokens, eos_token_id)[:, tokens.shape[1] :]


@generate_batch.misconception
def filled_up_to_the_maximum(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Every row filled up to the maximum.

    The model is not run for nothing, but columns of EOS alone are added. Where does the result end,
    if all have ended before?
    """
    longest = tokens.shape[1] + max_new_tokens
    tokens = generated(model, tokens, max_new_tokens, eos_token_id)
    return F.pad(tokens, (0, longest - tokens.shape[1]), value=eos_token_id)


@generate_batch.misconception
def rows_in_the_order_of_their_ends(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Rows in the order in which they ended.

    Those that still run go into the model by themselves, and should go back to where they came
    from. How do you know which row of the batch each of them is?
    """
    new = generated(model, tokens, max_new_tokens, eos_token_id)
    said = new[:, tokens.shape[1] :] == eos_token_id
    first = torch.where(said.any(dim=1), said.long().cumsum(dim=1).eq(0).sum(dim=1), said.shape[1])
    return new[first.argsort(stable=True)]


# forum: the input of a loop with a KV cache, used without one
@generate_batch.misconception
def only_the_new_tokens_fed(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The new tokens alone fed back, as if the model remembered the rest.

    The model keeps nothing from one call to the next (without a KV cache, which we do without).
    What must it see to know what came before?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    last = tokens
    with torch.no_grad():
        for _ in range(max_new_tokens):
            if ended.all():
                break
            new = torch.full_like(tokens[:, 0], eos_token_id)
            new[~ended] = model(last[~ended])[:, -1].argmax(dim=-1)
            last = new[:, None]
            tokens = torch.cat([tokens, last], dim=1)
            ended |= new == eos_token_id
    return tokens


@generate_batch.misconception
def output_with_an_attribute(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """

    def run(tokens):
        return model(tokens).logits

    return generated(run, tokens, max_new_tokens, eos_token_id)


@generate_batch.misconception
def end_of_the_first_row(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The end of the first row taken for the end of all.

    Each row ends by itself. Does an index 0 stand where all of the batch should be asked?
    """
    return generated(
        model, tokens, max_new_tokens, eos_token_id, stop=lambda ended: bool(ended[:1].all())
    )
