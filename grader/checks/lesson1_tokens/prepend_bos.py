"""What `prepend_bos` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.checks.lesson1_tokens.shared import BOS
from grader.inside import observe
from grader.inside.reference import available_devices
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

prepend_bos = Exercise(
    "prepend_bos",
    hints=(
        "What must the shape of the BOS column be, so that it can stand in front of sequences "
        "with any number of batch dimensions?",
        "All dimensions of the tokens but the last, and then 1. A tensor's `new_full` makes one "
        "of the same dtype and device; `torch.cat` puts the two together.",
        "The column is `tokens.new_full((*tokens.shape[:-1], 1), ...)`. Along which dimension do "
        "you join, and which of the two comes first?",
    ),
)


@prepend_bos.check(points=4, of_tokens=True)
def one_bos_in_front(draw: Draw) -> Cases:
    """Each sequence begins with one BOS more, whatever the batch dimensions."""
    for shape in [(3,), (1, 4), (3, 5), (2, 2, 3)]:
        yield Case(draw.ids(*shape, below=BOS))
    yield Case(torch.tensor([[BOS, 40], [40, BOS]]))
    yield Case(torch.tensor([[BOS, 40]]))
    yield Case(torch.tensor([BOS]))


@prepend_bos.check(points=1, of_tokens=True)
def the_id_it_is_given(draw: Draw) -> Cases:
    """A tokenizer's BOS may have another id."""
    yield Case(draw.ids(2, 3, below=90), bos_token_id=draw.integer(90, 99))
    yield Case(torch.tensor([5, 6]), bos_token_id=0)


@prepend_bos.check(points=1, of_tokens=True)
def empty_sequences(draw: Draw) -> Cases:
    """Before an empty sequence there is nothing but BOS."""
    yield Case(draw.ids(0, below=9))
    yield Case(draw.ids(2, 0, below=9))


@prepend_bos.check(points=2, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32."""
    for dtype in (torch.int32, torch.int64):
        yield Case(draw.ids(2, 3, below=BOS).to(dtype))


@prepend_bos.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=BOS).to(device))


@prepend_bos.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield Case(draw.ids(2, 3, below=BOS))


@prepend_bos.misconception
def behind_the_sequence(tokens, bos_token_id=BOS):
    """BOS put behind the sequence.

    The same id ends a text, but what the first token is predicted from must come before it. In
    which order does `cat` take its parts?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([tokens, bos], dim=-1)


@prepend_bos.misconception
def always_50256(tokens, bos_token_id=BOS):
    """GPT-2's BOS whatever id was asked for.

    50256 is only the default; other tokenizers begin their texts with another token. Which name
    holds the id that the caller wants?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), BOS)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def only_where_missing(tokens, bos_token_id=BOS):
    """BOS only where there is none yet.

    Careful, but not what was asked: a text may itself begin with <|endoftext|>, and still gets one
    in front. And an empty sequence has no first token to look at.
    """
    if (tokens[..., 0] == bos_token_id).all():
        return tokens
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def int64_whatever_comes_in(tokens, bos_token_id=BOS):
    """int32 ids turned into int64.

    A new tensor of integers is int64 unless told otherwise, and `cat` settles on the wider of two
    dtypes. From what can a new tensor take its dtype, and its device?
    """
    bos = torch.full((*tokens.shape[:-1], 1), bos_token_id, device=tokens.device)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def batch_taken_for_granted(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which dimensions
    are all but the last, however many there are?
    """
    bos = tokens.new_full((tokens.shape[0], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def batch_taken_for_granted_and_int64(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted, and int64.

    Two things to look at: how many dimensions come before the last can differ, and so can the dtype
    of the ids, which a new tensor does not know of.
    """
    bos = torch.full((tokens.shape[0], 1), bos_token_id, device=tokens.device)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def one_bos_for_the_batch(tokens, bos_token_id=BOS):
    """A single BOS for the whole batch.

    `cat` does not broadcast: each sequence needs a BOS of its own. What shape must the column of
    them have?
    """
    bos = torch.tensor([[bos_token_id]], dtype=tokens.dtype, device=tokens.device)
    return torch.cat([bos, tokens], dim=1)


@prepend_bos.misconception
def first_token_overwritten(tokens, bos_token_id=BOS):
    """The first token overwritten.

    BOS takes no token's place: each sequence grows by one. And the caller's tensor should come out
    as it went in.
    """
    tokens[..., 0] = bos_token_id
    return tokens
