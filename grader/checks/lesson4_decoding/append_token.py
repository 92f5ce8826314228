"""What `append_token` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.inside import observe
from grader.inside.reference import available_devices
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

append_token = Exercise(
    "append_token",
    hints=(
        "tokens has two dimensions and token has one. What shape must the new column have?",
        "Add a dimension of size one to token with indexing or unsqueeze, then concatenate "
        "along the sequence.",
        "torch.cat settles on the wider dtype of the two: convert the column to the dtype and "
        "device of tokens before, or the result after.",
    ),
)


@append_token.check(points=5, of_tokens=True)
def at_the_end_of_each(draw: Draw) -> Cases:
    """Each sequence gets its own token at the end."""
    for batch, seq in [(1, 2), (2, 3), (3, 3), (4, 1), (2, 0)]:
        yield Case(draw.ids(batch, seq, below=50257), draw.ids(batch, below=50257))
    # Nothing is special about an EOS, nor about a token that is there already.
    yield Case(torch.tensor([[5, 50256], [50256, 0]]), torch.tensor([50256, 0]))


@append_token.check(points=2, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32, although argmax gives int64."""
    yield Case(draw.ids(2, 3, below=50257), draw.ids(2, below=50257))
    yield Case(draw.ids(2, 3, below=50257).int(), draw.ids(2, below=50257))


@append_token.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=9).to(device), draw.ids(2, below=9).to(device))


@append_token.check(points=2, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensors it was given still hold what they held."""
    yield Case(draw.ids(2, 3, below=50257), draw.ids(2, below=50257))


@append_token.misconception
def widened(tokens, token):
    """Concatenation that widens int32 ids to int64.

    When two dtypes meet, torch.cat takes the wider one, and an argmax is always int64. Which of
    your two tensors should say what the result is?
    """
    return torch.cat([tokens, token.unsqueeze(1)], dim=1)


# forum: "Tensors must have same number of dimensions: got 2 and 1"
@append_token.misconception
def no_dimension_added(tokens, token):
    """Tensors put together whose dimensions do not fit, as a matrix and a vector.

    torch.cat wants equal numbers of dimensions, and torch.stack equal shapes. The new tokens form a
    column of one entry per sequence: what shape does a column have?
    """
    return torch.cat([tokens, token], dim=1)


@append_token.misconception
def as_a_row(tokens, token):
    """The new tokens added as a row, that is, as one more sequence.

    The first dimension counts sequences, the second runs along each of them. Along which of the
    two does a sequence grow?
    """
    return torch.cat([tokens, token[None].to(tokens)], dim=0)


@append_token.misconception
def in_front(tokens, token):
    """The new token in front of the sequence.

    Text grows to the right: a prediction is about what follows everything that is there. In which
    order do the pieces go?
    """
    return torch.cat([token[:, None].to(tokens), tokens], dim=1)


@append_token.misconception
def window_slides(tokens, token):
    """A sliding window: the oldest token dropped for the new one.

    For a context that is full one might do that, but nothing is full here, and BOS is the first to
    go. How long should each sequence be afterwards?
    """
    return torch.cat([tokens[:, 1:], token[:, None].to(tokens)], dim=1)


# course forks: .item(), from loops over a single text
@append_token.misconception
def batch_of_one(tokens, token):
    """A batch of one taken for granted, with .item().

    .item() is for a tensor with one entry. With several sequences there is a token for each of
    them, and none has to leave the tensor world.
    """
    return torch.cat([tokens, torch.tensor([[token.item()]]).to(tokens)], dim=1)


@append_token.misconception
def last_token_replaced(tokens, token):
    """The last token overwritten by the new one.

    A sequence grows by one; nothing of it is lost. Which place has the new token, if the old ones
    go from 0 to seq - 1?
    """
    longer = tokens.clone()
    longer[:, -1:] = token[:, None]
    return longer


@append_token.misconception
def every_token_to_every_sequence(tokens, token):
    """Every new token appended to every sequence.

    Broadcasting lays the vector of new tokens beside each row. Entry b of it belongs to sequence b:
    what shape makes a column of it?
    """
    return torch.cat([tokens, token[None].expand(len(tokens), -1).to(tokens)], dim=1)


@append_token.misconception
def first_token_for_all(tokens, token):
    """One and the same token appended to every sequence.

    There is one for each of them. Does an index 0 stand where all of the batch should be?
    """
    return torch.cat([tokens, token[:1, None].expand(len(tokens), 1).to(tokens)], dim=1)


@append_token.misconception
def ids_made_floats(tokens, token):
    """Ids made into floating-point numbers.

    `zeros`, `ones` and `empty` give float32 unless told otherwise. A token is a whole number, and
    an embedding takes nothing else. Where would they learn the dtype of tokens?
    """
    longer = torch.zeros(len(tokens), tokens.shape[1] + 1)
    longer[:, :-1], longer[:, -1] = tokens, token
    return longer


@append_token.misconception
def nothing_assigned(tokens, token):
    """A concatenation whose result is not kept.

    `torch.cat` makes a new tensor and leaves those that it is given as they are. What do you
    return?
    """
    torch.cat([tokens, token[:, None].to(tokens)], dim=1)
    return tokens


# forum: the dimension that an error asks for, added on the wrong side
@append_token.misconception
def a_row_beside_the_sequences(tokens, token):
    """The new tokens as one row, beside sequences that are several.

    `token[None]` has one row with an entry for each sequence. Beside them belongs a column: one
    entry in each row. On which side of its dimension does the new one go?
    """
    return torch.cat([tokens, token[None].to(tokens)], dim=1)


@append_token.misconception
def empty_sequences_unchanged(tokens, token):
    """Empty sequences given back as they are.

    A sequence without a token yet gets one like any other, and is one long then. Is there anything
    special about it?
    """
    return torch.cat([tokens, token[:, None].to(tokens)], dim=1) if tokens.numel() else tokens


@append_token.misconception
def last_token_for_all(tokens, token):
    """The last sequence's token appended to every sequence.

    There is one for each of them. Does an index -1 stand where all of the batch should be?
    """
    return torch.cat([tokens, token[-1:, None].expand(len(tokens), 1).to(tokens)], dim=1)
