"""Checks for lesson 3: softmax, loss, causality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from grader import observe
from grader.checks import texts
from grader.draw import Draw
from grader.exercise import Case, Cases, Exercise
from grader.forbidden import Forbidden
from grader.models import ToyModel
from grader.near_ties import clear

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer

BOS = 50256
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def any_dim_cases(draw: Draw) -> Cases:
    yield Case(draw.normal(3), dim=0)
    yield Case(draw.normal(3, 3), dim=0)
    for shape in [(2, 3), (2, 3, 4), (3, 3, 3), (1, 4)]:
        for dim in range(-len(shape), len(shape)):
            yield Case(draw.normal(*shape, scale=3), dim=dim)


def large_logit_cases(draw: Draw) -> Cases:
    yield Case(torch.tensor([0.0, 1000.0]), dim=0)
    yield Case(torch.tensor([-1000.0, -1001.0]), dim=0)
    # Rows far apart from each other: one maximum for the whole tensor is not enough.
    yield Case(draw.normal(3, 4) + torch.tensor([[-500.0], [0.0], [500.0]]), dim=1)
    yield Case(draw.normal(3, 4) + torch.tensor([-300.0, 0.0, 300.0, 600.0]), dim=0)
    yield Case(draw.normal(2, 3, 4, scale=200), dim=-1)


def minus_infinity_cases(draw: Draw) -> Cases:
    yield Case(torch.tensor([0.0, -torch.inf, 1.0]), dim=0)
    masked = draw.normal(4, 4).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    yield Case(masked, dim=-1)


def half_precision_cases(draw: Draw) -> Cases:
    yield Case(torch.tensor([60000.0, 59936.0, 0.0], dtype=torch.float16), dim=0)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        yield Case(draw.normal(2, 5, scale=4, dtype=dtype), dim=1)


def dtype_cases(draw: Draw) -> Cases:
    for dtype in FLOATS:
        yield Case(draw.normal(2, 3, dtype=dtype), dim=-1)


def gradient_cases(draw: Draw) -> Cases:
    yield Case(draw.normal(3), dim=0)
    yield Case(draw.normal(2, 4), dim=0)
    yield Case(draw.normal(2, 3, 4), dim=1)


softmax = Exercise(
    "softmax",
    forbids=Forbidden(torch=("softmax", "softmin")),
    hints=(
        "Which values must add up to one: all of them, or those along `dim`? And what is the "
        "largest float32 that exp can still give?",
        "Adding a constant to all logits along `dim` changes nothing. Subtract one that makes "
        "the largest of them 0, and keep the reduced dimension so that shapes still fit.",
        "`amax` and `sum` both take a dimension and `keepdim=True`. Take the maximum out, "
        "exponentiate, divide by the sum; make new tensors all along.",
    ),
)


@softmax.check(points=5)
def any_dim(draw: Draw) -> Cases:
    """exp(x) over its sum along the given dimension, whichever that is."""
    yield from any_dim_cases(draw)


@softmax.check(points=6)
def large_logits(draw: Draw) -> Cases:
    """Nothing overflows, however large the logits and however far apart the rows."""
    yield from large_logit_cases(draw)


@softmax.check(points=2)
def minus_infinity(draw: Draw) -> Cases:
    """A logit of minus infinity has probability 0."""
    yield from minus_infinity_cases(draw)


@softmax.check(points=2)
def other_float_types(draw: Draw) -> Cases:
    """Right, to their own precision, for float16, bfloat16 and float64, too."""
    yield from half_precision_cases(draw)


@softmax.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """The result has the dtype of `x`."""
    yield from dtype_cases(draw)


@softmax.check(points=3, observe=observe.gradients)
def gradients_flow(draw: Draw) -> Cases:
    """The gradient with respect to `x` is that of the softmax."""
    yield from gradient_cases(draw)


@softmax.check(points=1, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield from dtype_cases(draw)


@softmax.misconception
def no_maximum_subtracted(x, dim):
    """Softmax without the maximum subtracted.

    exp of a logit of 100 is more than a float32 can hold. What may you subtract from all logits
    without changing the result?
    """
    exp = torch.exp(x)
    return exp / exp.sum(dim=dim, keepdim=True)


# forum: the usual one-dimensional recipe, taken to a batch
@softmax.misconception
def one_maximum_for_all(x, dim):
    """Softmax with one maximum for the whole tensor.

    A row whose logits all lie far below those of another row underflows to 0 / 0. Whose maximum
    does each distribution need?
    """
    exp = torch.exp(x - x.max())
    return exp / exp.sum(dim=dim, keepdim=True)


# forum: the usual one-dimensional recipe, taken to a batch
@softmax.misconception
def one_sum_for_all(x, dim):
    """Softmax over the whole tensor at once.

    All entries together add up to one here. Count how many distributions there are in a tensor of
    shape (2, 3) if `dim` is 1, and what each of them adds up to.
    """
    exp = torch.exp(x - x.max())
    return exp / exp.sum()


@softmax.misconception
def no_maximum_and_one_sum(x, dim):
    """Softmax over the whole tensor, and no maximum subtracted.

    Two things at once: a sum over all entries makes one distribution of the whole tensor, and exp
    of a large logit overflows. What is `dim` for, and what may you subtract first?
    """
    exp = torch.exp(x)
    return exp / exp.sum()


@softmax.misconception
def always_the_last_dim(x, dim):
    """Softmax over the last dimension, whatever dim is.

    That is where logits mostly lie, but not always. Which lines of your code does the argument
    `dim` reach?
    """
    exp = torch.exp(x - x.max(dim=-1, keepdim=True).values)
    return exp / exp.sum(dim=-1, keepdim=True)


# forum: the NumPy answer with axis=0
@softmax.misconception
def always_the_first_dim(x, dim):
    """Softmax over the first dimension, whatever dim is.

    It is right for one vector, and for columns. Which lines of your code does the argument `dim`
    reach?
    """
    exp = torch.exp(x - x.max(dim=0, keepdim=True).values)
    return exp / exp.sum(dim=0, keepdim=True)


@softmax.misconception
def keepdim_forgotten_in_the_sum(x, dim):
    """Softmax whose sum has lost its dimension.

    Broadcasting aligns shapes from the right: for a square matrix it divides columns by the sums
    of rows without a word. How do you keep a dimension of size 1 where the sum was taken?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim)


@softmax.misconception
def keepdim_forgotten_twice(x, dim):
    """Softmax whose maximum and sum have lost their dimension.

    Broadcasting aligns shapes from the right, so a square matrix gets the maxima and sums of the
    wrong lines without a word. How do you keep a dimension of size 1 in both?
    """
    exp = torch.exp(x - x.max(dim=dim).values)
    return exp / exp.sum(dim=dim)


@softmax.misconception
def no_maximum_and_keepdim_forgotten(x, dim):
    """Softmax with no maximum subtracted, and a sum that lost its dimension.

    Two things at once: the sum should keep a dimension of size 1 to be broadcast along the right
    one, and exp of a large logit overflows unless something is subtracted first.
    """
    exp = torch.exp(x)
    return exp / exp.sum(dim=dim)


@softmax.misconception
def in_place(x, dim):
    """Softmax that overwrites its input.

    `-=` and methods that end in an underscore write into the caller's tensor, and autograd refuses
    that on a leaf. What would make a new tensor instead?
    """
    x -= x.amax(dim=dim, keepdim=True)
    exp = x.exp()
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def cut_off_from_the_gradient(x, dim):
    """Softmax of a copy that is cut off from the gradient.

    `detach`, `.data`, `torch.tensor(x)` and a way through NumPy all forget where the numbers came
    from. Do you need a copy at all, if nothing is written into `x`?
    """
    x = x.detach().clone()
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def always_float32(x, dim):
    """Softmax that gives float32, whatever dtype came in.

    Computing in a wider type is fine, but the caller gets another dtype back than they gave. And
    what does float32 do to a float64?
    """
    x = x.float()
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return exp / exp.sum(dim=dim, keepdim=True)


@softmax.misconception
def float32_in_between(x, dim):
    """Softmax computed in float32, and cast back.

    For float16 that is a gain, but a float64 comes back with half of its digits gone. In which
    dtype would each be right to its own precision?
    """
    wide = x.float()
    exp = torch.exp(wide - wide.amax(dim=dim, keepdim=True))
    return (exp / exp.sum(dim=dim, keepdim=True)).to(x.dtype)


log_softmax = Exercise(
    "log_softmax",
    forbids=Forbidden(torch=("softmax", "softmin", "cross_entropy", "nll_loss")),
    hints=(
        "Write the logarithm of exp(x_i) / sum exp(x_j) as a difference. Which part of it has "
        "to be exponentiated, and which part never?",
        "What is left is the logarithm of a sum of exponentials. Either take the maximum out of "
        "it and put it back afterwards, or find the PyTorch function that does so.",
        "`torch.logsumexp` takes a dimension and `keepdim`. The answer is x minus that.",
    ),
)


@log_softmax.check(points=5)
def any_dim(draw: Draw) -> Cases:
    """x minus the log of the sum of exp(x) along the given dimension, whichever that is."""
    yield from any_dim_cases(draw)


@log_softmax.check(points=6)
def large_logits(draw: Draw) -> Cases:
    """Exact where the softmax itself overflows, or underflows to 0."""
    yield from large_logit_cases(draw)


@log_softmax.check(points=2)
def minus_infinity(draw: Draw) -> Cases:
    """A logit of minus infinity stays that."""
    yield from minus_infinity_cases(draw)


@log_softmax.check(points=2)
def other_float_types(draw: Draw) -> Cases:
    """Right, to their own precision, for float16, bfloat16 and float64, too."""
    yield from half_precision_cases(draw)


@log_softmax.check(points=1, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """The result has the dtype of `x`."""
    yield from dtype_cases(draw)


@log_softmax.check(points=3, observe=observe.gradients)
def gradients_flow(draw: Draw) -> Cases:
    """The gradient with respect to `x` is that of the log-softmax."""
    yield from gradient_cases(draw)


@log_softmax.check(points=1, observe=observe.arguments_after)
def leaves_x_alone(draw: Draw) -> Cases:
    """The tensor it was given still holds what it held."""
    yield from dtype_cases(draw)


@log_softmax.misconception
def log_of_the_softmax(x, dim):
    """The log of a softmax.

    A probability of 1e-50 is 0 in a float32, and its log minus infinity. Write log(a / b) as a
    difference first: what is the log of exp(x)?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return torch.log(exp / exp.sum(dim=dim, keepdim=True))


@log_softmax.misconception
def log_of_a_softmax_that_overflows(x, dim):
    """The log of a softmax, and no maximum subtracted.

    Two things at once: exp of a large logit overflows, and small probabilities are 0 before their
    log is taken. Write log(a / b) as a difference, then ask what may be subtracted from `x`.
    """
    exp = torch.exp(x)
    return torch.log(exp / exp.sum(dim=dim, keepdim=True))


# forum: how a log of 0 is mostly repaired
@log_softmax.misconception
def epsilon_in_the_log(x, dim):
    """The log of a softmax with a small number added.

    That turns minus infinity into log(1e-9), about -20.7, whether the true value is -25 or -1000.
    Can you do without computing the probability?
    """
    exp = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return torch.log(exp / exp.sum(dim=dim, keepdim=True) + 1e-9)


@log_softmax.misconception
def no_maximum_subtracted(x, dim):
    """Log-softmax without the maximum taken out.

    The difference is the right one, but exp of a logit of 100 is more than a float32 can hold.
    What can you take out of the sum, if you put it back after the log?
    """
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def maximum_not_put_back(x, dim):
    """Log-softmax whose maximum is taken out of the sum only.

    Exponentiate a row of your result: what does it add up to? Whatever is subtracted from the
    logits inside the sum must be accounted for outside, too.
    """
    shifted = x - x.amax(dim=dim, keepdim=True)
    return x - torch.log(torch.exp(shifted).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def one_maximum_for_all(x, dim):
    """Log-softmax with one maximum for the whole tensor.

    A row whose logits all lie far below those of another row underflows: its sum is 0, and the log
    of that minus infinity. Whose maximum does each distribution need?
    """
    x = x - x.max()
    return x - torch.log(torch.exp(x).sum(dim=dim, keepdim=True))


@log_softmax.misconception
def one_sum_for_all(x, dim):
    """Log-softmax over the whole tensor at once.

    All entries together make one distribution here. Count how many there are in a tensor of shape
    (2, 3) if `dim` is 1.
    """
    x = x - x.max()
    return x - torch.log(torch.exp(x).sum())


@log_softmax.misconception
def keepdim_forgotten(x, dim):
    """Log-softmax whose log-sum has lost its dimension.

    Broadcasting aligns shapes from the right: in a square matrix it subtracts from columns what
    belongs to rows, without a word. How do you keep a dimension of size 1?
    """
    return x - torch.logsumexp(x, dim=dim)


@log_softmax.misconception
def always_the_last_dim(x, dim):
    """Log-softmax over the last dimension, whatever dim is.

    That is where logits mostly lie, but not always. Which lines of your code does the argument
    `dim` reach?
    """
    return x - torch.logsumexp(x, dim=-1, keepdim=True)


@log_softmax.misconception
def in_place(x, dim):
    """Log-softmax that overwrites its input.

    `-=` and methods that end in an underscore write into the caller's tensor, and autograd refuses
    that on a leaf. What would make a new tensor instead?
    """
    x -= torch.logsumexp(x, dim=dim, keepdim=True)
    return x


@log_softmax.misconception
def always_float32(x, dim):
    """Log-softmax that gives float32, whatever dtype came in.

    Computing in a wider type is fine, but the caller gets another dtype back than they gave. And
    what does float32 do to a float64?
    """
    x = x.float()
    return x - torch.logsumexp(x, dim=dim, keepdim=True)


next_token_probs = Exercise(
    "next_token_probs",
    hints=(
        "What shape are the logits of one text, and which position knows all of it?",
        "Called with text, the model puts the BOS there itself. Pick the one sequence and its "
        "last position, then turn those logits into probabilities.",
        "`model(text)` is (1, seq, d_vocab). Index batch 0 and position -1, and take the "
        "softmax of that vector.",
    ),
)


@next_token_probs.check(points=6)
def after_the_last_token(draw: Draw, reference: TransformerBridge) -> Cases:
    """The distribution at the last position of the text."""
    for text in [texts.NOTES, *draw.shuffled(texts.SENTENCES)[:2]]:
        yield Case(reference, text)
    yield Case(reference, " ".join([texts.NOTES, *texts.SENTENCES[:4]]))  # 75 tokens


@next_token_probs.check(points=4)
def with_a_bos_in_front(draw: Draw, reference: TransformerBridge) -> Cases:
    """One BOS stands before the text, whatever that begins with, and an empty text is nothing but
    that."""
    for text in ("", " the", "The ", "<|endoftext|>The", draw.pick(["Ralph", "I"])):
        yield Case(reference, text)


@next_token_probs.misconception
def logits_as_they_are(model, text):
    """Logits in place of probabilities.

    Some of these numbers are negative, and they do not add up to one. What turns scores into a
    distribution?
    """
    return model(text)[0, -1]


@next_token_probs.misconception
def log_probabilities(model, text):
    """Log-probabilities in place of probabilities.

    They are good to compute with, but none of them is above 0. What takes you back from a log?
    """
    return model(text)[0, -1].log_softmax(dim=-1)


@next_token_probs.misconception
def every_position(model, text):
    """The predictions at every position.

    There is one distribution per token here. Only one of them is about the token after the whole
    text: which position has seen all of it?
    """
    return model(text)[0].softmax(dim=-1)


@next_token_probs.misconception
def batch_dimension_kept(model, text):
    """A batch of one distribution.

    The numbers are right, but there is one dimension too many: one text was asked about, and the
    answer should be a single vector.
    """
    return model(text)[:, -1].softmax(dim=-1)


@next_token_probs.misconception
def first_position(model, text):
    """The prediction at the first position.

    After the BOS alone the model knows nothing of the text, so this is the same whatever the text
    says. Which position has seen all of it?
    """
    return model(text)[0, 0].softmax(dim=-1)


# course forks: the shift of the loss, carried over to where nothing is to be left out
@next_token_probs.misconception
def last_but_one_position(model, text):
    """The prediction at the last position but one.

    That one is about the text's own last token. In a loss the last position is left out, because
    its target is missing; here that target is what you are asked about.
    """
    return model(text)[0, -2].softmax(dim=-1)


@next_token_probs.misconception
def softmax_over_the_positions(model, text):
    """The softmax taken over the positions.

    Here the same token at all the positions adds up to one. What are the things that the model
    decides between, and along which dimension do they lie?
    """
    return model(text).softmax(dim=1)[0, -1]


@next_token_probs.misconception
def softmax_over_the_batch(model, text):
    """The softmax taken over the batch.

    With one text in the batch, every entry competes with nothing and becomes 1. Along which
    dimension do the tokens of the vocabulary lie?
    """
    return model(text).softmax(dim=0)[0, -1]


@next_token_probs.misconception
def no_bos(model, text):
    """A text without its BOS.

    The first token is what the model saw in front of every text, and predictions shift without it.
    And what is there to run if the text is empty?
    """
    return model(text, prepend_bos=False)[0, -1].softmax(dim=-1)


# forum: the default of prepend_bos is easily overlooked
@next_token_probs.misconception
def two_bos(model, text):
    """A second BOS in front of the text.

    Look at what `model.to_tokens(text)` begins with: does the model leave that for you to do?
    """
    return model(model.tokenizer.bos_token + text)[0, -1].softmax(dim=-1)


top_k_tokens = Exercise(
    "top_k_tokens",
    hints=(
        "You need the largest probabilities and where they are: a token's id is its place in "
        "`probs`.",
        "`topk` gives both, the largest first. Each id by itself then has to become text, not "
        "its spelling in the vocabulary.",
        "Go through indices and values side by side, both as plain Python numbers, and let "
        "`tokenizer.decode` have a list with a single id each time.",
    ),
)


def probs_of(draw: Draw, n: int) -> torch.Tensor:
    """A distribution over the vocabulary with n unequal entries, at tokens of plain letters."""
    probs = torch.zeros(50257)
    ids = draw.shuffled([*range(256, 400), 318, 11, 13, 198, 15, 50256])[:n]
    probs[ids] = torch.tensor([1.0 / (i + 1) for i in range(n)])
    return probs / probs.sum()


@top_k_tokens.check(points=4)
def most_probable_first(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """k pairs of token and probability, the most probable first."""
    yield Case(tokenizer, probs_of(draw, 4), 2)
    yield Case(tokenizer, probs_of(draw, 20), 10)
    yield Case(tokenizer, probs_of(draw, 5), 1)


@top_k_tokens.check(points=3)
def spaces_are_spaces(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Tokens are text: ' the' and not 'Ġthe', a line break and not 'Ċ'."""
    probs = torch.zeros(50257)
    probs[[262, 198, 50256, 2634]] = torch.tensor([0.4, 0.3, 0.2, 0.1])  # 2634 is "é"
    yield Case(tokenizer, probs, 4)
    halves = torch.zeros(50257)
    halves[[250, 251, 11]] = torch.tensor([0.5, 0.3, 0.2])  # two of these are no whole character
    yield Case(tokenizer, halves, 3)


@top_k_tokens.check(points=3)
def of_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions."""
    with torch.no_grad():
        logits = draw.until(
            lambda: reference(draw.pick([*texts.SENTENCES, *texts.ODD]))[0, -1],
            lambda logits: clear(logits, k=5),
        )
    yield Case(reference.tokenizer, logits.softmax(dim=-1), 5)


@top_k_tokens.misconception
def vocabulary_spelling(tokenizer, probs, k):
    """Tokens as the vocabulary spells them.

    "Ġ" is how the vocabulary writes a space, and every other byte has such a character, too. Which
    method of the tokenizer gives the text that a reader sees?
    """
    top = probs.topk(k)
    tokens = tokenizer.convert_ids_to_tokens(top.indices.tolist())
    return list(zip(tokens, top.values.tolist(), strict=True))


@top_k_tokens.misconception
def only_spaces_repaired(tokenizer, probs, k):
    """The vocabulary's spelling with just the "Ġ" put right.

    The space is only one of the bytes that are spelled by another character; look at a line break
    or an "é". Which method of the tokenizer undoes them all?
    """
    top = probs.topk(k)
    tokens = tokenizer.convert_ids_to_tokens(top.indices.tolist())
    return [(t.replace("Ġ", " "), p) for t, p in zip(tokens, top.values.tolist(), strict=True)]


@top_k_tokens.misconception
def stripped(tokenizer, probs, k):
    """Tokens stripped of their spaces.

    " the" and "the" are two tokens, with two probabilities. The space belongs to the token, however
    it looks in a list.
    """
    top = probs.topk(k)
    return [
        (tokenizer.decode([i]).strip(), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def least_probable_of_them_first(tokenizer, probs, k):
    """The top tokens in ascending order.

    They are the right ones, but sorting goes upwards unless told otherwise, and a reader looks for
    the best guess at the top.
    """
    ids = probs.argsort()[-k:].tolist()
    return [(tokenizer.decode([i]), probs[i].item()) for i in ids]


@top_k_tokens.misconception
def least_probable_of_all(tokenizer, probs, k):
    """The k least probable tokens.

    Sorting goes upwards unless told otherwise, so these come from the wrong end. Look at their
    probabilities.
    """
    ids = probs.argsort()[:k].tolist()
    return [(tokenizer.decode([i]), probs[i].item()) for i in ids]


@top_k_tokens.misconception
def ids_in_place_of_text(tokenizer, probs, k):
    """Ids in place of text.

    An id is where a token stands in the vocabulary, and tells a reader nothing. What is the
    tokenizer among the arguments for?
    """
    top = probs.topk(k)
    return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))


@top_k_tokens.misconception
def no_probabilities(tokenizer, probs, k):
    """Tokens without their probabilities.

    Half of each pair is missing. `topk` returns two things: what is the other one?
    """
    return [tokenizer.decode([i]) for i in probs.topk(k).indices.tolist()]


@top_k_tokens.misconception
def a_dict(tokenizer, probs, k):
    """A dict from tokens to probabilities.

    A list of pairs was asked for. And two tokens that are parts of characters can decode to the
    same text: what would a dict make of them?
    """
    top = probs.topk(k)
    return {
        tokenizer.decode([i]): p
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    }


@top_k_tokens.misconception
def one_text_cut_into_characters(tokenizer, probs, k):
    """One decoded text, paired character by character.

    `decode` joins all ids that it gets into one string, and going through a string gives
    characters. How do you get a text for each id?
    """
    top = probs.topk(k)
    return list(zip(tokenizer.decode(top.indices), top.values.tolist(), strict=False))


# old API: a flat list of ids used to count as a batch of single tokens
@top_k_tokens.misconception
def flat_batch_decoded(tokenizer, probs, k):
    """A flat row of ids taken for a batch.

    To the tokenizer, k ids in a row are one text of k tokens, and one text comes back. What shape
    has a batch of k texts of a single token?
    """
    top = probs.topk(k)
    return list(zip(tokenizer.batch_decode(top.indices), top.values.tolist(), strict=False))


@top_k_tokens.misconception
def softmax_of_probabilities(tokenizer, probs, k):
    """A softmax taken of what are probabilities already.

    Exponentials of numbers between 0 and 1 are nearly equal, so over a whole vocabulary everything
    becomes about as likely. What kind of numbers did you get?
    """
    top = probs.softmax(dim=-1).topk(k)
    return [
        (tokenizer.decode([i]), p)
        for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


@top_k_tokens.misconception
def shares_among_the_top(tokenizer, probs, k):
    """Probabilities scaled to add up to one among the top k.

    That is for sampling from the top k. Here the question is how probable each token is among all
    of the vocabulary.
    """
    top = probs.topk(k)
    shares = top.values / top.values.sum()
    return [
        (tokenizer.decode([i]), p)
        for i, p in zip(top.indices.tolist(), shares.tolist(), strict=True)
    ]


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


def of_gpt2s_size(draw: Draw, tokens: torch.Tensor) -> torch.Tensor:
    """Logits over all of GPT-2's vocabulary, of which a few tokens stand out."""
    logits = torch.zeros(*tokens.shape, 50257)
    likely = torch.tensor([*draw.shuffled(range(300, 400))[:6], BOS])
    logits[..., likely] = draw.normal(*tokens.shape, len(likely), scale=2) + 5
    wants = tokens.roll(-1, dims=1)[..., None]
    return logits.scatter_(-1, wants, draw.normal(*wants.shape, scale=2) + 8)


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


cross_entropy = Exercise(
    "cross_entropy",
    forbids=Forbidden(torch=("cross_entropy", "nll_loss")),
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


perplexity = Exercise(
    "perplexity",
    hints=(
        "In which order: the mean first or the exponential first? And is a log-probability "
        "above or below 0?",
        "Negate and average over all entries, whatever the shape; then undo the natural log.",
    ),
)


@perplexity.check(points=7)
def exp_of_the_mean(draw: Draw) -> Cases:
    """exp of minus the mean log-probability."""
    yield Case(torch.tensor([0.25, 0.25, 0.25]).log())
    for n in (2, 7):
        yield Case(-draw.normal(n).exp())


@perplexity.check(points=3)
def over_all_entries(draw: Draw) -> Cases:
    """One number for a whole batch, and one for a single entry."""
    yield Case(-draw.normal(2, 5).exp())
    yield Case(-draw.normal(2, 3, 4).exp())
    yield Case(-draw.normal(1).exp())
    yield Case(-draw.normal(1000).exp())
    yield Case(torch.zeros(3))


@perplexity.misconception
def sign_forgotten(log_probs):
    """exp of the mean log-probability, without the minus.

    That is the mean probability (the geometric one), at most 1. Perplexity is a number of equally
    likely tokens: how many are there at probability 1/4?
    """
    return torch.exp(log_probs.mean())


@perplexity.misconception
def mean_of_exponentials(log_probs):
    """The mean of the exponentials.

    The exponential has to come last: taken of each entry first, a single token of probability
    1e-9 outweighs all the rest of the text.
    """
    return torch.exp(-log_probs).mean()


# forum: the formula of information theory, with 2 as its base
@perplexity.misconception
def base_two(log_probs):
    """2 to the power of a loss in nats.

    The power of 2 belongs to logs of base 2. Which base do these have, and what undoes it?
    """
    return 2 ** (-log_probs.mean())


@perplexity.misconception
def one_per_row(log_probs):
    """One perplexity for each row.

    One number is wanted for all entries together. What does `mean` do without a dimension?
    """
    return torch.exp(-log_probs.mean(dim=-1))


# forum: perplexity of each text, then averaged
@perplexity.misconception
def mean_over_rows(log_probs):
    """The mean of the rows' perplexities.

    An exponential of a mean is not the mean of exponentials: one hard text outweighs the others
    here. Average over everything before you exponentiate.
    """
    return torch.exp(-log_probs.mean(dim=-1)).mean()


@perplexity.misconception
def sum_in_place_of_mean(log_probs):
    """exp of the sum in place of the mean.

    That is 1 over the probability of the whole text, and grows without bound as the text does. The
    average of how many tokens do you want?
    """
    return torch.exp(-log_probs.sum())


@perplexity.misconception
def root_of_a_product(log_probs):
    """The root of a product of probabilities.

    The formula is right, but a product of a thousand probabilities is 0 in floating point. What
    becomes of a product, and of a root, under the logarithm?
    """
    return torch.exp(log_probs).prod() ** (-1 / log_probs.numel())


@perplexity.misconception
def one_over_the_mean_probability(log_probs):
    """1 over the mean probability.

    A single token of probability 0 should make this infinite, as it does the loss, and here it
    hardly shows. What is averaged: probabilities or their logs?
    """
    return 1 / torch.exp(log_probs).mean()


@perplexity.misconception
def not_exponentiated(log_probs):
    """The loss itself, not its exponential.

    Minus the mean log-probability is the cross-entropy, in nats. The perplexity says the same as a
    number of tokens.
    """
    return -log_probs.mean()


@perplexity.misconception
def logged_twice(log_probs):
    """The log of what are logs already.

    The argument's name says what has been done to it; these numbers are below 0, and have no log.
    """
    return torch.exp(-torch.log(log_probs).mean())


entropy = Exercise(
    "entropy",
    hints=(
        "You need both p and log p. Which of them should come from which, so that small "
        "probabilities survive?",
        "0 times minus infinity is not a number, though here it stands for 0. Find all places "
        "where p is 0 before the sum, or a function that knows that rule.",
        "`torch.where` can put 0 wherever p is 0; `torch.special` has `entr` and `xlogy`. Sum "
        "over the last dimension only.",
    ),
)


@entropy.check(points=3)
def in_nats(draw: Draw) -> Cases:
    """-sum p log p over the last dimension."""
    yield Case(torch.zeros(4))
    for n in (3, 8):
        yield Case(draw.normal(n, scale=2))


@entropy.check(points=2)
def of_every_distribution(draw: Draw) -> Cases:
    """One number for each distribution, for any number of dimensions."""
    yield Case(draw.normal(3, 3))
    yield Case(draw.normal(2, 3, 4, scale=3))


@entropy.check(points=2)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions, over 50,257 tokens."""
    with torch.no_grad():
        yield Case(reference(draw.pick(texts.SENTENCES)))


@entropy.check(points=3)
def zero_probability(draw: Draw) -> Cases:
    """A token of probability 0 adds nothing."""
    yield Case(torch.tensor([0.0, -torch.inf, 1.0]))
    yield Case(torch.tensor([[1000.0, 0.0, 999.0], [0.0, -800.0, 0.0]]))


@entropy.misconception
def log_of_the_softmax(logits):
    """p log p with the log of a softmax.

    Where p has underflowed to 0 its log is minus infinity, and 0 times that is not a number. What
    should such a token add?
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum(dim=-1)


@entropy.misconception
def log_softmax_at_minus_infinity(logits):
    """0 times minus infinity.

    log_softmax deals with small probabilities, but a logit of minus infinity still has a log of
    minus infinity, and 0 times that is not a number. What should such a token add?
    """
    log_probs = logits.log_softmax(dim=-1)
    return -(log_probs.exp() * log_probs).sum(dim=-1)


@entropy.misconception
def in_bits(logits):
    """Entropy in bits.

    Logs of base 2 count yes-or-no questions. Nats are asked for, as in the loss; and while you are
    there, what is the log of a probability of 0?
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log2()).sum(dim=-1)


@entropy.misconception
def sign_forgotten(logits):
    """Entropy without its minus sign.

    The log of a probability is below 0, so this is, too. The least that a distribution can be
    undecided is 0; mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return (probs * probs.log()).sum(dim=-1)


@entropy.misconception
def one_sum_for_all(logits):
    """One sum over all distributions.

    Every position has a distribution of its own, and an entropy of its own. Over which dimension
    does the formula sum? Mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum()


@entropy.misconception
def mean_over_the_vocabulary(logits):
    """A mean over the vocabulary in place of a sum.

    Entropy is an average already, with the probabilities as weights; dividing by the number of
    tokens averages twice. Mind tokens of probability 0 as well.
    """
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).mean(dim=-1)


@entropy.misconception
def logits_taken_for_probabilities(logits):
    """Logits taken for probabilities.

    These numbers may be negative, and have no log then. What turns them into a distribution before
    the formula applies?
    """
    return -(logits * logits.log()).sum(dim=-1)


@entropy.misconception
def softmax_over_the_first_dimension(logits):
    """A softmax over the first dimension.

    It is right for one vector of logits. In a batch the tokens of the vocabulary lie along the
    last dimension, and what adds up to one here is something else.
    """
    probs = logits.softmax(dim=0)
    return -(probs * probs.log()).sum(dim=-1)


prefix_predictions = Exercise(
    "prefix_predictions",
    hints=(
        "How many prefixes has a text of three tokens, if every one has at least one token and "
        "the whole text is one of them?",
        "Run the model on the tokens cut off after position j, for each j, and keep what it "
        "says at the last position of that run only.",
        "A slice that ends at j + 1, a run, batch 0 and position -1: collect those vectors in a "
        "list, then `torch.stack` them.",
    ),
)


@prefix_predictions.check(points=5)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """Row j is the reference's prediction after tokens 0 to j."""
    yield Case(reference, reference.to_tokens(draw.pick(texts.SENTENCES))[:, :5])


@prefix_predictions.check(points=5)
def prefixes_run_alone(draw: Draw) -> Cases:
    """Each prefix is run by itself: a model that looks ahead gets nothing to see there."""
    yield Case(ToyModel("everything"), draw.ids(1, 1, below=50257))
    for peeks in ("everything", "next", "0>2"):
        yield Case(ToyModel(peeks), draw.ids(1, draw.integer(3, 6), below=50257))
    yield Case(ToyModel("everything"), draw.ids(1, 20, below=50257))


@prefix_predictions.misconception
def one_run(model, tokens):
    """One run over the whole text.

    For a causal model that is the same, only faster. Of a model that looks ahead it shows what it
    says with the answer in sight: what would it say without?
    """
    return model(tokens)[0]


@prefix_predictions.misconception
def whole_text_left_out(model, tokens):
    """Prefixes without the longest.

    A range stops before its end, so here the whole text never runs. How many rows should there be
    for one token?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, :end])[0, -1] for end in range(1, seq)])


@prefix_predictions.misconception
def empty_prefix_first(model, tokens):
    """Prefixes that begin with the empty one.

    A slice that ends at 0 holds no token, and there is no last position in nothing. Row j sees
    tokens 0 to j, j included.
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, :j])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def suffixes(model, tokens):
    """Suffixes in place of prefixes.

    These lose tokens at the front. On which side of the colon does the end of a slice stand?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, j:])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def one_token_at_a_time(model, tokens):
    """Each token run alone.

    Row j is to follow from all tokens up to j, not from token j without what came before it.
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, j : j + 1])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def first_position(model, tokens):
    """The first position of every run.

    After its first token a causal model says the same in every run. At which position of a prefix
    has it read all of that prefix?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0, 0] for j in range(seq)])


@prefix_predictions.misconception
def every_position_kept(model, tokens):
    """Runs stacked with all their positions.

    Prefixes are of unequal length, and so are their outputs, which do not fit together. Of each run
    just one position is wanted: which?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0] for j in range(seq)])


@prefix_predictions.misconception
def batch_dimension_kept(model, tokens):
    """A batch dimension left in every row.

    The numbers are right, but each row is a batch of one. Put them side by side so that one matrix
    comes out, of shape (seq, d_vocab).
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[:, -1] for j in range(seq)])


# course forks: how one does it where shapes must be static
@prefix_predictions.misconception
def future_blanked_out(model, tokens):
    """The future overwritten rather than cut off.

    A model that looks ahead still sees something there, if only fillers. Each prefix should be run
    by itself, with nothing after it.
    """
    rows = []
    for j in range(tokens.shape[1]):
        prefix = tokens.clone()
        prefix[:, j + 1 :] = BOS
        rows.append(model(prefix)[0, j])
    return torch.stack(rows)


@prefix_predictions.misconception
def a_list(model, tokens):
    """A list of rows.

    The rows are right. One tensor was asked for; which function lays vectors on top of one another?
    """
    return [model(tokens[:, : j + 1])[0, -1] for j in range(tokens.shape[1])]


is_causal = Exercise(
    "is_causal",
    hints=(
        "Causal means that changing later tokens changes nothing earlier. Which positions may "
        "differ after you change token j, and which may not?",
        "Change everything after position j in a copy, run both, and compare positions 0 to j. "
        "Do that for every j, in all sequences, over all logits.",
        "Every token must really change and stay below 50257: add a constant and take the "
        "remainder. Compare by `torch.allclose` with a tolerance between 1e-4 and 0.1.",
    ),
)


def yes_and_no(draw: Draw, peeks: str) -> Cases:
    """A model that peeks beside one that does not: whoever always gives one answer is wrong."""
    for batch, seq in [(1, 4), (2, 6)]:
        yield Case(ToyModel(peeks), draw.ids(batch, seq, below=50257))
        yield Case(ToyModel("nothing"), draw.ids(batch, seq, below=50257))


@is_causal.check(points=5)
def the_reference_is(draw: Draw, reference: TransformerBridge) -> Cases:
    """The reference, whose runs differ by rounding, is causal; one that sees all is not."""
    tokens = reference.to_tokens(draw.pick(texts.SENTENCES))[:, :5]
    yield Case(reference, tokens)
    yield Case(ToyModel("everything"), tokens)


@is_causal.check(points=3)
def seeing_everything(draw: Draw) -> Cases:
    """Tells a causal model from one in which every position sees all others."""
    yield from yes_and_no(draw, "everything")
    yield Case(ToyModel("everything"), draw.ids(1, 1, below=50257))  # nothing comes later


@is_causal.check(points=3)
def seeing_the_next_token(draw: Draw) -> Cases:
    """Tells a causal model from one in which each position sees just one token ahead."""
    yield from yes_and_no(draw, "next")
    for token in (
        0,
        BOS,
        1000,
        49257,
    ):  # whatever a change of the tokens puts there, it must be a change
        yield Case(ToyModel("next"), torch.full((1, 4), token))


@is_causal.check(points=3)
def one_position_peeks(draw: Draw) -> Cases:
    """Tells a causal model from one in which a single position sees one later token."""
    seq = draw.integer(5, 7)
    tokens = draw.ids(2, seq, below=50257)
    near, far = draw.integer(1, seq - 3), draw.integer(0, seq - 3)
    pairs = [(0, 1), (seq - 2, seq - 1), (near, near + 1), (far, draw.integer(far + 2, seq - 1))]
    for at, sees in pairs:
        yield Case(ToyModel(f"{at}>{sees}"), tokens)
    yield Case(ToyModel("nothing"), tokens)
    longer = draw.ids(1, 20, below=50257)
    at = draw.integer(10, 17)
    yield Case(ToyModel(f"{at}>{draw.integer(at + 1, 18)}"), longer)
    yield Case(ToyModel("nothing"), longer)


@is_causal.check(points=3)
def all_peek_faintly(draw: Draw) -> Cases:
    """Tells a causal model from one whose logits the next token changes by a tenth or so, or of
    which it changes no more than one."""
    yield from yes_and_no(draw, "faintly")
    yield Case(ToyModel("unlikely"), draw.ids(2, 6, below=50257))


@is_causal.check(points=3)
def one_sequence_peeks(draw: Draw) -> Cases:
    """Tells a causal model from one that peeks in one sequence of the batch only."""
    for batch, seq in [(1, 4), (3, 5)]:
        tokens = draw.ids(batch, seq, below=50256)
        tokens[:, 0] += 1 - tokens[:, 0] % 2  # odd: no peeking
        yield Case(ToyModel("nothing"), tokens)
        for row in range(batch):
            peeking = tokens.clone()
            peeking[row, 0] -= 1
            yield Case(ToyModel("row"), peeking)


@is_causal.misconception
def tolerance_below_the_rounding(model, tokens):
    """A tolerance tighter than rounding.

    Runs of unequal length differ by 1e-4 or so, even of a causal model. How small an effect are
    you asked to find, and how large may the rounding be?
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        if not torch.allclose(model(tokens[:, :end]), logits[:, :end]):
            return False
    return True


@is_causal.misconception
def tolerance_above_the_leak(model, tokens):
    """A tolerance so wide that a faint leak passes.

    Rounding accounts for 1e-4 or so. The leak that you are asked to find may be a tenth of a logit.
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        if not torch.allclose(model(tokens[:, :end]), logits[:, :end], atol=0.5):
            return False
    return True


@is_causal.misconception
def same_top_token(model, tokens):
    """Only the top tokens compared.

    A leak may change every logit without changing which is the largest. What else can you compare,
    if rounding is allowed for?
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        prefix = model(tokens[:, :end])
        if not torch.equal(prefix.argmax(dim=-1), logits[:, :end].argmax(dim=-1)):
            return False
    return True


# course forks: the usual unit test of a causal mask
@is_causal.misconception
def only_the_last_token_changed(model, tokens):
    """Only the last token changed.

    A position that peeks at an earlier token than the last goes unnoticed. Which tokens come after
    position 0?
    """
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 50257
    return torch.allclose(model(changed)[:, :-1], model(tokens)[:, :-1], atol=1e-3)


@is_causal.misconception
def only_the_next_token_changed(model, tokens):
    """Only the next token changed, for each position.

    A model may skip the next token and peek further ahead. Of how many later tokens must the
    logits at position j be independent?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1] = (changed[:, j + 1] + 1) % 50257
        if not torch.allclose(model(changed)[:, j], logits[:, j], atol=1e-3):
            return False
    return True


# forum: tests of a mask that split the sequence once
@is_causal.misconception
def one_cut_in_the_middle(model, tokens):
    """One cut through the middle.

    A position that peeks within its own half goes unnoticed. After how many positions can the
    future begin?
    """
    half = tokens.shape[1] // 2
    return torch.allclose(model(tokens[:, :half]), model(tokens)[:, :half], atol=1e-3)


@is_causal.misconception
def first_position_only(model, tokens):
    """A verdict after the first position.

    A return within the loop ends it at once. To say yes you have to have seen every position; after
    how many may you say no?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        return torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3)
    return True


@is_causal.misconception
def last_pair_left_out(model, tokens):
    """A loop that ends one cut early.

    Whether the last position but one sees the last token is never tested. For how many positions
    is there something later?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 2):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def first_sequence_only(model, tokens):
    """Only the first sequence of the batch.

    A model may peek in one sequence and not in another. Does an index 0 stand where all of the
    batch should be compared?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1]):
        if not torch.allclose(model(tokens[:, : j + 1])[0, -1], logits[0, j], atol=1e-3):
            return False
    return True


@is_causal.misconception
def changed_positions_compared_too(model, tokens):
    """Positions compared whose own token has changed.

    After another token every model says something else, causal or not. Which positions come before
    the first change?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j] = (changed[:, j] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def future_set_to_zero(model, tokens):
    """Later tokens overwritten by 0, which they may be already.

    Where a token is 0 to begin with, nothing has changed and nothing can show. How do you make
    sure that every later token becomes another one?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = 0
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def future_set_to_bos(model, tokens):
    """Later tokens overwritten by the BOS, which they may be already.

    Where a token is the BOS to begin with, nothing has changed and nothing can show. How do you
    make sure that every later token becomes another one?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = BOS
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True
