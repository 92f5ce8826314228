"""What `embed_with_positions` of lesson 2 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


embed_with_positions = Exercise(
    "embed_with_positions",
    hints=(
        "A token's vector depends on its id, a position's vector on its place in the sequence "
        "alone. What has the same value in every sequence of the batch?",
        "Take as many rows of W_pos as the sequences are long. Their shape (seq, d_model) "
        "broadcasts over the batch.",
        "`tokens.shape` is (batch, seq). Slice the first seq rows of W_pos, and add them to what "
        "`embed_by_lookup` gives.",
    ),
)


@embed_with_positions.check(points=4)
def token_plus_position(draw: Draw) -> Cases:
    """Each token's row of W_E plus its position's row of W_pos, counted from 0."""
    for batch, seq in [(1, 2), (2, 3), (3, 3)]:
        yield Case(draw.ids(batch, seq, below=5), draw.normal(5, 4), draw.normal(seq, 4))


@embed_with_positions.check(points=2)
def shorter_than_the_context(draw: Draw) -> Cases:
    """Of W_pos, only the first rows are used, and none is repeated."""
    yield Case(draw.ids(2, 3, below=5), draw.normal(5, 4), draw.normal(9, 4))
    yield Case(draw.ids(4, 1, below=4), draw.normal(4, 4), draw.normal(4, 4))


@embed_with_positions.check(points=3)
def enters_the_first_block(draw: Draw, reference: TransformerBridge) -> Cases:
    """On the reference's W_E and W_pos it gives the residual stream before block 0."""
    for text in [texts.NOTES, draw.pick(texts.ODD)]:
        yield Case(reference.to_tokens(text), reference.W_E, reference.W_pos)


@embed_with_positions.check(points=1, observe=observe.arguments_after)
def leaves_the_tables_alone(draw: Draw) -> Cases:
    """W_E and W_pos still hold what they held."""
    for batch in (1, 2):
        yield Case(draw.ids(batch, 3, below=5), draw.normal(5, 4), draw.normal(3, 4))


@embed_with_positions.misconception
def no_positions(tokens, W_E, W_pos):
    """Embedding without positions.

    "dog bites man" and "man bites dog" would then enter as the same set of vectors. What else does
    GPT-2 add to each of them?
    """
    return W_E[tokens]


@embed_with_positions.misconception
def all_of_W_pos(tokens, W_E, W_pos):
    """All of W_pos added, however short the sequence.

    It has a row for each of the n_ctx positions that there could be. How many are there this time?
    """
    return W_E[tokens] + W_pos


# course forks: len(tokens), which is the batch.
@embed_with_positions.misconception
def batch_taken_for_sequence(tokens, W_E, W_pos):
    """As many positions as there are sequences.

    len() of a tensor is the size of its first dimension, and here that is the batch. Which one
    counts positions?
    """
    return W_E[tokens] + W_pos[: len(tokens)]


# old API: PyTorch's tutorials put the sequence first, and slice by size(0).
@embed_with_positions.misconception
def positions_along_the_batch(tokens, W_E, W_pos):
    """Positions counted along the batch.

    Every token of a sequence got the same position, that of its sequence in the batch. With the
    batch first, along which dimension do positions run?
    """
    return W_E[tokens] + W_pos[: tokens.shape[0]].unsqueeze(1)


@embed_with_positions.misconception
def positions_from_1(tokens, W_E, W_pos):
    """Positions counted from 1.

    The first token of each sequence is at position 0, and row 0 of W_pos is meant for it. Is
    there a reason to leave that row out?
    """
    return W_E[tokens] + W_pos[1 : tokens.shape[1] + 1]


@embed_with_positions.misconception
def ids_taken_for_positions(tokens, W_E, W_pos):
    """Rows of W_pos looked up by token ids.

    What a token is and where it stands are two different questions, and W_pos answers the second.
    Which numbers say where, and do they depend on the ids?
    """
    return W_E[tokens] + W_pos[tokens]


@embed_with_positions.misconception
def concatenated(tokens, W_E, W_pos):
    """Positions concatenated instead of added.

    That keeps the two apart, but makes vectors twice as long as the blocks can read. GPT-2 has both
    share the same d_model entries.
    """
    positions = W_pos[: tokens.shape[1]].expand(len(tokens), -1, -1)
    return torch.cat([W_E[tokens], positions], dim=-1)


# course forks: the Transformer of 2017 scales, GPT-2 does not.
@embed_with_positions.misconception
def scaled(tokens, W_E, W_pos):
    """Embeddings scaled by the square root of d_model.

    The Transformer of "Attention Is All You Need" does that before it adds positions. GPT-2 adds
    the two tables' rows as they are.
    """
    return W_E[tokens] * W_E.shape[1] ** 0.5 + W_pos[: tokens.shape[1]]
