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
    yield Case(draw.ids(1030, below=BOS))  # longer than GPT-2 can read in one go


@prepend_bos.check(points=1, of_tokens=True)
def the_id_it_is_given(draw: Draw) -> Cases:
    """A tokenizer's BOS may have another id."""
    yield Case(draw.ids(2, 3, below=90), bos_token_id=draw.integer(90, 99))
    yield Case(torch.tensor([5, 6]), bos_token_id=0)
    yield Case(torch.tensor([[5, 60000]]), bos_token_id=128000)  # as a larger vocabulary has it


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
    in front. Does it matter what a sequence begins with?
    """
    if tokens.numel() and (tokens[..., 0] == bos_token_id).all():
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

    BOS takes no token's place: each sequence grows by one. How many tokens should come back?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens[..., 1:]], dim=-1)


@prepend_bos.misconception
def written_into_the_callers_tensor(tokens, bos_token_id=BOS):
    """BOS written over the first token of the caller's own tensor.

    BOS takes no token's place: each sequence grows by one. And the tensor that was given should
    come out as it went in.
    """
    if tokens.shape[-1] == 0:
        return tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    tokens[..., 0] = bos_token_id
    return tokens


@prepend_bos.misconception
def as_many_as_first_tokens(tokens, bos_token_id=BOS):
    """Empty sequences left without a BOS.

    What is made like the first tokens is empty there, too, and a guard may send them back as they
    are. What comes in front of a text, however short it is?
    """
    return torch.cat([torch.full_like(tokens[..., :1], bos_token_id), tokens], dim=-1)


@prepend_bos.misconception
def bos_0_taken_for_none(tokens, bos_token_id=BOS):
    """A BOS id of 0 taken for no id.

    0 is false to Python, but an id like any other: some tokenizers begin with it. What does `or`
    make of it?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id or BOS)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def batch_put_around_one_sequence(tokens, bos_token_id=BOS):
    """A batch dimension put around a single sequence.

    What comes in without a batch goes out without one. Which line adds it, and which should take it
    away again?
    """
    tokens = torch.atleast_2d(tokens)
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def one_sequence_only(tokens, bos_token_id=BOS):
    """A single sequence without a batch taken for granted.

    A tensor of one BOS can stand before a plain sequence, and not before a matrix. What shape must
    it have if there are batch dimensions?
    """
    return torch.cat([tokens.new_tensor([bos_token_id]), tokens])


@prepend_bos.misconception
def a_sequence_of_bos(tokens, bos_token_id=BOS):
    """A sequence of BOS put in front of the batch.

    Each sequence gets one, and their number stays. Along which dimension do they grow?
    """
    bos = tokens.new_full((1, *tokens.shape[1:]), bos_token_id)
    return torch.cat([bos, tokens], dim=0)


@prepend_bos.misconception
def floats(tokens, bos_token_id=BOS):
    """Floats instead of ids.

    Zeros and ones are floats unless told otherwise, and `cat` turns ids into floats with them. From
    what can a new tensor take its dtype?
    """
    bos = torch.ones((*tokens.shape[:-1], 1), device=tokens.device) * bos_token_id
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def squeezed(tokens, bos_token_id=BOS):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch. Which line drops it?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1).squeeze()


@prepend_bos.misconception
def shape_taken_for_a_pair(tokens, bos_token_id=BOS):
    """A shape of two dimensions taken for granted.

    Here a single sequence comes without a batch dimension, and others with two, and then the shape
    is not a pair. Which part of it is all but the last, however many there are?
    """
    batch, _seq = tokens.shape
    bos = tokens.new_full((batch, 1), bos_token_id)
    return torch.cat([bos, tokens], dim=-1)


@prepend_bos.misconception
def second_dimension_indexed(tokens, bos_token_id=BOS):
    """A second dimension indexed that need not be there.

    tokens[:, 0] is the first token of each sequence of a batch. A single sequence has one dimension
    only; what stands for all but the last, however many come before?
    """
    bos = torch.full_like(tokens[:, 0], bos_token_id)
    return torch.cat([bos.unsqueeze(1), tokens], dim=1)


@prepend_bos.misconception
def last_token_pushed_out(tokens, bos_token_id=BOS):
    """The last token pushed out by BOS.

    Shifted within the same length, every sequence loses a token at its end. How many tokens should
    come back?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens[..., :-1]], dim=-1)


@prepend_bos.misconception
def first_token_of_an_empty_sequence(tokens, bos_token_id=BOS):
    """A first token looked for in an empty sequence.

    Index 0 is an error where there is none. Does it matter what a sequence begins with?
    """
    bos = torch.full_like(tokens[..., 0], bos_token_id)
    return torch.cat([bos.unsqueeze(-1), tokens], dim=-1)
