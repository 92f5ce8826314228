"""Lesson 3: logits, what a transformer says.

For every position of its input, GPT-2 gives out one number for each of its 50,257 tokens: the
logits. The vector at position j is its prediction of token j + 1, made from tokens 0 to j alone.
This lesson turns those numbers into probabilities, and probabilities into a measure of how good
the model is.

What you will be able to do
---------------------------
- Turn logits into a probability distribution, along any dimension and without overflow.
- Read off the probability of the token that really came next, and average it into the loss that
  language models are trained on.
- Say what causal attention promises, and test whether a model keeps that promise.

Softmax
-------
Any vector of real numbers $x$ becomes a probability distribution by

    softmax(x)_i = exp(x_i) / sum_j exp(x_j)

The exponential makes everything positive; dividing by the sum makes it add up to one. Adding the
same constant to all of $x$ changes nothing, because it multiplies numerator and denominator alike.
That freedom matters: exp(89) is too large for a float32, and nothing keeps logits below that.
Subtract the maximum first and the largest exponent is 0.

Most of the time you want log-probabilities. Taking the log of a softmax is the wrong way to get
them: a probability of 1e-50 has become 0 by then, and its log minus infinity. Written out, though,

    log softmax(x)_i = x_i - log sum_j exp(x_j)

nothing underflows, as long as the sum is computed with the maximum taken out.

n tokens, n predictions
-----------------------
Training shows the model a text and asks, at every position, for the next token. A text of n tokens
gives n exercises at once:

    p(x_1), p(x_2 | x_1), p(x_3 | x_1 x_2), ..., p(x_n | x_1 ... x_(n-1))

This would be worthless if position 3 could see token 4, which is its answer. Causal attention
rules that out: information moves forward along the sequence and never backward, so the prediction
after token 50 is a function of the first 50 tokens only. It also means that one forward pass over a
text gives the same predictions as running every prefix of it alone. A model that predicts what
comes next from what it has so far is called autoregressive.

The loss is the mean of $-log p$ over those predictions: cross-entropy, in nats if the log is
natural. Its exponential is the perplexity: among how many equally likely tokens is the model
choosing, on average?

Off by one
----------
`logits[:, j]` is about `tokens[:, j + 1]`. So the logits at the last position predict a token that
is not there, and the first token is predicted by nothing. In a batch padded on the right, positions
whose *target* is padding do not count.

Key takeaways
-------------
- Logits are scores; softmax makes them probabilities; only their differences matter.
- Every position predicts, and sees only what is to its left.
- Work with log-probabilities, and compute them directly.
- Cross-entropy is the mean surprise of the text to the model, perplexity its exponential.

In the examples `model` is the reference: `from grader.reference import load; model = load()`.
Called with ids it takes them as they are; called with text it puts a BOS in front.
`python exercises/lesson3_logits.py` draws what your solved functions find, see the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch  # noqa: F401 you will want it
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer

# What some exercises ask of a model: ids in, logits out.
Model = Callable[[Int[Tensor, "batch seq"]], Float[Tensor, "batch seq d_vocab"]]


# --- Probabilities -------------------------------------------------------------------------------


def softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Medium, 10 minutes. exp(x) divided by its sum along `dim`, without overflow.

    Any number of dimensions, any `dim` (negative ones count from the end), any floating dtype,
    which is kept, each right to its own precision. An entry of minus infinity has probability 0.
    Gradients flow through to `x`, which stays as it is. May not call PyTorch's softmax or
    log_softmax in any form.

    >>> softmax(torch.tensor([[0.0, 0.0], [1000.0, 1000.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    raise NotImplementedError


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Medium, 10 minutes. The logarithm of the softmax, exact where the softmax itself underflows.

    As for `softmax`: any dimensions, `dim` and floating dtype, each to its own precision; gradients
    flow; `x` stays as it is; PyTorch's softmax and log_softmax are off limits. (`torch.logsumexp`
    is not.) Minus infinity stays minus infinity.

    >>> log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    raise NotImplementedError


def next_token_probs(model: TransformerBridge, text: str) -> Float[Tensor, "d_vocab"]:
    """Easy, 5 minutes. The model's distribution over the token that follows the text.

    With a BOS before the text, whatever that begins with, as the model puts there by itself. From
    here on you may use PyTorch's softmax.

    >>> next_token_probs(model, "The cat sat on the").shape
    torch.Size([50257])
    """
    raise NotImplementedError


def top_k_tokens(
    tokenizer: GPT2Tokenizer, probs: Float[Tensor, "d_vocab"], k: int
) -> list[tuple[str, float]]:
    """Easy, 10 minutes. The k most probable tokens as text, each with its probability.

    The most probable first. Text as a reader sees it, so " the" with a real space and not "Ġthe".

    >>> probs = torch.zeros(50257)
    >>> probs[262], probs[257] = 0.75, 0.25
    >>> top_k_tokens(tokenizer, probs, k=2)
    [(' the', 0.75), (' a', 0.25)]
    """
    raise NotImplementedError


# --- Loss ----------------------------------------------------------------------------------------


def target_log_probs(
    logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"]
) -> Float[Tensor, "batch seq-1"]:
    """Medium, 10 minutes. The log-probability that the model gave to each token that came next.

    `logits` is the model's output on `tokens`. Entry [b, j] of the result is about token j + 1 of
    sequence b, so there is one entry less than tokens. Exact also where the probability underflows;
    minus infinity for a token whose logit is that, but not because another's is.

    >>> logits = torch.tensor([[[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]]])
    >>> target_log_probs(logits, torch.tensor([[0, 1, 0]]))
    tensor([[-0.6931, -0.6931]])
    """
    raise NotImplementedError


def cross_entropy(
    logits: Float[Tensor, "batch seq d_vocab"],
    tokens: Int[Tensor, "batch seq"],
    attention_mask: Int[Tensor, "batch seq"],
) -> Float[Tensor, ""]:
    """Medium, 15 minutes. The model's mean loss per predicted token, padding left out.

    Minus the log-probability of each token that came next, averaged over all targets in the batch
    that are not padding (mask 1), each counting equally whatever row it is in. Rows are padded on
    the right. Exact also where a probability underflows, and infinite where a target's logit is
    minus infinity, but not where another token's is. Gradients flow through to `logits`, for this
    is what models are trained on. May not call PyTorch's `cross_entropy` or `nll_loss` in any form;
    its log_softmax you may.

    >>> logits = torch.zeros(1, 3, 4)
    >>> cross_entropy(logits, torch.tensor([[3, 1, 2]]), torch.tensor([[1, 1, 0]]))
    tensor(1.3863)
    """
    raise NotImplementedError


def perplexity(log_probs: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Very easy, 3 minutes. exp of minus the mean log-probability, over all entries.

    However large that is, and infinite if one of them is minus infinity.

    >>> perplexity(torch.tensor([0.25, 0.25, 0.25]).log())
    tensor(4.)
    """
    raise NotImplementedError


def entropy(logits: Float[Tensor, "... d_vocab"]) -> Float[Tensor, "..."]:
    """Medium, 10 minutes. How undecided each predicted distribution is, in nats.

    -sum_i p_i log p_i over the last dimension, with p = softmax(logits). A token of probability
    zero adds nothing: neither one whose logit is minus infinity nor one that underflows. Exact to
    the precision of the dtype of `logits`.

    >>> entropy(torch.tensor([[0.0, 0.0, 0.0, 0.0], [1000.0, 0.0, 0.0, 0.0]]))
    tensor([1.3863, 0.0000])
    """
    raise NotImplementedError


# --- Causality -----------------------------------------------------------------------------------


def prefix_predictions(model: Model, tokens: Int[Tensor, "1 seq"]) -> Float[Tensor, "seq d_vocab"]:
    """Easy, 10 minutes. What the model predicts after each prefix, every prefix run by itself.

    Row j holds the logits at the last position of a run on tokens 0 to j only: seq runs in all.
    For GPT-2 that is a slow way to get `model(tokens)[0]`, which is the point. For a model that
    looks ahead it is not the same thing.

    >>> tokens = torch.tensor([[50256, 464, 3797]])
    >>> torch.allclose(prefix_predictions(model, tokens), model(tokens)[0], atol=1e-3)
    True
    """
    raise NotImplementedError


def is_causal(model: Model, tokens: Int[Tensor, "batch seq"]) -> bool:
    """Hard, 20 minutes. Whether the model's logits depend on nothing that comes later.

    True if, at every position, the logits stay the same (up to rounding: runs of unequal length
    differ by 1e-4 or so) whatever the tokens *after* that position are. A model that looks
    ahead may do so at a single position, a single token far, in one sequence of the batch only, or
    with little effect (a tenth of a logit, say, or on the logit of one unlikely token alone); find
    it out. `model` takes any ids below 50257, as `model(tokens)`, and you may call it as often as
    you like.

    >>> is_causal(model, torch.tensor([[50256, 464, 3797, 3332]]))
    True
    """
    raise NotImplementedError


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    text = "In the beginning God created the heaven and the earth."
    pictures.next_token(next_token_probs, model, tokenizer, "The cat sat on the")
    pictures.losses(target_log_probs, model, tokenizer, text)
    pictures.top_predictions(prefix_predictions, softmax, model, tokenizer, text)
