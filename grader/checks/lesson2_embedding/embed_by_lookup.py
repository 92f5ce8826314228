"""What `embed_by_lookup` of lesson 2 must do, and what people get wrong."""

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


embed_by_lookup = Exercise(
    "embed_by_lookup",
    hints=(
        "What does a tensor give back when its index is another tensor, of integers?",
        "The result has the shape of the index, with the rest of W_E's dimensions after it. So one "
        "pair of square brackets is enough, whatever the shape of the tokens.",
    ),
)


@embed_by_lookup.check(points=4)
def rows_of_the_table(draw: Draw) -> Cases:
    """Each token's vector is its row of W_E, for any number of dimensions."""
    yield Case(torch.tensor([2, 0, 2]), draw.normal(3, 2))
    yield Case(torch.tensor(1), draw.normal(3, 2))
    yield Case(torch.tensor([1, 0]), draw.normal(2, 2))
    yield Case(torch.tensor([2, 0]), draw.normal(3, 2, scale=1e4))
    yield Case(torch.tensor([1, 0]), 1e300 * draw.normal(2, 2, dtype=torch.float64))
    for shape in [(4,), (2, 3), (2, 1, 4)]:
        yield Case(draw.ids(*shape, below=6), draw.normal(6, 6))


@embed_by_lookup.check(points=3)
def the_reference_embedding(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works with the reference's own W_E."""
    yield Case(reference.to_tokens(draw.pick(texts.ODD)), reference.W_E)


@embed_by_lookup.check(points=3, observe=observe.gradients)
def gradients_reach_the_rows(draw: Draw) -> Cases:
    """A row's gradient is the sum over all places where its token occurs."""
    yield Case(torch.tensor([1]), draw.normal(2, 2))
    yield Case(torch.tensor([0]), draw.normal(2, 2))
    yield Case(torch.tensor([3, 0, 3]), draw.normal(4, 2))
    yield Case(torch.tensor([[0, 1, 2], [1, 0, 3]]), draw.normal(4, 2))  # none is left out
    yield Case(draw.ids(2, 5, below=4), draw.normal(6, 3))


@embed_by_lookup.misconception
def table_transposed(tokens, W_E):
    """Columns of W_E taken for its rows.

    Turned on its side, the table has one row per entry of the vectors, and ids run past its end.
    What does an id count in W_E as it is given?
    """
    return W_E.T[tokens]


@embed_by_lookup.misconception
def second_dimension_indexed(tokens, W_E):
    """The ids put into the second dimension of W_E.

    That dimension is d_model, the entries of a vector. Which dimension of W_E is there one of for
    each token?
    """
    return W_E[:, tokens]


# forum: Embedding.from_pretrained freezes unless told otherwise.
@embed_by_lookup.misconception
def frozen(tokens, W_E):
    """A table cut off from the gradient.

    The vectors are right, but nothing could be learned through them. `detach`, `.data` and
    `nn.Embedding.from_pretrained` all keep gradients out; is there any need for them?
    """
    return torch.nn.Embedding.from_pretrained(W_E)(tokens)


# forum: "gradient of my parameter is None".
@embed_by_lookup.misconception
def a_parameter_of_its_own(tokens, W_E):
    """A new Parameter wrapped round W_E.

    The gradient then ends at the new one, which is thrown away, and W_E never hears of it. What is
    the least you can do to W_E to get rows out of it?
    """
    return torch.nn.Parameter(W_E)[tokens]


# old API: vocabularies that begin with a padding token.
@embed_by_lookup.misconception
def token_0_as_padding(tokens, W_E):
    """Token 0 taken for padding, which never learns.

    With padding_idx set, a row is looked up like all others but gets no gradient. GPT-2 has no
    padding token: id 0 is an exclamation mark.
    """
    return F.embedding(tokens, W_E, padding_idx=0)


@embed_by_lookup.misconception
def one_dimension_only(tokens, W_E):
    """A lookup for a single sequence only.

    index_select takes one flat list of row numbers. Which way of indexing takes an index of any
    shape, and hands that shape on?
    """
    return torch.index_select(W_E, 0, tokens)


@embed_by_lookup.misconception
def batch_flattened(tokens, W_E):
    """The batch flattened to one long row of tokens.

    Each row of W_E is the right one, but which sequence it belongs to is gone. The result should
    have the tokens' own dimensions, and d_model after them.
    """
    return W_E[tokens.flatten()]


@embed_by_lookup.misconception
def no_token_by_itself(tokens, W_E):
    """A lookup that walks along a dimension which may not be there.

    A tensor without dimensions is a single token, and cannot be iterated over. Need you go through
    the tokens one by one at all?
    """
    return torch.stack([W_E[token] for token in tokens])


@embed_by_lookup.misconception
def last_token_as_padding(tokens, W_E):
    """The last token taken for padding, which never learns.

    GPT-2's last token stands between texts, and people pad with it, too; but it has a row of its
    own. Should that never get a gradient?
    """
    return F.embedding(tokens, W_E, padding_idx=W_E.shape[0] - 1)


@embed_by_lookup.misconception
def gradient_divided_by_the_count(tokens, W_E):
    """Gradients divided by how often a token occurs.

    scale_grad_by_freq makes a mean of what should be a sum. What flows back for each time a row was
    picked?
    """
    return F.embedding(tokens, W_E, scale_grad_by_freq=True)


@embed_by_lookup.misconception
def scaled(tokens, W_E):
    """Rows scaled by the square root of d_model.

    The Transformer of "Attention Is All You Need" does that to its embedding. GPT-2 takes the rows
    of the table as they are.
    """
    return W_E[tokens] * W_E.shape[1] ** 0.5


@embed_by_lookup.misconception
def length_1(tokens, W_E):
    """Rows brought to length 1.

    That is for comparing directions. What is a row of the table for a token, as it is?
    """
    return F.normalize(W_E, dim=-1)[tokens]


@embed_by_lookup.misconception
def each_token_once(tokens, W_E):
    """Each token looked up only once.

    A text repeats its tokens, and every place wants its vector. What do `unique` and sets leave
    out?
    """
    return W_E[tokens.unique()]


@embed_by_lookup.misconception
def ids_from_1(tokens, W_E):
    """Ids counted from 1.

    Token 0 is there, too, and the first row of W_E is its own. From which number does a tensor
    count its rows?
    """
    return W_E[tokens - 1]


@embed_by_lookup.misconception
def one_token_in_a_row(tokens, W_E):
    """A token that stands alone made a row of one.

    Without dimensions it has one vector, and not a list of vectors. Which line adds a dimension?
    """
    return W_E[torch.atleast_1d(tokens)]


@embed_by_lookup.misconception
def squeezed(tokens, W_E):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch: the result has the tokens' own dimensions, and d_model after
    them. Which line drops some?
    """
    return W_E[tokens].squeeze()


@embed_by_lookup.misconception
def floats_as_an_index(tokens, W_E):
    """Floats used as an index.

    An index says which row, and there is none between two rows. Which dtype have ids?
    """
    return W_E[tokens.float()]


@embed_by_lookup.misconception
def shape_taken_for_a_pair(tokens, W_E):
    """A shape of two dimensions taken for granted.

    Tokens come with any number of dimensions here, none included, and then their shape is not a
    pair. Which operation minds nothing but the last one, or none?
    """
    batch, seq = tokens.shape
    return W_E[tokens.flatten()].view(batch, seq, W_E.shape[1])


@embed_by_lookup.misconception
def long_rows_shortened(tokens, W_E):
    """Rows longer than 1 shortened, and in the table itself.

    max_norm of an embedding writes into its weights as they are looked up. What is a row of the
    table for a token, as it is?
    """
    return F.embedding(tokens, W_E, max_norm=1.0)


@embed_by_lookup.misconception
def two_loops(tokens, W_E):
    """Two loops, for a batch of sequences only.

    Tokens come with any number of dimensions here, none included. Need you go through them one by
    one at all?
    """
    return torch.stack([torch.stack([W_E[token] for token in row]) for row in tokens])


@embed_by_lookup.misconception
def rows_in_float32(tokens, W_E):
    """The rows in float32, whatever the table is in.

    Lists and new tensors are float32 unless told otherwise, which is too coarse for a float64, and
    too small. Need there be a new tensor at all?
    """
    return W_E.float()[tokens]
