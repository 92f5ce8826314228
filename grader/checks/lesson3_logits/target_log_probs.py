"""What `target_log_probs` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from grader.checks import texts
from grader.checks.lesson3_logits.shared import BOS, SMALL, epsilons_in_the_log, of_gpt2s_size
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
    yield Case(torch.tensor([[[0.0, -torch.inf], [0.0, 0.0]]]), torch.tensor([[0, 1]]))
    yield Case(SMALL.repeat(1, 5, 1), torch.tensor([[4, 3, 2, 1, 0]]))
    # A token held impossible beside the target: no product with 0 makes it nothing.
    logits = torch.tensor([[[2.0, -torch.inf, 1.0], [0.0, 1.0, -torch.inf], [0.0, 0.0, 0.0]]])
    yield Case(logits, torch.tensor([[1, 2, 1]]))
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


# forum: how a log of 0 is mostly repaired
def by_the_log_of_the_softmax(logits, tokens, log):
    probs = logits[:, :-1].softmax(dim=-1)
    return log(probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1))


epsilons_in_the_log(
    target_log_probs,
    by_the_log_of_the_softmax,
    "a softmax",
    "That turns minus infinity into log({epsilon}), about {log}, whatever the true value is. Can "
    "you have the log without computing the probability?",
)


@target_log_probs.misconception
def infinity_replaced(logits, tokens):
    """Minus infinity replaced by a number.

    A token that the model holds impossible has a probability of 0, and the log of that is minus
    infinity. If it came nevertheless, what should the loss be?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1).nan_to_num()


@target_log_probs.misconception
def softmax_before_log_softmax(logits, tokens):
    """A log-softmax of what are probabilities already.

    log_softmax wants logits. Taken of numbers between 0 and 1 it makes all tokens about as likely.
    Which of the two functions is one too many?
    """
    log_probs = logits[:, :-1].softmax(dim=-1).log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def base_two(logits, tokens):
    """Logs of base 2.

    They count bits. A model's loss is made of natural logs, as log_softmax gives them. Which number
    do you divide by, or which function gives another base?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1) / math.log(2)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def rolled_and_not_cut(logits, tokens):
    """Tokens rolled by one, and nothing left out.

    What falls off at the front comes back at the end, so the last logits are held against the first
    token. How many of the logits have a target?
    """
    index = tokens.roll(-1, dims=1).unsqueeze(-1)
    return logits.log_softmax(dim=-1).gather(dim=-1, index=index).squeeze(-1)


@target_log_probs.misconception
def zero_for_the_first_token(logits, tokens):
    """A 0 for the first token, which has no prediction.

    That keeps the shape of tokens, but a log-probability of 0 says that the first token was
    certain. How many entries are there to be?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return F.pad(log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1), (1, 0))


@target_log_probs.misconception
def index_without_its_dimension(logits, tokens):
    """gather with an index of too few dimensions.

    The log-probabilities have three dimensions and the targets two. `gather` wants as many of both,
    and gives back the index's shape. What shape should the index have?
    """
    return logits[:, :-1].log_softmax(dim=-1).gather(dim=-1, index=tokens[:, 1:])


@target_log_probs.misconception
def gathered_along_the_positions(logits, tokens):
    """gather along the positions.

    The index holds token ids, and these count along the vocabulary. Along which dimension does your
    `gather` look them up?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def of_the_likeliest_token(logits, tokens):
    """The log-probability of the most likely token.

    That is how sure the model was, not how right. Of which token is the log-probability asked for,
    and which argument knows it?
    """
    return logits[:, :-1].log_softmax(dim=-1).amax(dim=-1)


@target_log_probs.misconception
def one_number_for_all(logits, tokens):
    """A mean over all of them.

    That is the way to a loss, and the next exercise. Here each target's log-probability is asked
    for by itself.
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).mean()


@target_log_probs.misconception
def one_number_per_sequence(logits, tokens):
    """A sum over each sequence.

    That is the log-probability of a whole text. Here that of each of its tokens is asked for by
    itself; which step takes the positions away?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1).sum(dim=1)


@target_log_probs.misconception
def both_cut_in_front(logits, tokens):
    """Both tensors cut in front, and nothing shifted.

    The shape is right, but each target is looked up in the logits at its own position, which have
    read it. At which end does each of the two lose one?
    """
    log_probs = logits[:, 1:].log_softmax(dim=-1)
    return log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


@target_log_probs.misconception
def product_with_one_hot(logits, tokens):
    """A product with one-hot vectors, in which 0 times minus infinity is NaN.

    A token that cannot come has a log-probability of minus infinity, and multiplying by 0 does not
    take that away. How do you pick the target's entry without touching the others?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return (log_probs * F.one_hot(tokens[:, 1:], logits.shape[-1])).sum(dim=-1)
