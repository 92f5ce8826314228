"""What `unembed` of lesson 2 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


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
    # A logit may be of any size.
    yield Case(draw.normal(1, 2, 3, scale=1e6), draw.normal(3, 4), torch.zeros(4))


@unembed.check(points=2)
def adds_the_bias(draw: Draw) -> Cases:
    """b_U is added, one entry per token of the vocabulary."""
    yield Case(torch.tensor([[[1.0, -1.0]]]), draw.normal(2, 3), torch.tensor([1.0, -1.0, 0.0]))
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


@unembed.misconception
def bias_taken_off(final, W_U, b_U):
    """The bias taken off, not added.

    A token with a high bias should get a higher score for it. Which sign has b_U?
    """
    return final @ W_U - b_U


@unembed.misconception
def bias_added_to_the_vectors(final, W_U, b_U):
    """The bias added before the product.

    b_U has an entry per token, and the vectors have d_model. Which side of the product has one per
    token?
    """
    return (final + b_U) @ W_U


@unembed.misconception
def mean_of_the_bias(final, W_U, b_U):
    """One bias for all tokens.

    A constant for all of them would change nothing in the end. What does each entry of b_U belong
    to?
    """
    return final @ W_U + b_U.mean()


@unembed.misconception
def scaled(final, W_U, b_U):
    """Logits divided by the square root of d_model.

    Attention does so to its scores, and some models with tied embeddings to their logits. GPT-2
    takes the product as it is.
    """
    return (final @ W_U + b_U) / final.shape[-1] ** 0.5


# TransformerLens: center_unembed
@unembed.misconception
def centred(final, W_U, b_U):
    """Logits with their mean taken off.

    After softmax nobody could tell, and some libraries do it to W_U once and for all. Here the
    scores are wanted as the product gives them out.
    """
    logits = final @ W_U + b_U
    return logits - logits.mean(dim=-1, keepdim=True)


@unembed.misconception
def highest_taken_off(final, W_U, b_U):
    """Logits with the highest taken off.

    That is a step of softmax, which is to come. Here the scores are wanted as the product gives
    them out.
    """
    logits = final @ W_U + b_U
    return logits - logits.amax(dim=-1, keepdim=True)


@unembed.misconception
def limited(final, W_U, b_U):
    """Logits kept within limits.

    Some models cap them, so that training stays calm. GPT-2 does not: which sizes may a score
    have?
    """
    return (final @ W_U + b_U).clamp(-100, 100)


@unembed.misconception
def last_position_kept_in_a_row(final, W_U, b_U):
    """Scores for the last position only, as a sequence of one.

    That is enough to write the next token, but a model predicts at every position, and training
    uses all of it. What should the shape be?
    """
    return final[:, -1:] @ W_U + b_U


@unembed.misconception
def mean_over_positions(final, W_U, b_U):
    """Scores averaged over positions.

    That is for giving a whole text one label. A model of language predicts at every position; what
    should the shape be?
    """
    return (final @ W_U + b_U).mean(dim=1)


@unembed.misconception
def squeezed(final, W_U, b_U):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch: whoever calls this relies on three dimensions. Which line
    drops some of them?
    """
    return (final @ W_U + b_U).squeeze()


@unembed.misconception
def batch_flattened(final, W_U, b_U):
    """The batch flattened to one long row of positions.

    Each score is the right one, but which sequence it belongs to is gone. The result should have
    three dimensions.
    """
    return (final @ W_U + b_U).flatten(0, 1)
