"""What `embed_with_positions` of lesson 2 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

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
    yield Case(torch.tensor([[1]]), draw.normal(2, 2), draw.normal(1, 2))
    yield Case(torch.tensor([[0, 1]]), draw.normal(2, 2), draw.normal(2, 2))
    yield Case(torch.tensor([[0, 0]]), draw.normal(2, 2), draw.normal(2, 2))  # 0 is no padding
    yield Case(draw.ids(2, 2, below=3), draw.normal(3, 2, scale=1e4), draw.normal(2, 2, scale=1e4))
    for batch, seq in [(1, 2), (2, 3), (3, 3)]:
        yield Case(draw.ids(batch, seq, below=5), draw.normal(5, 4), draw.normal(seq, 4))


@embed_with_positions.check(points=2)
def shorter_than_the_context(draw: Draw) -> Cases:
    """Of W_pos, only the first rows are used, and none is repeated."""
    yield Case(draw.ids(2, 3, below=5), draw.normal(5, 4), draw.normal(9, 4))
    yield Case(draw.ids(4, 1, below=4), draw.normal(4, 4), draw.normal(4, 4))
    yield Case(draw.ids(1, 1030, below=2), draw.normal(2, 1), draw.normal(1040, 1))


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


@embed_with_positions.misconception
def last_rows(tokens, W_E, W_pos):
    """The last rows of W_pos, not the first.

    A sequence begins at position 0, however much room there would be after it. Which end of W_pos
    does your slice count from?
    """
    return W_E[tokens] + W_pos[-tokens.shape[1] :]


@embed_with_positions.misconception
def multiplied(tokens, W_E, W_pos):
    """Positions multiplied, not added.

    A position is one vector more on top of the token's. Which operation puts two vectors together
    in GPT-2?
    """
    return W_E[tokens] * W_pos[: tokens.shape[1]]


@embed_with_positions.misconception
def positions_alone(tokens, W_E, W_pos):
    """Positions without the embedding.

    Every sequence would then be the same to the model. What else does GPT-2 add up?
    """
    return W_pos[: tokens.shape[1]].expand(*tokens.shape, -1)


@embed_with_positions.misconception
def one_position_for_all(tokens, W_E, W_pos):
    """One row of W_pos for all positions.

    W_pos[n] is a single row, and W_pos[:n] are the first n. What should differ from one position
    to the next?
    """
    return W_E[tokens] + W_pos[tokens.shape[1]]


@embed_with_positions.misconception
def written_into_the_table(tokens, W_E, W_pos):
    """Positions added to the rows of W_E itself.

    `+=` on what an index gives writes into the table, and a token that occurs twice has one row
    only. What is a tensor of your own?
    """
    W_E[tokens] += W_pos[: tokens.shape[1]]
    return W_E[tokens]


@embed_with_positions.misconception
def normalised(tokens, W_E, W_pos):
    """One LayerNorm too many.

    The first block normalises what it reads by itself. What enters it is a sum, and nothing else.
    """
    return F.layer_norm(W_E[tokens] + W_pos[: tokens.shape[1]], W_E.shape[1:])


# course forks: the positions of a model that pads on the left
@embed_with_positions.misconception
def token_0_as_padding(tokens, W_E, W_pos):
    """Positions that leave out token 0, as if it were padding.

    GPT-2 has no padding token: id 0 is an exclamation mark. Do positions depend on what stands
    there?
    """
    positions = ((tokens != 0).cumsum(dim=1) - 1).clamp(min=0)
    return W_E[tokens] + W_pos[positions]


# the Transformer of 2017
@embed_with_positions.misconception
def sines_and_cosines(tokens, W_E, W_pos):
    """Sines and cosines for positions, not W_pos.

    The Transformer of "Attention Is All You Need" computes them. GPT-2 has learned its own, and
    they were given; where do they come in?
    """
    seq, d_model = tokens.shape[1], W_E.shape[1]
    at = torch.arange(seq, device=W_E.device)[:, None]
    entry = torch.arange(d_model, device=W_E.device)
    angle = at / 10000 ** (2 * (entry // 2) / d_model)
    return W_E[tokens] + torch.where(entry % 2 == 0, angle.sin(), angle.cos()).to(W_E.dtype)


@embed_with_positions.misconception
def squeezed(tokens, W_E, W_pos):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch: whoever calls this relies on three dimensions. Which line
    drops some of them?
    """
    return (W_E[tokens] + W_pos[: tokens.shape[1]]).squeeze()


@embed_with_positions.misconception
def rows_looked_up_from_1(tokens, W_E, W_pos):
    """Rows of W_pos looked up from 1 on.

    The first token of each sequence is at position 0, and the last row that is needed is that of
    seq - 1. Where does your range begin?
    """
    return W_E[tokens] + W_pos[torch.arange(1, tokens.shape[1] + 1, device=W_pos.device)]


@embed_with_positions.misconception
def batch_flattened(tokens, W_E, W_pos):
    """The batch flattened to one long row of vectors.

    Each vector is the right one, but which sequence it belongs to is gone. The result should have
    three dimensions.
    """
    return (W_E[tokens] + W_pos[: tokens.shape[1]]).flatten(0, 1)


@embed_with_positions.misconception
def added_to_the_table_one_by_one(tokens, W_E, W_pos):
    """Positions added to the rows of W_E one after another.

    A row of the table is the same for every place where its token stands, and there it adds up all
    their positions. Where should each sum be kept?
    """
    for row in tokens:
        for i, token in enumerate(row):
            W_E[token] += W_pos[i]
    return W_E[tokens]


@embed_with_positions.misconception
def matrix_concatenated_with_a_batch(tokens, W_E, W_pos):
    """A matrix of positions concatenated with a batch of matrices.

    `cat` does not broadcast, and `+` does. GPT-2 has token and position share the same d_model
    entries; which of the two puts them there?
    """
    return torch.cat([W_E[tokens], W_pos[: tokens.shape[1]]], dim=-1)


# forum: a row of the table is a view, and += writes through it
@embed_with_positions.misconception
def positions_left_in_the_table(tokens, W_E, W_pos):
    """Positions left behind in the rows of W_E.

    `W_E[token]` is a row of the table itself, and `+=` writes there: where the token comes again,
    its row still has the position of the last time. What is a tensor of your own?
    """
    vectors = []
    with torch.no_grad():
        for row in tokens:
            for i, token in enumerate(row):
                vector = W_E[token]
                vector += W_pos[i]
                vectors.append(vector.clone())
    return torch.stack(vectors).view(*tokens.shape, -1)


# production: the position ids of a model that pads on the left, by the id of GPT-2's padding
@embed_with_positions.misconception
def eos_as_padding(tokens, W_E, W_pos):
    """Positions that leave out <|endoftext|>, as if it were padding.

    Here it is BOS, or the end of a text, and has a place like any other token. Do positions depend
    on what stands there?
    """
    is_text = tokens != 50256
    positions = (is_text.cumsum(dim=1) - 1).masked_fill(~is_text, 1)
    return W_E[tokens] + W_pos[positions]
