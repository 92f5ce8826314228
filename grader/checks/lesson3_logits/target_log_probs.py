"""What `target_log_probs` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from grader.checks import texts
from grader.checks.lesson3_logits.shared import BOS, of_gpt2s_size
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


target_log_probs = Exercise(
    "target_log_probs",
    hints=(
        "Write down for four tokens which logits are about which token. Which position's logits "
        "have no target, and which token has no prediction?",
        "Log-probabilities over the vocabulary first. Then leave out the last position of one "
        "tensor and the first of the other, and `gather` one entry per position.",
        "`gather` wants an index with as many dimensions as the log-probabilities: give the "
        "shifted tokens a last dimension of size 1, and take just that dimension away again.",
    ),
)


@target_log_probs.check(points=5)
def of_the_token_that_came_next(draw: Draw) -> Cases:
    """Entry j is about token j + 1, and there is one entry less than tokens."""
    tokens = torch.tensor([[BOS, draw.integer(0, 999), BOS, draw.integer(0, 999)]])
    yield Case(of_gpt2s_size(draw, tokens).double(), tokens)  # an EOS is a target like any other
    for batch, seq, d_vocab in [(1, 2, 3), (1, 4, 4), (2, 3, 5), (4, 4, 4)]:
        logits = draw.normal(batch, seq, d_vocab, scale=2)
        yield Case(logits, draw.ids(batch, seq, below=d_vocab))


@target_log_probs.check(points=2)
def large_logits(draw: Draw) -> Cases:
    """Exact where the probability itself underflows."""
    yield Case(torch.tensor([[[0.0, 500.0], [0.0, 0.0]]]), torch.tensor([[1, 0]]))
    yield Case(draw.normal(2, 4, 5, scale=300), draw.ids(2, 4, below=5))


@target_log_probs.check(points=3)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions."""
    tokens = reference.to_tokens(draw.pick(texts.SENTENCES))
    with torch.no_grad():
        logits = reference(tokens)
    # In float32 PyTorch's own cross_entropy over 50,257 transposed logits is off by 3e-4. (Some
    # devices have no float64.)
    yield Case(logits.cpu().double(), tokens.cpu())


@target_log_probs.misconception
def not_shifted(logits, tokens):
    """Logits paired with the token they have just read.

    What position j predicts is token j + 1, not its own, so a text of n tokens has n - 1 targets.
    Which logits and which token are left over?
    """
    log_probs = logits.log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens.unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def cut_but_not_shifted(logits, tokens):
    """Both tensors cut at the end, and nothing shifted.

    The shape is right, but position j is still paired with token j, which it has read. At which
    end does each of the two lose one?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, :-1].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def shifted_the_wrong_way(logits, tokens):
    """A shift the wrong way.

    Here the logits at position j + 1 are asked about token j, which they have read long ago. Which
    token comes after position j?
    """
    log_probs = logits[:, 1:].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, :-1].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def probabilities(logits, tokens):
    """Probabilities in place of their logs.

    They are of the right tokens, but a loss is made of logs, and a product of thousands of these
    would be 0. Which function gives logs at once?
    """
    probs = logits[:, :-1].softmax(dim=-1)
    return probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def log_of_the_softmax(logits, tokens):
    """The log of a softmax.

    A probability of 1e-50 is 0 in a float32, and its log minus infinity. Can you have the log
    without computing the probability?
    """
    probs = logits[:, :-1].softmax(dim=-1)
    return probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1).log()


# forum: how a log of 0 is mostly repaired
@target_log_probs.misconception
def epsilon_in_the_log(logits, tokens):
    """The log of a softmax with a small number added.

    That turns minus infinity into log(1e-9), about -20.7, whether the true value is -25 or -1000.
    Can you have the log without computing the probability?
    """
    probs = logits[:, :-1].softmax(dim=-1)
    chosen = probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return torch.log(chosen + 1e-9)


@target_log_probs.misconception
def logits_as_they_are(logits, tokens):
    """Logits in place of log-probabilities.

    They are of the right tokens, but a logit says something only beside the other logits of its
    position. What makes log-probabilities of them?
    """
    return logits[:, :-1].gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def softmax_over_the_positions(logits, tokens):
    """A log-softmax taken over the positions.

    Tokens of the vocabulary compete with one another, positions do not. Along which dimension do
    the probabilities have to add up to one?
    """
    log_probs = logits.log_softmax(dim=1)[:, :-1]
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def last_dimension_kept(logits, tokens):
    """A last dimension of size 1 left over from gather.

    The numbers are right. `gather` gives back the shape of its index: which dimension did you add
    to that?
    """
    return logits[:, :-1].log_softmax(dim=-1).gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1))


@target_log_probs.misconception
def every_dimension_squeezed(logits, tokens):
    """Squeeze without a dimension, which takes them all.

    For a batch of one, or a text of two tokens, more goes than the dimension you added. How do you
    say which one is to go?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze()


@target_log_probs.misconception
def losses(logits, tokens):
    """Losses in place of log-probabilities.

    The two differ by their sign. Can the logarithm of a probability be above 0?
    """
    targets = tokens[:, 1:]
    flat = F.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none"
    )
    return flat.reshape(targets.shape)


# forum: ignore_index set to the padding's id, which is that of EOS
@target_log_probs.misconception
def eos_ignored(logits, tokens):
    """Every <|endoftext|> ignored as if it were padding.

    In the middle of a text it is a token that the model has to foresee, like any other. Nothing
    here is padding; and can an id tell what is?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return chosen.masked_fill(tokens[:, 1:] == BOS, 0.0)


# forum: advanced indexing mixed with a slice
@target_log_probs.misconception
def every_sequence_with_every_target(logits, tokens):
    """Every sequence's predictions, looked up for every sequence's targets.

    A colon before index tensors means all of the batch for each of them, so the result has a
    dimension too many. Which index says that sequence b goes with the targets of b?
    """
    log_probs = logits.log_softmax(dim=-1)
    return log_probs[:, torch.arange(tokens.shape[1] - 1), tokens[:, 1:]]
