"""What `greedy_generate` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks.lesson4_decoding.shared import (
    GENERATES,
    PROMPTS,
    past_the_end,
    prompt_with,
    reaching_back,
)
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear_continuation

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


greedy_generate = Exercise(
    "greedy_generate",
    forbids=Forbidden(methods=GENERATES),
    hints=(
        "What you need for one step you have written already: next_token and append_token. What "
        "does each round of the loop run the model on?",
        "model.to_tokens(prompt, prepend_bos=...) gives the start. In each of n_tokens rounds, "
        "run the model on all tokens so far and append the new one.",
        "Put it all under torch.no_grad(), and return the tokens as they are after the last "
        "round: prompt, then predictions. No EOS test.",
    ),
)


@greedy_generate.check(points=9, of_tokens=True)
def prompt_then_n_tokens(draw: Draw, reference: TransformerBridge) -> Cases:
    """The prompt with its BOS, then exactly n tokens, each the argmax after all before it."""
    for n in (0, 3):
        yield Case(reference, prompt_with(draw, reference, n), n)
    yield Case(reference, reaching_back(reference) or prompt_with(draw, reference, 1), 1)
    # The tokens of its text, taken anew, are not the tokens that it has: no going through text.
    for prompt in ("the state of being unable to ", "Once upon a time there was a king who h"):
        if clear_continuation(reference, reference.to_tokens(prompt), 2) is not None:
            yield Case(reference, prompt, 2)
    # A prompt that begins with <|endoftext|> gets a BOS like any other.
    yield Case(reference, "<|endoftext|>" + draw.pick(PROMPTS), 0)


@greedy_generate.check(points=4, of_tokens=True)
def without_bos(draw: Draw, reference: TransformerBridge) -> Cases:
    """With prepend_bos=False the prompt is taken as it is."""
    prompt = prompt_with(draw, reference, 2, prepend_bos=False)
    yield Case(reference, prompt, 2, prepend_bos=False)


@greedy_generate.check(points=5, of_tokens=True)
def eos_stops_nothing(draw: Draw, reference: TransformerBridge) -> Cases:
    """It goes on to n tokens, also after the model has predicted EOS."""
    if (tokens := past_the_end(reference)) is not None:
        yield Case(reference, reference.tokenizer.decode(tokens[0, 1:].tolist()), 4)
    else:
        yield Case(reference, prompt_with(draw, reference, 4), 4)


@greedy_generate.check(points=2, observe=observe.builds_graph)
def builds_no_graph(draw: Draw, reference: TransformerBridge) -> Cases:
    """The forward passes keep nothing for a backward pass."""
    yield Case(reference, draw.pick(PROMPTS), 2)


@greedy_generate.misconception
def only_the_new_tokens(model, prompt, n_tokens, prepend_bos=True):
    """The new tokens alone, without the prompt.

    What comes back is the whole sequence, from its first token on. The prompt is part of it, and
    so is BOS.
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens[:, tokens.shape[1] - n_tokens :]


@greedy_generate.misconception
def always_a_bos(model, prompt, n_tokens, prepend_bos=True):
    """A BOS in front of every prompt, whatever prepend_bos says.

    model.to_tokens adds one unless it is told otherwise, and tokens that are one longer make the
    model predict something else. What does it have to be told?
    """
    tokens = model.to_tokens(prompt)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def stops_at_eos(model, prompt, n_tokens, prepend_bos=True):
    """A stop at EOS.

    That is the next exercise. Here the number of tokens is fixed, and a model that has ended one
    text goes on with another.
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if new.item() == model.tokenizer.eos_token_id:
                break
    return tokens


@greedy_generate.misconception
def gradients_kept(model, prompt, n_tokens, prepend_bos=True):
    """Inference that keeps everything for a backward pass.

    The tokens are right. But each forward pass stores its intermediate results for gradients that
    nobody will ask for; how do you tell PyTorch so?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
        tokens = torch.cat([tokens, new], dim=1)
    return tokens


# forum: the input of a loop with a KV cache, used without one
@greedy_generate.misconception
def only_the_new_token_fed(model, prompt, n_tokens, prepend_bos=True):
    """The new token alone fed back, as if the model remembered the rest.

    The model keeps nothing from one call to the next (without a KV cache, which we do without).
    What must it see to know what came before?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    new = tokens
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(new)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def logits_never_updated(model, prompt, n_tokens, prepend_bos=True):
    """The logits of the prompt used again for every new token.

    Each token changes what comes after it. Your model runs once, on the prompt, and so its last
    word on the matter is repeated; where does the forward pass belong?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        logits = model(tokens)
    for _ in range(n_tokens):
        tokens = torch.cat([tokens, logits[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    return tokens


@greedy_generate.misconception
def through_text(model, prompt, n_tokens, prepend_bos=True):
    """A loop through text, tokenised anew in every round.

    Text that is decoded and encoded again may come apart into other tokens, as when a word's end
    joins its beginning. What can you append to instead of the string?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[0, -1].argmax()
            prompt += model.tokenizer.decode([new.item()])
            tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    return tokens
