"""What `inputs_and_targets` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.checks.lesson1_tokens.shared import BOS
from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

inputs_and_targets = Exercise(
    "inputs_and_targets",
    hints=(
        "Write four tokens on paper, and under each what follows it. Which one has nothing under "
        "it, and which stands under nothing?",
        "Both are slices of one sequence, shifted by a token. A BOS makes that sequence longer "
        "before it is sliced, and nothing else changes.",
        "`[..., :-1]` and `[..., 1:]`, after `prepend_bos` where the id is not None (0 is an id, "
        "too).",
    ),
)


@inputs_and_targets.check(points=4, of_tokens=True)
def without_bos(draw: Draw) -> Cases:
    """Each position's target is the token that follows it."""
    for shape in [(2,), (5,), (1, 4), (3, 6)]:
        yield Case(draw.ids(*shape, below=BOS))
    yield Case(draw.ids(2, 2, 3, below=BOS))
    yield Case(draw.ids(1, below=BOS))
    yield Case(torch.tensor([BOS, 5, BOS, 6]))  # nothing is special about it here
    yield Case(draw.ids(1030, below=BOS))  # longer than GPT-2 can read in one go


@inputs_and_targets.check(points=4, of_tokens=True)
def with_bos(draw: Draw) -> Cases:
    """With a BOS to start from, every token is a target, the first one included."""
    for shape in [(1,), (5,), (3, 6)]:
        yield Case(draw.ids(*shape, below=BOS), bos_token_id=BOS)
    yield Case(draw.ids(2, 3, below=90), bos_token_id=0)
    yield Case(draw.ids(2, 2, 3, below=90), bos_token_id=91)
    yield Case(torch.tensor([BOS, 5, 6]), bos_token_id=BOS)
    yield Case(draw.ids(0, below=90), bos_token_id=BOS)


@inputs_and_targets.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32, with BOS and without."""
    tokens = draw.ids(2, 3, below=BOS).to(torch.int32)
    yield Case(tokens)
    yield Case(tokens, bos_token_id=BOS)


@inputs_and_targets.check(points=1, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    tokens = draw.ids(2, 3, below=BOS)
    yield Case(tokens)
    yield Case(tokens, bos_token_id=BOS)


@inputs_and_targets.misconception
def swapped(tokens, bos_token_id=None):
    """Inputs and targets swapped.

    The target is what follows, so it is the targets that begin one token later. Try it with three
    tokens on paper.
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., 1:], tokens[..., :-1]


# forum: labels that equal input_ids, because a library shifts them later.
@inputs_and_targets.misconception
def not_shifted(tokens, bos_token_id=None):
    """Inputs and targets the same, not shifted.

    Some libraries want it so, and shift inside the model. Nobody does here: each position would
    learn to repeat what it has just read.
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens


@inputs_and_targets.misconception
def rolled(tokens, bos_token_id=None):
    """Targets rolled round, so that the first token follows the last.

    Nothing is known about what comes after the last token, so that position has no target. How
    many are left?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens.roll(-1, dims=-1)


@inputs_and_targets.misconception
def no_bos(tokens, bos_token_id=None):
    """BOS never put in front.

    Then nothing predicts the first token. What should stand before it if the caller names a BOS?
    """
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def last_token_still_an_input(tokens, bos_token_id=None):
    """With BOS, one input more than there are targets.

    The last token is read, but nothing is known to follow it. How many inputs belong to n targets?
    """
    if bos_token_id is None:
        return tokens[..., :-1], tokens[..., 1:]
    bos = torch.full_like(tokens[..., :1], bos_token_id)  # an empty sequence is left out of it
    return torch.cat([bos, tokens], dim=-1), tokens


@inputs_and_targets.misconception
def bos_0_taken_for_none(tokens, bos_token_id=None):
    """A BOS id of 0 taken for no BOS.

    0 is false to Python, but an id like any other: some tokenizers begin with it. Which value alone
    means that there is no BOS?
    """
    if bos_token_id:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def int64_with_bos(tokens, bos_token_id=None):
    """int32 ids turned into int64 by BOS.

    A new tensor of integers is int64 unless told otherwise, and `cat` settles on the wider of two
    dtypes. From what can it take its dtype?
    """
    if bos_token_id is not None:
        bos = torch.full((*tokens.shape[:-1], 1), bos_token_id, device=tokens.device)
        tokens = torch.cat([bos, tokens], dim=-1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def first_dimension_sliced(tokens, bos_token_id=None):
    """The first dimension sliced instead of the last.

    For one sequence they are the same, but in a batch tokens[:-1] leaves out a whole sequence. How
    do you slice the last dimension, however many come before?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[:-1], tokens[1:]


@inputs_and_targets.misconception
def batch_taken_for_granted(tokens, bos_token_id=None):
    """A batch of sequences taken for granted.

    Here a single sequence comes without a batch dimension, and others with two. Which index stands
    for all dimensions but the last, however many there are?
    """
    if bos_token_id is not None:
        bos = tokens.new_full((tokens.shape[0], 1), bos_token_id)
        tokens = torch.cat([bos, tokens], dim=1)
    return tokens[:, :-1], tokens[:, 1:]


@inputs_and_targets.misconception
def bos_only_where_missing(tokens, bos_token_id=None):
    """BOS only where there is none yet.

    Careful, but not what was asked: the text's own <|endoftext|> is a token, and so a target. Does
    it matter what a sequence begins with?
    """
    if bos_token_id is None:
        return tokens[..., :-1], tokens[..., 1:]
    if not (tokens.numel() and (tokens[..., 0] == bos_token_id).all()):
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def bos_always(tokens, bos_token_id=None):
    """BOS also where none was asked for.

    Without a bos_token_id the text stands as it is. Where does your code look at None?
    """
    bos = tokens.new_full((*tokens.shape[:-1], 1), BOS if bos_token_id is None else bos_token_id)
    tokens = torch.cat([bos, tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def always_50256(tokens, bos_token_id=None):
    """GPT-2's BOS whatever id was given.

    Other tokenizers begin their texts with another token. Which name holds the id that the caller
    wants?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), BOS), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def first_token_overwritten(tokens, bos_token_id=None):
    """The first token overwritten by BOS.

    BOS takes no token's place: the first token is still there to be predicted. By how much does
    the sequence grow?
    """
    if bos_token_id is not None:
        bos = torch.full_like(tokens[..., :1], bos_token_id)
        tokens = torch.cat([bos, tokens[..., 1:]], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def first_token_no_target(tokens, bos_token_id=None):
    """BOS put in front of the inputs, and the first token still no target.

    Two positions then lie between an input and its target. What should be predicted from BOS?
    """
    if bos_token_id is None:
        return tokens[..., :-1], tokens[..., 1:]
    bos = tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)
    return torch.cat([bos, tokens], -1)[..., :-1], tokens[..., 1:]


# forum: labels of -100 are left out of the loss by PyTorch
@inputs_and_targets.misconception
def last_target_ignored(tokens, bos_token_id=None):
    """As many targets as tokens, the last one -100.

    Losses can be told to leave that one out, but it is no token, and its input is nobody's. How
    many pairs are there?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, torch.cat([tokens[..., 1:], torch.full_like(tokens[..., :1], -100)], -1)


@inputs_and_targets.misconception
def last_token_still_read(tokens, bos_token_id=None):
    """All tokens as inputs, also the last.

    Nothing is known to follow it, so that there is one input more than there are targets. Which of
    the two slices is missing?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens[..., 1:]


@inputs_and_targets.misconception
def first_token_still_predicted(tokens, bos_token_id=None):
    """All tokens as targets, also the first.

    Nothing comes before it, so that there is one target more than there are inputs, and each is
    what its input repeats. Which of the two slices is missing?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens


@inputs_and_targets.misconception
def bos_behind_the_sequence(tokens, bos_token_id=None):
    """BOS put behind the sequence.

    The same id ends a text, but what the first token is predicted from must come before it. In
    which order does `cat` take its parts?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens, tokens.new_full((*tokens.shape[:-1], 1), bos_token_id)], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def batch_put_around_one_sequence(tokens, bos_token_id=None):
    """A batch dimension put around a single sequence.

    What comes in without a batch goes out without one. Which line adds it, and which should take it
    away again?
    """
    tokens = torch.atleast_2d(tokens)
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def stacked(tokens, bos_token_id=None):
    """Inputs and targets stacked into one tensor.

    They fit, but a tuple of two was asked for, of which each has the shape of a batch. What does
    the signature promise?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return torch.stack([tokens[..., :-1], tokens[..., 1:]])


@inputs_and_targets.misconception
def last_pair_only(tokens, bos_token_id=None):
    """The last token as the only target.

    That is enough to ask what comes next, but each position has a target, and training uses all of
    them. How many tokens are predicted from n?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., -1]


@inputs_and_targets.misconception
def shape_taken_for_a_pair(tokens, bos_token_id=None):
    """A shape of two dimensions taken for granted.

    Here a single sequence comes without a batch dimension, and others with two, and then the shape
    is not a pair. Which part of it is all but the last, however many there are?
    """
    batch, _seq = tokens.shape
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((batch, 1), bos_token_id), tokens], dim=1)
    return tokens[:, :-1], tokens[:, 1:]


@inputs_and_targets.misconception
def one_sequence_only(tokens, bos_token_id=None):
    """A single sequence without a batch taken for granted.

    A tensor of one BOS can stand before a plain sequence, and not before a matrix. What shape must
    it have if there are batch dimensions?
    """
    if bos_token_id is not None:
        bos = torch.tensor([bos_token_id], dtype=tokens.dtype, device=tokens.device)
        tokens = torch.cat([bos, tokens], dim=-1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def rolled_through_the_batch(tokens, bos_token_id=None):
    """Targets rolled through the whole batch as if it were one row.

    Without a dimension, `roll` goes on from one sequence to the next. And what comes after the last
    token of a sequence is not known; how many targets are left?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens, tokens.roll(-1)


@inputs_and_targets.misconception
def rolled_without_bos(tokens, bos_token_id=None):
    """Without BOS, targets rolled round, so that the first token follows the last.

    Nothing is known about what comes after the last token, so that position has no target. How many
    are left where there is no BOS to begin with?
    """
    if bos_token_id is None:
        return tokens, tokens.roll(-1, dims=-1)
    tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def first_dimension_sliced_without_bos(tokens, bos_token_id=None):
    """Without BOS, the first dimension sliced instead of the last.

    For one sequence they are the same, but in a batch tokens[:-1] leaves out a whole sequence. How
    do you slice the last dimension, however many come before?
    """
    if bos_token_id is None:
        return tokens[:-1], tokens[1:]
    tokens = torch.cat([tokens.new_full((*tokens.shape[:-1], 1), bos_token_id), tokens], -1)
    return tokens[..., :-1], tokens[..., 1:]


@inputs_and_targets.misconception
def along_the_first_dimension(tokens, bos_token_id=None):
    """Sequences shifted against one another, not tokens.

    In a batch the first dimension counts sequences, so that a whole one of BOS is put in front, and
    a whole one left out. Along which dimension does a text run, however many come before?
    """
    if bos_token_id is not None:
        tokens = torch.cat([tokens.new_full((1, *tokens.shape[1:]), bos_token_id), tokens])
    return tokens[:-1], tokens[1:]
