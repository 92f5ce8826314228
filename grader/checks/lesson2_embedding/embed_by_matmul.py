"""What `embed_by_matmul` of lesson 2 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import einsum
from torch.nn import functional as F

from grader.inside import observe
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


embed_by_matmul = Exercise(
    "embed_by_matmul",
    hints=(
        "A one-hot vector times W_E is a row of W_E. Which shape has the product of all of them, "
        "and which dimension is summed over?",
        "Your `one_hot` gives (batch, seq, d_vocab). Only d_vocab disappears when it meets "
        "(d_vocab, d_model).",
        '`einsum(..., "batch seq d_vocab, d_vocab d_model -> batch seq d_model")`. The two must '
        "have one dtype first: that of W_E.",
    ),
)


@embed_by_matmul.check(points=6)
def rows_of_the_table(draw: Draw) -> Cases:
    """Each token's vector is its row of W_E."""
    for batch, seq, d_vocab, d_model in [(1, 2, 3, 2), (2, 3, 5, 4), (3, 3, 3, 3), (2, 5, 11, 1)]:
        yield Case(draw.ids(batch, seq, below=d_vocab), draw.normal(d_vocab, d_model))
    yield Case(torch.tensor([[1, 0]]), draw.normal(4, 2))  # the last tokens do not occur
    yield Case(torch.tensor([[1]]), draw.normal(2, 2))
    yield Case(draw.ids(2, 2, below=3), draw.normal(3, 2, scale=1e4))
    yield Case(torch.tensor([[1, 0]]), draw.normal(2, 2, dtype=torch.float64) / 3)


@embed_by_matmul.check(points=2)
def the_reference_embedding(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works with the reference's own W_E, of which 2,000 rows are taken."""
    # Not 50,257: torch.eye is a fair way to one-hot vectors, and would take 10 GB.
    yield Case(draw.ids(2, 6, below=2000), reference.W_E[:2000])


@embed_by_matmul.check(points=2, observe=observe.dtype)
def dtype_of_the_table(draw: Draw) -> Cases:
    """The result has the dtype of W_E."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        yield Case(draw.ids(2, 3, below=5), draw.normal(5, 4, dtype=dtype))


@embed_by_matmul.misconception
def float32_one_hot(tokens, W_E):
    """One-hot vectors in float32 whatever W_E is.

    It works for as long as W_E is float32, too. Weights also come in bfloat16 and float64, and a
    matrix product wants both sides in one dtype. Whose should give way?
    """
    return F.one_hot(tokens, W_E.shape[0]).float() @ W_E


@embed_by_matmul.misconception
def everything_in_float32(tokens, W_E):
    """The table turned to float32, and the result left so.

    The product works this way, but somebody who keeps the weights in bfloat16 or float64 wants the
    vectors in the same. Which side of the product is free to change its dtype?
    """
    return F.one_hot(tokens, W_E.shape[0]).float() @ W_E.float()


@embed_by_matmul.misconception
def as_long_as_the_largest_id(tokens, W_E):
    """One-hot vectors only as long as the largest id needs.

    Unless the last token of the vocabulary happens to occur, they are shorter than W_E has rows.
    What do you know the size of the vocabulary from?
    """
    return F.one_hot(tokens).to(W_E.dtype) @ W_E


@embed_by_matmul.misconception
def table_transposed(tokens, W_E):
    """The table turned on its side.

    The rows of W_E, one per token, are what should come out. Which of its two dimensions is summed
    over when a one-hot vector meets it?
    """
    return F.one_hot(tokens, W_E.shape[0]).to(W_E.dtype) @ W_E.T


# course forks: a name missing on the right of the einsum pattern.
@embed_by_matmul.misconception
def summed_over_positions(tokens, W_E):
    """The vectors of a sequence summed up.

    einsum sums over every dimension that is not named after the arrow. Which of them should be
    left when the vocabulary has gone?
    """
    one_hot_tokens = F.one_hot(tokens, W_E.shape[0]).to(W_E.dtype)
    return einsum(one_hot_tokens, W_E, "batch seq d_vocab, d_vocab d_model -> batch d_model")


@embed_by_matmul.misconception
def squeezed(tokens, W_E):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch: whoever calls this relies on three dimensions. Which line
    drops some of them?
    """
    return (F.one_hot(tokens, W_E.shape[0]).to(W_E.dtype) @ W_E).squeeze()


@embed_by_matmul.misconception
def one_hot_of_integers(tokens, W_E):
    """One-hot vectors of integers.

    F.one_hot counts in int64, and a matrix product wants both sides in one dtype. Which one should
    give way?
    """
    return F.one_hot(tokens, W_E.shape[0]) @ W_E


@embed_by_matmul.misconception
def batch_flattened(tokens, W_E):
    """The batch flattened to one long row of tokens.

    Each vector is the right one, but which sequence it belongs to is gone. The result should have
    the tokens' own dimensions, and d_model after them.
    """
    return (F.one_hot(tokens, W_E.shape[0]).to(W_E.dtype) @ W_E).flatten(0, 1)


@embed_by_matmul.misconception
def ids_multiplied(tokens, W_E):
    """The ids themselves multiplied with W_E.

    An id is a name, not an amount: token 4 is not twice token 2. Which vector of zeros and a one
    stands for it?
    """
    return tokens.to(W_E.dtype) @ W_E


@embed_by_matmul.misconception
def ids_from_1(tokens, W_E):
    """Ids counted from 1.

    Token 0 is there, too, and the first row of W_E is its own. Where is the 1 in its one-hot
    vector?
    """
    return torch.eye(W_E.shape[0], dtype=W_E.dtype, device=W_E.device)[tokens - 1] @ W_E


@embed_by_matmul.misconception
def everything_in_float64(tokens, W_E):
    """The result in float64.

    Ones and zeros are exact in any dtype, so nothing is gained, and the next product is an error
    where the other side is float32. Which dtype is asked for?
    """
    return F.one_hot(tokens, W_E.shape[0]).double() @ W_E.double()


@embed_by_matmul.misconception
def summed_over_the_batch(tokens, W_E):
    """The vectors of all sequences summed up.

    einsum sums over every dimension that is not named after the arrow. Which of them should be
    left when the vocabulary has gone?
    """
    one_hot_tokens = F.one_hot(tokens, W_E.shape[0]).to(W_E.dtype)
    return einsum(one_hot_tokens, W_E, "batch seq d_vocab, d_vocab d_model -> seq d_model")


@embed_by_matmul.misconception
def through_float32(tokens, W_E):
    """A product in float32, turned back afterwards.

    A float64 that has been through float32 has lost half of its digits. Which side of the product
    is free to change its dtype?
    """
    return (F.one_hot(tokens, W_E.shape[0]).float() @ W_E.float()).to(W_E.dtype)
