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
    for shape in [(4,), (2, 3), (2, 1, 4)]:
        yield Case(draw.ids(*shape, below=6), draw.normal(6, 6))


@embed_by_lookup.check(points=3)
def the_reference_embedding(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works with the reference's own W_E."""
    yield Case(reference.to_tokens(draw.pick(texts.ODD)), reference.W_E)


@embed_by_lookup.check(points=3, observe=observe.gradients)
def gradients_reach_the_rows(draw: Draw) -> Cases:
    """A row's gradient is the sum over all places where its token occurs."""
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
