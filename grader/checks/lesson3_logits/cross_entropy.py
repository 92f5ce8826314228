"""What `cross_entropy` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.checks.lesson3_logits.shared import BOS, PICKS, epsilons_in_the_log, of_gpt2s_size
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


cross_entropy = Exercise(
    "cross_entropy",
    forbids=Forbidden(torch=PICKS),
    hints=(
        "There is one loss per target. Whose mask entry decides whether it counts: that of the "
        "position which predicts, or that of the token which is predicted?",
        "Shift the mask as you shift the tokens. Then one sum over all losses that count, "
        "divided by how many count.",
        "With `target_log_probs` and `attention_mask[:, 1:]` of equal shape, either multiply "
        "and divide by the mask's sum, or select by a boolean mask and take the mean. Mind the "
        "sign.",
    ),
)


def padded(draw: Draw, lengths: list[int], d_vocab: int, pad: int) -> Case:
    """Random logits and tokens; row i has so many tokens and then padding."""
    seq = max(lengths)
    mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()
    tokens = draw.ids(len(lengths), seq, below=d_vocab).where(mask == 1, torch.tensor(pad))
    return Case(draw.normal(len(lengths), seq, d_vocab, scale=2), tokens, mask)


@cross_entropy.check(points=5)
def mean_over_targets(draw: Draw) -> Cases:
    """Without padding: minus the mean log-probability of the tokens that came next."""
    yield padded(draw, [2], 3, pad=0)
    yield padded(draw, [3], 2, pad=0)
    yield padded(draw, [4, 4], 4, pad=0)
    yield padded(draw, [5, 5, 5], 7, pad=0)


@cross_entropy.check(points=6)
def padding_does_not_count(draw: Draw) -> Cases:
    """A target that is padding adds nothing, and every other target counts the same."""
    yield padded(draw, [3, 2], 4, pad=3)
    yield padded(draw, [6, 2, 4], 5, pad=0)
    yield padded(draw, [5, 1], 5, pad=4)


@cross_entropy.check(points=3)
def the_mask_decides(draw: Draw) -> Cases:
    """A target with the padding's id counts where the mask says that it is text."""
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    logits = draw.normal(2, 4, 5, scale=2)
    yield Case(logits, torch.tensor([[4, 1, 2, 4], [4, 3, 4, 4]]), mask)
    # As GPT-2 is padded: with the token that also ends a text, and begins the next.
    a, b, c = draw.shuffled(range(1000))[:3]
    tokens = torch.tensor([[BOS, a, BOS, b], [BOS, c, BOS, BOS]])
    yield Case(of_gpt2s_size(draw, tokens), tokens, mask)


@cross_entropy.check(points=2)
def large_logits(draw: Draw) -> Cases:
    """Exact where a probability underflows to 0."""
    logits = torch.tensor([[[0.0, 200.0], [0.0, 0.0], [0.0, 0.0]]])
    yield Case(logits, torch.tensor([[1, 0, 0]]), torch.ones(1, 3).long())
    logits = torch.tensor([[[0.0, 1.0], [0.0, 200.0], [0.0, 0.0]]])  # of a target that is padding
    yield Case(logits, torch.tensor([[1, 1, 0]]), torch.tensor([[1, 1, 0]]))
    logits = torch.tensor([[[0.0, -torch.inf], [0.0, 0.0], [0.0, 0.0]]])  # nothing is dropped
    yield Case(logits, torch.tensor([[0, 1, 0]]), torch.ones(1, 3).long())
    # A token held impossible beside the target: no product with 0 makes it nothing.
    logits = torch.tensor([[[2.0, -torch.inf, 1.0], [0.0, 1.0, -torch.inf], [0.0, 0.0, 0.0]]])
    yield Case(logits, torch.tensor([[1, 2, 1]]), torch.ones(1, 3).long())
    args, kwargs = padded(draw, [5, 3], 4, pad=0).arguments()
    yield Case(args[0] * 200, *args[1:], **kwargs)


@cross_entropy.check(points=2)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It gives the reference's loss on a text."""
    tokens = reference.to_tokens(draw.pick(texts.SENTENCES))
    with torch.no_grad():
        yield Case(reference(tokens), tokens, torch.ones_like(tokens))


@cross_entropy.check(points=2, observe=observe.gradients)
def gradients_flow(draw: Draw) -> Cases:
    """The gradient with respect to the logits is that of the loss."""
    yield padded(draw, [3, 2], 4, pad=0)


@cross_entropy.misconception
def padding_counts(logits, tokens, attention_mask):
    """A mean over all targets, padding included.

    The model is blamed here for not foreseeing padding, which nobody wants it to learn. What does
    the mask tell you about each target?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).mean()


# forum: labels of -100 wherever the id is that of padding, which is that of EOS
@cross_entropy.misconception
def padding_told_by_its_id(logits, tokens, attention_mask):
    """Padding told by the id 50256, and not by the mask.

    GPT-2 is padded with the token that also ends a text. That one has to be foreseen, and other
    models pad with another. Which argument knows what is padding?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return losses[tokens[:, 1:] != BOS].mean()


@cross_entropy.misconception
def eos_thrown_away_with_the_padding(logits, tokens, attention_mask):
    """Every <|endoftext|> left out, padding or not.

    The mask leaves padding out already. Where it is 1, <|endoftext|> ends a text, and a model that
    never learns to foresee it never stops.
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return losses[(attention_mask[:, 1:] == 1) & (tokens[:, 1:] != BOS)].mean()


@cross_entropy.misconception
def padding_in_the_denominator(logits, tokens, attention_mask):
    """Padding left out of the sum but not of the count.

    A loss set to 0 still counts when the mean divides by all of them, so more padding looks like a
    better model. How many targets does the mask leave?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return (losses * attention_mask[:, 1:]).mean()


@cross_entropy.misconception
def mask_of_the_predicting_position(logits, tokens, attention_mask):
    """The mask of the position that predicts.

    The last real token of a row predicts padding, and here that counts. The mask belongs to
    tokens, and tokens are the targets: shift it as you shift them.
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, :-1]
    return (losses * mask).sum() / mask.sum()


@cross_entropy.misconception
def tokens_counted_for_targets(logits, tokens, attention_mask):
    """A sum divided by the number of tokens.

    The first token of each row is predicted by nothing, so there are fewer losses than tokens. How
    many terms does your sum have?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return (losses * attention_mask[:, 1:]).sum() / attention_mask.sum()


@cross_entropy.misconception
def mean_of_row_means(logits, tokens, attention_mask):
    """A mean of the rows' means.

    A token of a short text weighs more here than one of a long text, and a row without any target
    divides by 0. Every target is to count the same.
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, 1:]
    return ((losses * mask).sum(dim=1) / mask.sum(dim=1)).mean()


@cross_entropy.misconception
def a_sum(logits, tokens, attention_mask):
    """The sum of the losses in place of their mean.

    It grows with the length of the text, so two texts cannot be compared by it. Divide by what?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return (losses * attention_mask[:, 1:]).sum()


@cross_entropy.misconception
def sign_forgotten(logits, tokens, attention_mask):
    """A loss without its minus sign.

    Log-probabilities are below 0, and the better the model the nearer to it. Training makes a loss
    small: which way would it push this one?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, 1:]
    return (chosen * mask).sum() / mask.sum()


@cross_entropy.misconception
def not_shifted(logits, tokens, attention_mask):
    """Logits paired with the token they have just read.

    This measures how well the model repeats its input. What position j predicts is token j + 1:
    which logits and which token are left over?
    """
    log_probs = logits.log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens.unsqueeze(-1)).squeeze(-1)
    return (losses * attention_mask).sum() / attention_mask.sum()


@cross_entropy.misconception
def shifted_the_wrong_way(logits, tokens, attention_mask):
    """A shift the wrong way.

    Here the logits at position j + 1 are asked about token j, which they have read long ago. Which
    token comes after position j?
    """
    log_probs = logits[:, 1:].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, :-1].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, :-1]
    return (losses * mask).sum() / mask.sum()


@cross_entropy.misconception
def log_of_the_softmax(logits, tokens, attention_mask):
    """The log of a softmax.

    A probability of 1e-50 is 0 in a float32, and its log minus infinity; times a mask of 0 that is
    not even a number. Can you have the log without computing the probability?
    """
    probs = logits[:, :-1].softmax(dim=-1)
    losses = -probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1).log()
    mask = attention_mask[:, 1:]
    return (losses * mask).sum() / mask.sum()


@cross_entropy.misconception
def cut_off_from_the_gradient(logits, tokens, attention_mask):
    """A loss cut off from the gradient.

    `item` and `detach` are for printing a loss. To train on it, it has to remember which logits it
    came from.
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, 1:]
    return ((losses * mask).sum() / mask.sum()).item()


# forum: padding masked in what goes in, and not in what is averaged
@cross_entropy.misconception
def logits_masked(logits, tokens, attention_mask):
    """Logits of padding set to 0.

    Equal logits are no missing prediction but a uniform one, and its loss is log d_vocab. What has
    to be left out is the loss, and of the targets that are padding.
    """
    logits = logits * attention_mask.unsqueeze(-1)
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).mean()


# forum: chatbots' masked losses
@cross_entropy.misconception
def log_of_the_softmax_selected(logits, tokens, attention_mask):
    """The log of a softmax, where the mask is 1.

    A probability of 1e-50 is 0 in a float32, and its log minus infinity. Can you have the log
    without computing the probability?
    """
    probs = logits[:, :-1].softmax(dim=-1).gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1))
    return -probs.squeeze(-1).log()[attention_mask[:, 1:] == 1].mean()


def mean_of(log_probs, attention_mask):
    return -log_probs[attention_mask[:, 1:] == 1].mean()


# forum: how a log of 0 is mostly repaired
def by_the_log_of_the_softmax(logits, tokens, attention_mask, log):
    probs = logits[:, :-1].softmax(dim=-1)
    chosen = probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(log(chosen), attention_mask)


epsilons_in_the_log(
    cross_entropy,
    by_the_log_of_the_softmax,
    "a softmax",
    "That turns minus infinity into log({epsilon}), about {log}, whatever the true value is. Can "
    "you have the log without computing the probability?",
    clamped=False,
)


@cross_entropy.misconception
def infinite_losses_left_out(logits, tokens, attention_mask):
    """Infinite losses left out of the mean.

    If the model holds a token impossible and it comes, that is the worst that can happen, and here
    it is forgotten. Of which targets does the mask say that they do not count?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -chosen[(attention_mask[:, 1:] == 1) & chosen.isfinite()].mean()


@cross_entropy.misconception
def softmax_before_log_softmax(logits, tokens, attention_mask):
    """A log-softmax of what are probabilities already.

    log_softmax wants logits. Taken of numbers between 0 and 1 it makes all tokens about as likely.
    Which of the two functions is one too many?
    """
    log_probs = logits[:, :-1].softmax(dim=-1).log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask)


@cross_entropy.misconception
def probabilities_in_place_of_logs(logits, tokens, attention_mask):
    """Minus the mean probability.

    Whether an impossible token or a merely unlikely one comes is all the same to it. What is a
    loss the mean of: probabilities or their logs?
    """
    probs = logits[:, :-1].softmax(dim=-1)
    chosen = probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask)


@cross_entropy.misconception
def logits_as_they_are(logits, tokens, attention_mask):
    """Logits in place of log-probabilities.

    They are of the right tokens, but a logit says something only beside the other logits of its
    position. What makes log-probabilities of them?
    """
    chosen = logits[:, :-1].gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask)


@cross_entropy.misconception
def softmax_over_the_positions(logits, tokens, attention_mask):
    """A log-softmax taken over the positions.

    Tokens of the vocabulary compete with one another, positions do not. Along which dimension do
    the probabilities have to add up to one?
    """
    log_probs = logits.log_softmax(dim=1)[:, :-1]
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask)


@cross_entropy.misconception
def base_two(logits, tokens, attention_mask):
    """A loss in bits.

    Logs of base 2 count bits. A model's loss is made of natural logs, as log_softmax gives them.
    Which number do you divide by, or which function gives another base?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1) / math.log(2)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask)


@cross_entropy.misconception
def exponentiated(logits, tokens, attention_mask):
    """The perplexity, which is the exponential of the loss.

    It says the same as a number of tokens. Asked for is the loss itself; what comes after the mean
    that should not?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return mean_of(chosen, attention_mask).exp()


@cross_entropy.misconception
def cut_but_not_shifted(logits, tokens, attention_mask):
    """Both tensors cut at the end, and nothing shifted.

    The shapes fit, but position j is still paired with token j, which it has read. At which end
    does each of the two lose one?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, :-1].unsqueeze(-1)).squeeze(-1)
    return -chosen[attention_mask[:, :-1] == 1].mean()


@cross_entropy.misconception
def one_loss_per_target(logits, tokens, attention_mask):
    """A loss for each target, and no mean.

    They are right, but training wants one number to make smaller. How do you put together those
    that count?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -chosen * attention_mask[:, 1:]


@cross_entropy.misconception
def one_loss_per_row(logits, tokens, attention_mask):
    """A mean loss for each row.

    One number is wanted for the whole batch, in which every target counts the same, whatever row
    it is in. Over which dimensions do you sum, and by how many do you divide?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    mask = attention_mask[:, 1:]
    return -(chosen * mask).sum(dim=1) / mask.sum(dim=1)


@cross_entropy.misconception
def mean_of_row_sums(logits, tokens, attention_mask):
    """A mean over the rows of their sums.

    It grows with the length of the texts. The sum of all losses is right above the line: how many
    of them are there?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -(chosen * attention_mask[:, 1:]).sum(dim=1).mean()


@cross_entropy.misconception
def mask_as_long_as_the_tokens(logits, tokens, attention_mask):
    """Losses multiplied by a mask that is one longer.

    There is one loss less than tokens, but a mask entry for each token. Which one of them belongs
    to no target?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -(chosen * attention_mask).sum() / attention_mask.sum()


@cross_entropy.misconception
def selected_by_a_mask_too_long(logits, tokens, attention_mask):
    """Losses selected by a mask that is one longer.

    There is one loss less than tokens, but a mask entry for each token. Which one of them belongs
    to no target?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -chosen[attention_mask == 1].mean()


@cross_entropy.misconception
def mask_taken_for_indices(logits, tokens, attention_mask):
    """A mask of whole numbers used as an index.

    Only truth values select. Zeros and ones are taken for numbers of rows, so that rows 0 and 1
    come back over and over. What makes truth values of the mask?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -chosen[attention_mask[:, 1:]].mean()


@cross_entropy.misconception
def padding_told_by_id_0(logits, tokens, attention_mask):
    """Padding told by the id 0, and not by the mask.

    In GPT-2's vocabulary 0 is the exclamation mark, and other models pad with another. Which
    argument knows what is padding?
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    chosen = log_probs.gather(dim=-1, index=tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -chosen[tokens[:, 1:] != 0].mean()


@cross_entropy.misconception
def product_with_one_hot(logits, tokens, attention_mask):
    """A product with one-hot vectors, in which 0 times minus infinity is NaN.

    A token that cannot come has a log-probability of minus infinity, and multiplying by 0 does not
    take that away. How do you pick the target's entry without touching the others?
    """
    one_hot = torch.nn.functional.one_hot(tokens[:, 1:], logits.shape[-1])
    log_probs = (logits[:, :-1].log_softmax(dim=-1) * one_hot).sum(dim=-1)
    return mean_of(log_probs, attention_mask)
