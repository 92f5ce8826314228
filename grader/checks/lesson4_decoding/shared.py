"""What several exercises of lesson 4 are checked with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases
from grader.verdict.near_ties import clear, clear_continuation

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


EOS = 50256

# Words of what makes tokens by itself: TransformerLens's and transformers's methods under all their
# names, and the parts of them that these leave the work to.
GENERATES = ("generate", "GenerationMixin._", "continuous_batching")

NEVER = 50255  # " gazed": hardly what comes next, so an EOS that does not come

ENDINGS = ['"the children were playing in the garden', 'red: of the color of blood; "a red blood']

PROMPTS = [*texts.SENTENCES, "Ralph", "A kind of", "The", "def", "of the", "one who"]


def clear_logits(draw: Draw, *shape: int, scale: float = 3) -> Tensor:
    return draw.until(lambda: draw.normal(*shape, scale=scale), clear)


def past_the_end(reference: TransformerBridge) -> Tensor | None:
    """A prompt after which the reference, within four tokens, says EOS and goes on. Not every
    reference does so soon: None where none of the prompts leads there."""
    for prompt in ENDINGS:
        tokens: Tensor = reference.to_tokens(prompt)
        new = clear_continuation(reference, tokens, 4)
        if new is not None and EOS in new[0].tolist()[:-1]:
            return tokens
    return None


@cache
def reaching_back(reference: TransformerBridge) -> str | None:
    """A prompt after which the reference says something else if it sees no more than the last 16
    tokens, and if there is one also if it sees no more than the last 32. None where none of these
    texts is such a prompt."""
    second_best = None
    for i in reversed(range(len(texts.SENTENCES) - 3)):  # the last ones break off
        prompt = " ".join(texts.SENTENCES[i : i + 4])
        tokens = reference.to_tokens(prompt)
        if tokens.shape[1] < 36:
            continue
        new, *cropped = (clear_continuation(reference, tokens[:, -n:], 1) for n in (1024, 32, 16))
        of_32, of_16 = (not (new is None or c is None or c.equal(new)) for c in cropped)
        if of_32 and of_16:
            return prompt
        if of_16:
            second_best = prompt
    return second_best


def prompt_with(draw: Draw, reference: TransformerBridge, n: int, prepend_bos: bool = True) -> str:
    """A prompt whose n-token greedy continuation has no near-tie in it."""

    def is_clear(prompt: str) -> bool:
        tokens = reference.to_tokens(prompt, prepend_bos=prepend_bos)
        return clear_continuation(reference, tokens, n) is not None

    return draw.until(lambda: draw.pick(PROMPTS), is_clear)


def of_any_size(draw: Draw) -> Cases:
    """Logits whose exp is 0, or infinite, in a float32, or which differ by little."""
    yield Case(torch.tensor([[[-200.0, -150.0]]]))
    yield Case(torch.tensor([[[95.0, 100.0]]]))
    yield Case(torch.tensor([[[-2048.0, 2048.0, 2049.0]]]))  # equal in a float16
    yield Case(torch.tensor([[[-torch.inf, 1.02, 1.04]]]))  # and if rounded for display
    yield Case(clear_logits(draw, 2, 3, 5, scale=200))


def stops_at(draw: Draw, reference: TransformerBridge, n: int, max_new: int) -> Case:
    """A case in which, by choice of the EOS id, generation ends after n tokens of `max_new`."""

    def make() -> tuple[Tensor, list[int] | None]:
        tokens = reference.to_tokens(draw.pick(PROMPTS))
        new = clear_continuation(reference, tokens, n)
        return tokens, None if new is None else new[0].tolist()

    tokens, new = draw.until(
        make, lambda made: made[1] is not None and made[1].index(made[1][-1]) == n - 1
    )
    assert new is not None
    return Case(reference, tokens, max_new, eos_token_id=new[-1])
