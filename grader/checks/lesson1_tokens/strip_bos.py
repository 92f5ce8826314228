"""What `strip_bos` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.checks.lesson1_tokens.shared import BOS
from grader.inside import observe
from grader.inside.reference import available_devices
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

strip_bos = Exercise(
    "strip_bos",
    hints=(
        "There are three cases: all sequences begin with BOS, none does, or some do. Into which "
        "of them falls an empty sequence?",
        "A slice of the first token can be empty without an error, and keeps its dimension. "
        "Compare it with BOS, and let `any` and `all` tell the cases apart.",
        "With `first = tokens[..., :1] == bos_token_id`: not any, nothing changes; any but not "
        "all, ValueError; all, everything from the second token on.",
    ),
)


@strip_bos.check(points=3, of_tokens=True)
def the_leading_bos_goes(draw: Draw) -> Cases:
    """Each sequence loses the BOS in front, whatever the batch dimensions."""
    for shape in [(3,), (1, 4), (3, 5), (2, 2, 3)]:
        tokens = draw.ids(*shape, below=BOS)
        tokens[..., 0] = BOS
        yield Case(tokens)
    yield Case(torch.tensor([7, 8, 9]), bos_token_id=7)
    yield Case(torch.tensor([[0, 8, 9]]), bos_token_id=0)
    yield Case(torch.tensor([BOS]))
    yield Case(torch.tensor([[BOS], [BOS]]))


@strip_bos.check(points=2, of_tokens=True)
def only_the_leading_one(draw: Draw) -> Cases:
    """Only one goes, and none that comes later in the text."""
    yield Case(torch.tensor([BOS, 40, BOS]))
    yield Case(torch.tensor([[BOS, BOS, 40], [BOS, 41, BOS]]))
    yield Case(torch.tensor([[BOS, BOS, 40], [BOS, BOS, 41]]))
    yield Case(torch.tensor([BOS, BOS, 40]))
    yield Case(torch.tensor([40, BOS, 41]))


@strip_bos.check(points=1, of_tokens=True)
def nothing_to_strip(draw: Draw) -> Cases:
    """Without a BOS in front, or without tokens, nothing changes."""
    yield Case(torch.tensor([9, 7, 8]), bos_token_id=7)
    yield Case(torch.tensor([[6, 7], [5, 7]]), bos_token_id=7)
    yield Case(torch.tensor([[6, 1], [8, 1]]), bos_token_id=7)
    yield Case(draw.ids(2, 4, below=BOS))
    yield Case(draw.ids(4, below=BOS))
    yield Case(draw.ids(0, below=BOS))
    yield Case(draw.ids(2, 0, below=BOS))


@strip_bos.check(points=1, observe=observe.raises(ValueError))
def a_mixture_raises(draw: Draw) -> Cases:
    """ValueError where some sequences of the batch begin with BOS and some do not."""
    yield Case(torch.tensor([[BOS, 40], [41, 42]]))
    yield Case(torch.tensor([[41, 42], [BOS, 40], [BOS, 43]]))
    yield Case(torch.tensor([[BOS, 40], [41, 42], [BOS, 43]]))
    yield Case(torch.tensor([[41, 42], [BOS, 40], [43, 44]]))
    yield Case(torch.tensor([[BOS, 40], [BOS, 42]]))
    yield Case(torch.tensor([[[BOS, 40], [BOS, 41]], [[BOS, 42], [43, 44]]]))


@strip_bos.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32."""
    for dtype in (torch.int32, torch.int64):
        yield Case(torch.tensor([BOS, 40, 41], dtype=dtype))
        yield Case(torch.tensor([40, 41], dtype=dtype))


@strip_bos.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(torch.tensor([[BOS, 40]]).to(device))


@strip_bos.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield Case(torch.tensor([[BOS, 40, 41], [BOS, 42, BOS]]))


@strip_bos.misconception
def every_bos(tokens, bos_token_id=BOS):
    """Every BOS taken out, not only the leading one.

    A later <|endoftext|> is a part of the text: it says that a document ends there. A mask over all
    tokens also forgets which row they were in.
    """
    return tokens[tokens != bos_token_id]


@strip_bos.misconception
def first_token_whatever_it_is(tokens, bos_token_id=BOS):
    """The first token dropped, whatever it is.

    That is right for a text that begins with BOS. How would you find out whether it does?
    """
    return tokens[..., 1:]


@strip_bos.misconception
def mixture_unnoticed(tokens, bos_token_id=BOS):
    """A mixed batch let through without an error.

    Where some rows begin with BOS and some do not, either answer is wrong for part of them. `any`
    and `all` differ in just that case.
    """
    if (tokens[..., :1] == bos_token_id).all():
        return tokens[..., 1:]
    return tokens


@strip_bos.misconception
def empty_sequence_unforeseen(tokens, bos_token_id=BOS):
    """A first token looked for in an empty sequence.

    Index 0 must exist, and a slice need not. What does a slice of the first token give where there
    is none, and what do `any` and `all` say of it?
    """
    is_bos = tokens[..., 0] == bos_token_id
    if is_bos.all():
        return tokens[..., 1:]
    if is_bos.any():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens


@strip_bos.misconception
def all_leading_ones(tokens, bos_token_id=BOS):
    """All leading BOS stripped, one after the other.

    Only one was put there for the model. A second one came with the text: that began with
    <|endoftext|>.
    """
    while tokens.shape[-1] and (tokens[..., 0] == bos_token_id).all():
        tokens = tokens[..., 1:]
    if (tokens[..., :1] == bos_token_id).any():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens


@strip_bos.misconception
def batch_taken_for_granted(tokens, bos_token_id=BOS):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which index means
    "all dimensions but the last", however many there are?
    """
    is_bos = tokens[:, :1] == bos_token_id
    if not is_bos.any():
        return tokens
    if not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[:, 1:]


@strip_bos.misconception
def one_sequence_only(tokens, bos_token_id=BOS):
    """A single sequence without a batch taken for granted.

    In a batch, tokens[0] is all of the first sequence, and `if` cannot tell whether that is true.
    Where is the first token of each?
    """
    if len(tokens) > 0 and tokens[0] == bos_token_id:
        return tokens[1:]
    return tokens


@strip_bos.misconception
def every_bos_of_each_row(tokens, bos_token_id=BOS):
    """Every BOS of each row taken out, not only the leading one.

    A later <|endoftext|> is a part of the text: it says that a document ends there. Which position
    alone is to be looked at?
    """
    is_bos = tokens[..., :1] == bos_token_id
    if is_bos.any() and not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[tokens != bos_token_id].view(*tokens.shape[:-1], -1)


@strip_bos.misconception
def always_50256(tokens, bos_token_id=BOS):
    """GPT-2's BOS whatever id was given.

    50256 is only the default; other tokenizers begin their texts with another token. Which name
    holds the id that the caller means?
    """
    is_bos = tokens[..., :1] == BOS
    if not is_bos.any():
        return tokens
    if not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[..., 1:]


@strip_bos.misconception
def bos_0_taken_for_none(tokens, bos_token_id=BOS):
    """A BOS id of 0 taken for no id.

    0 is false to Python, but an id like any other: some tokenizers begin with it. What do `if` and
    `or` make of it?
    """
    is_bos = tokens[..., :1] == (bos_token_id or BOS)
    if not is_bos.any():
        return tokens
    if not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[..., 1:]


@strip_bos.misconception
def asserted(tokens, bos_token_id=BOS):
    """assert where ValueError was asked for.

    Whoever calls the function waits for ValueError, and Python can be told to leave asserts out.
    Which statement raises an exception of your choice?
    """
    is_bos = tokens[..., :1] == bos_token_id
    if not is_bos.any():
        return tokens
    assert is_bos.all(), "some sequences begin with BOS and some do not"
    return tokens[..., 1:]


@strip_bos.misconception
def rows_of_unequal_length(tokens, bos_token_id=BOS):
    """Each row stripped by itself, however many begin with BOS.

    Rows that are no longer equally long make no tensor, and the error is then PyTorch's. When do
    you know that there is a mixture?
    """
    if tokens.ndim > 1:
        return torch.stack([rows_of_unequal_length(row, bos_token_id) for row in tokens])
    return tokens[1:] if len(tokens) and tokens[0] == bos_token_id else tokens


@strip_bos.misconception
def int64_whatever_comes_in(tokens, bos_token_id=BOS):
    """int32 ids turned into int64.

    A tensor made of a list of integers is int64 unless told otherwise. Need the tokens become a
    list at all?
    """
    is_bos = tokens[..., :1] == bos_token_id
    if is_bos.any() and not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return (tokens[..., 1:] if is_bos.any() else tokens).long()


@strip_bos.misconception
def bos_alone_left(tokens, bos_token_id=BOS):
    """A BOS that stands alone left where it is.

    An empty text with a BOS in front is nothing but BOS. What is left when it goes?
    """
    is_bos = tokens[..., :1] == bos_token_id
    if tokens.shape[-1] < 2 or not is_bos.any():
        return tokens
    if not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[..., 1:]


@strip_bos.misconception
def squeezed(tokens, bos_token_id=BOS):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch, and a sequence of one token a sequence. Which line drops a
    dimension?
    """
    is_bos = tokens[..., :1] == bos_token_id
    if is_bos.any() and not is_bos.all():
        raise ValueError("some sequences begin with BOS and some do not")
    return (tokens[..., 1:] if is_bos.any() else tokens).squeeze()


@strip_bos.misconception
def shape_taken_for_a_pair(tokens, bos_token_id=BOS):
    """A shape of two dimensions taken for granted.

    Here a single sequence comes without a batch dimension, and others with two, and then the shape
    is not a pair. Which part of it is all but the last, however many there are?
    """
    batch, seq = tokens.shape
    count = int((tokens[:, :1] == bos_token_id).sum())
    if not count or not seq:
        return tokens
    if count < batch:
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[:, 1:]
