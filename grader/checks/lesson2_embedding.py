"""Checks for lesson 2: embedding, positions, unembedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import einsum
from torch.nn import functional as F

from grader import observe
from grader.checks import texts
from grader.draw import Draw
from grader.exercise import Case, Cases, Exercise
from grader.reference import available_devices

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


one_hot = Exercise(
    "one_hot",
    hints=(
        "For a single token, which of the d_vocab entries is 1? Say it as a condition on the "
        "entry's index, and it need not be one token at a time.",
        "Compare the tokens with all the ids that there are: `torch.arange(d_vocab)`. Or look for "
        "a function in `torch.nn.functional`, and mind the dtype that it gives.",
        "`tokens[..., None]` has shape (..., 1) and broadcasts against the (d_vocab,) ids. Have "
        "these on the tokens' device, and make the True and False that come out float32.",
    ),
)


@one_hot.check(points=6)
def one_at_the_id(draw: Draw) -> Cases:
    """1.0 at each token's id, 0.0 elsewhere, for any number of dimensions."""
    yield Case(torch.tensor([2, 0]), d_vocab=3)
    yield Case(torch.tensor(1), d_vocab=4)
    for shape in [(5,), (2, 3), (2, 1, 4)]:
        yield Case(draw.ids(*shape, below=7), d_vocab=7)


@one_hot.check(points=2)
def the_whole_vocabulary_is_there(draw: Draw) -> Cases:
    """There is an entry for every token of the vocabulary, also for those that do not occur."""
    yield Case(torch.tensor([0, 1]), d_vocab=draw.integer(5, 9))
    yield Case(draw.ids(2, below=500), d_vocab=1000)  # not 50,257: torch.eye is a fair way, too


@one_hot.check(points=1, observe=observe.dtype)
def is_float32(draw: Draw) -> Cases:
    """The result is float32, so that it can be multiplied."""
    yield Case(draw.ids(2, 3, below=7), d_vocab=7)


@one_hot.check(points=1, observe=observe.device)
def stays_on_the_device(draw: Draw) -> Cases:
    """The result is on the device of the tokens."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=7).to(device), d_vocab=7)


@one_hot.misconception
def integers(tokens, d_vocab):
    """One-hot vectors of integers.

    The values are right, but F.one_hot counts in int64, and a product with float32 weights
    refuses that. Which dtype does the next step need?
    """
    return F.one_hot(tokens, d_vocab)


@one_hot.misconception
def as_long_as_the_largest_id(tokens, d_vocab):
    """One-hot vectors only as long as the largest id needs.

    Left to itself, F.one_hot guesses the number of classes from the tokens it happens to see. The
    vocabulary is the same whatever the text, and you were told its size.
    """
    return F.one_hot(tokens).float()


@one_hot.misconception
def as_long_as_the_largest_id_and_integers(tokens, d_vocab):
    """One-hot vectors of integers, only as long as the largest id needs.

    Two things are left to F.one_hot's own devices here: how many classes there are, which it
    guesses from the tokens, and the dtype, which is int64.
    """
    return F.one_hot(tokens)


# course forks: through numpy.eye, whose dtype stays.
@one_hot.misconception
def float64(tokens, d_vocab):
    """One-hot vectors in float64.

    Ones and zeros are exact in any dtype, so nothing is gained; but a product of float64 and
    float32 matrices is an error in PyTorch. Which dtype do weights have?
    """
    return torch.eye(d_vocab, dtype=torch.float64, device=tokens.device)[tokens]


# forum: "scatter_ gives several ones per row".
@one_hot.misconception
def one_bag_for_the_sequence(tokens, d_vocab):
    """One multi-hot vector for a whole sequence.

    All ones of a sequence went into the same vector, so its order is lost. Each token wants a
    vector of its own: what must the shape of the zeros be before you write into them?
    """
    zeros = torch.zeros(*tokens.shape[:-1], d_vocab, device=tokens.device)
    return zeros.scatter_(-1, tokens, 1.0)


@one_hot.misconception
def one_dimension_only(tokens, d_vocab):
    """One-hot vectors for a single sequence only.

    Writing a 1 into row i, column tokens[i] takes the tokens for a plain list. How would you say
    it for a batch, or for a token that stands alone?
    """
    out = torch.zeros(len(tokens), d_vocab, device=tokens.device)
    out[torch.arange(len(tokens), device=tokens.device), tokens] = 1.0
    return out


@one_hot.misconception
def batch_flattened(tokens, d_vocab):
    """The batch flattened to one long row of tokens.

    Each token has the right vector, but which sequence it came from is gone. The result has the
    tokens' own dimensions, and one more.
    """
    flat = tokens.flatten()
    out = torch.zeros(flat.numel(), d_vocab, device=tokens.device)
    out[torch.arange(flat.numel(), device=tokens.device), flat] = 1.0
    return out


# forum: segmentation and torchvision put classes first.
@one_hot.misconception
def vocabulary_first(tokens, d_vocab):
    """The vocabulary as the first dimension.

    That order is at home with images, where channels come first. Here each token should hold its
    own vector, so that the last dimension meets the rows of W_E.
    """
    ids = torch.arange(d_vocab, device=tokens.device)
    return (ids.view(-1, *[1] * tokens.ndim) == tokens).float()


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


unembed = Exercise(
    "unembed",
    hints=(
        "A token's logit is a dot product of the final vector and one column of W_U. How do you "
        "get all of them at once?",
        "A matrix product over d_model, for each batch and position by itself. b_U has one entry "
        "per token, so it broadcasts along the last dimension.",
    ),
)


@unembed.check(points=5)
def a_score_per_token(draw: Draw) -> Cases:
    """The product with W_U, at every position."""
    for batch, seq, d_model, d_vocab in [(1, 1, 2, 3), (2, 3, 4, 5), (3, 3, 3, 3)]:
        yield Case(
            draw.normal(batch, seq, d_model), draw.normal(d_model, d_vocab), torch.zeros(d_vocab)
        )


@unembed.check(points=2)
def adds_the_bias(draw: Draw) -> Cases:
    """b_U is added, one entry per token of the vocabulary."""
    yield Case(draw.normal(1, 2, 3), draw.normal(3, 5), draw.normal(5))
    yield Case(draw.normal(2, 4, 3), draw.normal(3, 4), draw.normal(4))


@unembed.check(points=3)
def the_reference_logits(draw: Draw, reference: TransformerBridge) -> Cases:
    """On what the reference's last LayerNorm gives out, it gives the reference's logits."""
    with torch.no_grad():
        _, cache = reference.run_with_cache(reference.to_tokens(draw.pick(texts.SENTENCES)))
    yield Case(cache["unembed.hook_in"], reference.W_U, reference.b_U)


@unembed.misconception
def no_bias(final, W_U, b_U):
    """Unembedding without the bias.

    On GPT-2 nobody would notice, for its b_U is zero. Other models have one; where does it go?
    """
    return final @ W_U


# course forks: W_U built as W_E is.
@unembed.misconception
def table_transposed(final, W_U, b_U):
    """The shape of W_U taken for that of W_E.

    W_E has a row per token, W_U a column per token: it is turned already. Which of its dimensions
    meets the last one of `final`?
    """
    return final @ W_U.T + b_U


@unembed.misconception
def last_position_only(final, W_U, b_U):
    """Scores for the last position only.

    That is enough to write the next token, but a model predicts at every position, and training
    uses all of it. What should the shape be?
    """
    return (final @ W_U + b_U)[:, -1]


@unembed.misconception
def probabilities(final, W_U, b_U):
    """Probabilities instead of logits.

    Softmax comes later, and by somebody else's hand: logits are what the matrix gives out, of any
    size and sign.
    """
    return (final @ W_U + b_U).softmax(dim=-1)


@unembed.misconception
def log_probabilities(final, W_U, b_U):
    """Log-probabilities instead of logits.

    They are logits too, with a constant taken off at each position. Here the scores are wanted as
    the product gives them out.
    """
    return (final @ W_U + b_U).log_softmax(dim=-1)


@unembed.misconception
def tokens_chosen(final, W_U, b_U):
    """The best token instead of a score for each.

    argmax throws away by how much it won. Which shape do scores for the whole vocabulary have?
    """
    return (final @ W_U + b_U).argmax(dim=-1)


@unembed.misconception
def normalised_again(final, W_U, b_U):
    """One LayerNorm too many.

    `final` is what the last LayerNorm gives out, so it has been normalised, scaled and shifted.
    What remains to be done is linear.
    """
    return F.layer_norm(final, final.shape[-1:]) @ W_U + b_U
