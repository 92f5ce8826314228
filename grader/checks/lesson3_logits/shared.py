"""What several exercises of lesson 3 are checked with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

BOS = 50256

# Words of what hands out a softmax or its logarithm: `torch.distributions` normalises the logits it
# is given, attention is a softmax times something.
NORMALISES = ("softmax", "softmin", "attention", "distributions", "cross_entropy")
# And of what picks the target's out of log-probabilities, each of PyTorch's losses one way.
PICKS = ("cross_entropy", "loss", "kl_div", "distributions")

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

# Probabilities of 1e-6 to 1e-12 beside one of nearly 1: what is added to them shows, and what they
# are kept above.
SMALL = torch.tensor([0.0, 5.0, 9.0, 14.0, 27.0])

# By which people keep the log of a probability from minus infinity.
EPSILONS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)


def any_dim_cases(draw: Draw) -> Cases:
    yield Case(draw.normal(3), dim=0)
    yield Case(draw.normal(3, 3), dim=0)
    for shape in [(2, 3), (2, 3, 4), (3, 3, 3), (1, 4)]:
        for dim in range(-len(shape), len(shape)):
            yield Case(draw.normal(*shape, scale=3), dim=dim)
    yield Case(draw.normal(2, 2, 3, 2, scale=3), dim=1)


def large_logit_cases(draw: Draw) -> Cases:
    yield Case(torch.tensor([0.0, 1000.0]), dim=0)
    yield Case(torch.tensor([-1000.0, -1001.0]), dim=0)
    yield Case(SMALL, dim=0)
    yield Case(torch.tensor([60.0, -60.0]), dim=0)  # exp of both can be had, their ratio not
    # Rows far apart from each other: one maximum for the whole tensor is not enough.
    yield Case(draw.normal(3, 4) + torch.tensor([[-500.0], [0.0], [500.0]]), dim=1)
    yield Case(draw.normal(3, 4) + torch.tensor([-300.0, 0.0, 300.0, 600.0]), dim=0)
    yield Case(draw.normal(2, 3, 4, scale=200), dim=-1)


def minus_infinity_cases(draw: Draw) -> Cases:
    for dtype in (torch.float32, torch.float64):
        yield Case(torch.tensor([0.0, -torch.inf, 1.0], dtype=dtype), dim=0)
    masked = draw.normal(4, 4).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    yield Case(masked, dim=-1)


def half_precision_cases(draw: Draw) -> Cases:
    yield Case(torch.tensor([60000.0, 59936.0, 0.0], dtype=torch.float16), dim=0)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        yield Case(draw.normal(2, 5, scale=4, dtype=dtype), dim=1)
    for scale in (10, 200):  # in a float64 small probabilities show
        yield Case(draw.normal(2, 5, scale=scale, dtype=torch.float64), dim=1)


def dtype_cases(draw: Draw) -> Cases:
    for dtype in FLOATS:
        yield Case(draw.normal(2, 3, dtype=dtype), dim=-1)


def gradient_cases(draw: Draw) -> Cases:
    yield Case(draw.normal(3), dim=0)
    yield Case(draw.normal(2, 4), dim=0)
    yield Case(draw.normal(2, 3, 4), dim=1)


def of_gpt2s_size(draw: Draw, tokens: torch.Tensor) -> torch.Tensor:
    """Logits over all of GPT-2's vocabulary, of which a few tokens stand out."""
    logits = torch.zeros(*tokens.shape, 50257)
    likely = torch.tensor([*draw.shuffled(range(300, 400))[:6], BOS])
    logits[..., likely] = draw.normal(*tokens.shape, len(likely), scale=2) + 5
    wants = tokens.roll(-1, dims=1)[..., None]
    return logits.scatter_(-1, wants, draw.normal(*wants.shape, scale=2) + 8)


def epsilons_in_the_log(
    exercise: Exercise, with_log: Callable[..., Any], of: str, says: str, *, clamped: bool = True
) -> None:
    """Misconceptions for each of `EPSILONS`: it is added to what `with_log` takes the log of, by
    its last argument, or it is the least that this may be; not `clamped`, where that does the same.
    `of`: what the log is of. In what they say, {epsilon} stands for it, {log} for its log."""
    how = "with {} added" if clamped else "kept from 0 by {}"
    for epsilon in EPSILONS:
        written = f"{epsilon:.0e}".replace("e-0", "e-")
        saying = says.format(epsilon=written, log=f"{math.log(epsilon):.1f}")

        def added(*args: Any, epsilon: float = epsilon, **kwargs: Any) -> Any:
            return with_log(*args, **kwargs, log=lambda p: (p + epsilon).log())

        def least(*args: Any, epsilon: float = epsilon, **kwargs: Any) -> Any:
            return with_log(*args, **kwargs, log=lambda p: p.clamp(min=epsilon).log())

        for function, name, doc in (
            (added, "epsilon_in_the_log", f"The log of {of} {how.format(written)}."),
            (least, "clamped_in_the_log", f"The log of {of} kept above {written}."),
        ):
            if function is least and not clamped:
                continue
            function.__name__ = f"{name}_{written.replace('-', '_')}"
            function.__doc__ = f"{doc}\n\n{saying}"
            exercise.misconception(function)
