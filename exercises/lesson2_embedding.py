"""Lesson 2: embedding, from ids to vectors and back.

A network cannot do much with the number 995. Nothing about it says " world", and 996 is not a bit
more of the same. So the first thing a transformer does is to look the id up in a table that has
one learned vector per token, the embedding matrix W_E:

    W_E = [ <-    v_0     -> ]
          [ <-    v_1     -> ]        d_vocab rows, one per token
          [       ...        ]        d_model columns
          [ <- v_(d_vocab-1) -> ]

The rows begin as random numbers. Whatever " king" and " queen" come to have in common is put there
by training, and nothing ties together "Ralph", " Ralph" and " ralph" either.

What you will be able to do
---------------------------
- Show that looking up a row and multiplying by a one-hot vector are the same thing, and say
  which of them to write.
- Build the very first activation of GPT-2 with your own hands and find it inside the live model.
- Turn the last activation into one score per token.

A lookup is a matrix product
----------------------------
Let $t$ be the one-hot vector of a token: zeros, and a single 1 at the token's id. Then $t W_E$ adds
up all rows of W_E, each times zero except for one: the token's own row comes out. This is why
theory can treat embedding as a linear map like all others, while code indexes: for GPT-2 small the
one-hot vector has 50,257 entries, all but one of them a waste of time.

Positions
---------
Attention (a later lesson) sees its inputs as a set; order has to be written into the vectors
themselves. GPT-2 has a second table W_pos, one learned vector per position up to 1,024, and adds
its row to the token's. The sum is what enters the first block, and TransformerLens calls it
`blocks.0.hook_resid_pre`.

Unembedding
-----------
At the far end a vector per position comes out, and one more matrix turns it into d_vocab scores:
W_U, d_model by d_vocab. In GPT-2 it is W_E turned on its side (the embedding is *tied*): the score
of a token is the dot product of the final vector with the token's own embedding. Those scores are
the logits, and the next lesson is about them.

Key takeaways
-------------
- An embedding is a lookup table; looking up is multiplying by a one-hot vector.
- Tokens are unrelated until training relates them.
- Position enters by addition.
- Ids in, vectors through, scores out: everything between is arithmetic on vectors.

`python exercises/lesson2_embedding.py` draws what your solved functions find, see the end.
"""

from __future__ import annotations

import torch  # noqa: F401 you will want it
from jaxtyping import Float, Int
from torch import Tensor


def one_hot(tokens: Int[Tensor, "..."], d_vocab: int) -> Float[Tensor, "... d_vocab"]:
    """Easy, 5 minutes. For each token a vector of zeros with a single 1.0 at its id.

    Works for any number of dimensions, none included. dtype float32, ready to be multiplied; the
    device is that of the tokens.

    >>> one_hot(torch.tensor([2, 0]), d_vocab=3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    raise NotImplementedError


def embed_by_matmul(
    tokens: Int[Tensor, "batch seq"], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "batch seq d_model"]:
    """Easy, 10 minutes. Embed tokens by multiplying their one-hot vectors with W_E.

    Try it with `einops.einsum`, which lets you name the dimensions. Same dtype as W_E.

    >>> W_E = torch.tensor([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]])
    >>> embed_by_matmul(torch.tensor([[2, 0]]), W_E)
    tensor([[[2.0000, 2.1000],
             [0.0000, 0.1000]]])
    """
    raise NotImplementedError


def embed_by_lookup(
    tokens: Int[Tensor, "..."], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "... d_model"]:
    """Very easy, 3 minutes. Embed tokens by picking rows of W_E.

    Works for any number of dimensions. Same dtype as W_E. A gradient flows back into the rows
    that were picked, once for each time they were.

    >>> W_E = torch.tensor([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]])
    >>> embed_by_lookup(torch.tensor([2, 0, 2]), W_E)
    tensor([[2.0000, 2.1000],
            [0.0000, 0.1000],
            [2.0000, 2.1000]])
    """
    raise NotImplementedError


def embed_with_positions(
    tokens: Int[Tensor, "batch seq"],
    W_E: Float[Tensor, "d_vocab d_model"],
    W_pos: Float[Tensor, "n_ctx d_model"],
) -> Float[Tensor, "batch seq d_model"]:
    """Medium, 10 minutes. The vectors that enter GPT-2's first block.

    The embedding of each token plus the vector of its position; the first token of each sequence
    is at position 0. W_pos has rows for n_ctx positions, of which the first seq are used. W_E and
    W_pos stay as they are.

    >>> W_E = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    >>> W_pos = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    >>> embed_with_positions(torch.tensor([[1, 0]]), W_E, W_pos)
    tensor([[[1.1000, 1.2000],
             [0.3000, 0.4000]]])
    """
    raise NotImplementedError


def unembed(
    final: Float[Tensor, "batch seq d_model"],
    W_U: Float[Tensor, "d_model d_vocab"],
    b_U: Float[Tensor, "d_vocab"],
) -> Float[Tensor, "batch seq d_vocab"]:
    """Easy, 5 minutes. Logits: a score for every token of the vocabulary at every position.

    `final` is what the last LayerNorm gives out. b_U is a bias per token (all zeros in GPT-2, but
    do add it).

    >>> final = torch.tensor([[[1.0, 2.0]]])
    >>> W_U = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    >>> unembed(final, W_U, b_U=torch.tensor([0.0, 0.0, 10.0]))
    tensor([[[ 1.,  2., 13.]]])
    """
    raise NotImplementedError


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    pictures.similarities(embed_by_lookup, model, tokenizer, " king queen man woman sun moon Ralph")
