"""Lesson 4: decoding, from predictions back to text.

A transformer does not write. It gives out distributions, and a loop around it picks a token from
the last one, appends it, and asks again. This lesson is that loop, with the simplest way to pick:
the most probable token, called greedy or argmax decoding. (Sampling comes later.)

What you will be able to do
---------------------------
- Read off what a model expects at every position of a text, and how often it is right.
- Generate text greedily, one token at a time, from one prompt or a batch of them.
- Stop at the right place, and not do work that nobody needs.

The loop
--------
1. Turn the text into tokens, with a BOS in front.
2. Run the model: logits of shape `(batch, seq, d_vocab)`.
3. Take the last position, `logits[:, -1]`: it is the only one that predicts something new. All
   others predict tokens that are there already.
4. Take the argmax over the vocabulary, the last dimension.
5. Append it to the tokens and go to 2.

There is no need for softmax in step 4: it preserves order, so the largest logit is the largest
probability.

In each round the model runs over the whole sequence again, although all positions but the last give
what they gave before (lesson 3: causality). Real systems keep the intermediate results of earlier
positions, in what is called a KV cache. We do without it, but not without thinking: a sequence
that has ended needs no more forward passes.

When to stop
------------
The model stops by predicting EOS, which in GPT-2 is `<|endoftext|>`, the very token that was put in
front as BOS. A loop that looks for that id anywhere in the sequence stops before it began.
And as the model was trained on documents one after another, it will go on after EOS if you let it,
with the beginning of some other text.

Key takeaways
-------------
- The model predicts; the loop around it decides, appends and repeats. That is autoregression.
- Only the last position's prediction is new.
- Greedy decoding takes the argmax over the vocabulary; it is deterministic.
- The prompt is part of the sequence, and BOS is part of the prompt; neither is a prediction.

In the examples `model` is the reference: `from grader.reference import load; model = load()`.
Inference needs no gradients: `torch.no_grad()` saves the memory that a backward pass would want.
`python exercises/lesson4_decoding.py` draws what your solved functions find, see the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: F401 you will want it
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

END_OF_TEXT = 50256


# --- One step ------------------------------------------------------------------------------------


def argmax_decode(logits: Float[Tensor, "batch seq d_vocab"]) -> Int[Tensor, "batch seq"]:
    """Very easy, 3 minutes. The most likely next token at every position.

    >>> argmax_decode(torch.tensor([[[0.1, 0.9, 0.5], [2.0, 1.0, 0.0]]]))
    tensor([[1, 0]])
    """
    raise NotImplementedError


def predicted_pairs(model: TransformerBridge, text: str) -> list[tuple[str, str]]:
    """Medium, 10 minutes. A text's tokens, each with the token that the model expects after it.

    Both as text. The first pair is about BOS, which the text gets in front, whatever it begins
    with: what does the model expect a text to begin with? One pair per token, BOS included.

    >>> [token for token, expected in predicted_pairs(model, "Ralph")]
    ['<|endoftext|>', 'R', 'alph']
    """
    raise NotImplementedError


def next_token(logits: Float[Tensor, "batch seq d_vocab"]) -> Int[Tensor, "batch"]:
    """Very easy, 3 minutes. The most likely token after each sequence of the batch.

    >>> next_token(torch.tensor([[[0.1, 0.9, 0.5], [2.0, 1.0, 0.0]]]))
    tensor([0])
    """
    raise NotImplementedError


def append_token(
    tokens: Int[Tensor, "batch seq"], token: Int[Tensor, "batch"]
) -> Int[Tensor, "batch seq+1"]:
    """Easy, 5 minutes. Each sequence with its own next token at the end.

    Works for empty sequences, too. dtype and device are those of `tokens`, which stays as it is.

    >>> append_token(torch.tensor([[5, 6], [7, 8]]), torch.tensor([1, 2]))
    tensor([[5, 6, 1],
            [7, 8, 2]])
    """
    raise NotImplementedError


def token_accuracy(
    logits: Float[Tensor, "batch seq d_vocab"],
    tokens: Int[Tensor, "batch seq"],
    attention_mask: Int[Tensor, "batch seq"],
) -> Float[Tensor, ""]:
    """Medium, 10 minutes. How often the most likely next token is the one that came.

    A fraction from 0 to 1, of all tokens that have a prediction (all but the first) and are not
    padding (mask 1). Rows are padded on the right.

    >>> logits = torch.tensor([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]])
    >>> token_accuracy(logits, torch.tensor([[0, 1, 0]]), torch.tensor([[1, 1, 1]]))
    tensor(0.5000)
    """
    raise NotImplementedError


# --- The loop ------------------------------------------------------------------------------------


def greedy_generate(
    model: TransformerBridge, prompt: str, n_tokens: int, prepend_bos: bool = True
) -> Int[Tensor, "1 seq+n_tokens"]:
    """Medium, 15 minutes. The prompt's tokens followed by exactly `n_tokens` predicted ones.

    Each new token is the argmax at the last position, given everything before it. With BOS in
    front of the prompt, whatever that begins with, if `prepend_bos`. Nothing stops it early, an EOS
    neither. Builds no gradient graph. May not call `model.generate`.

    >>> greedy_generate(model, "Ralph", n_tokens=0)
    tensor([[50256,    49, 17307]])
    >>> greedy_generate(model, "Ralph", n_tokens=4).shape
    torch.Size([1, 7])
    """
    raise NotImplementedError


def generate_until(
    model: TransformerBridge,
    tokens: Int[Tensor, "1 seq"],
    max_new_tokens: int,
    eos_token_id: int = END_OF_TEXT,
) -> Int[Tensor, "1 seq+n"]:
    """Medium, 15 minutes. Greedy generation that stops when the model says that the text ends.

    The tokens it was given, then predicted ones up to and including the first `eos_token_id`
    among them, but no more than `max_new_tokens`. An EOS in the prompt (its BOS, say) stops
    nothing. `tokens` is taken as it is: no BOS is added. Whether it builds a gradient graph is not
    looked at. May not call `model.generate`.

    >>> generate_until(model, torch.tensor([[50256, 49, 17307]]), max_new_tokens=0)
    tensor([[50256,    49, 17307]])
    """
    raise NotImplementedError


def generate_batch(
    model: TransformerBridge,
    tokens: Int[Tensor, "batch seq"],
    max_new_tokens: int,
    eos_token_id: int = END_OF_TEXT,
) -> Int[Tensor, "batch seq+n"]:
    """Hard, 25 minutes. `generate_until` for several prompts of equal length, without waste.

    All sequences run through the model together, in one pass per new token. One that has ended is
    filled up with `eos_token_id` while the others go on, and takes no part in further passes. n is
    the number of tokens that the longest continuation took, at most `max_new_tokens`; once all
    have ended, the model is not called again. Whether it builds a gradient graph is not looked at.
    May not call `model.generate`.

    >>> generate_batch(model, torch.tensor([[50256, 49], [50256, 40]]), max_new_tokens=0)
    tensor([[50256,    49],
            [50256,    40]])
    """
    raise NotImplementedError


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load, load_tokenizer

    model, tokenizer = load(), load_tokenizer()
    pictures.expected_tokens(predicted_pairs, model, "In the beginning God created the heaven.")
    pictures.continuation(greedy_generate, model, tokenizer, "In the beginning")
