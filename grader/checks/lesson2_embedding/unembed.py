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
