"""Inputs for cases, drawn from a seed: equal on every machine and in every run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from grader.problem import Problem

T = TypeVar("T")


class Undecided(Problem):
    """Every case drawn hangs on a near-tie. The message is for a person."""


class Draw:
    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self._torch = torch.Generator().manual_seed(self._random.getrandbits(62))

    def normal(
        self, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Independent normal entries, on the CPU."""
        return (torch.randn(shape, generator=self._torch) * scale).to(dtype)

    def ids(self, *shape: int, below: int) -> torch.Tensor:
        """Token ids: int64, from 0 to `below` - 1."""
        return torch.randint(below, shape, generator=self._torch)

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        return self._random.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return self._random.sample(options, len(options))

    def until(self, make: Callable[[], T], fits: Callable[[T], bool]) -> T:
        """Draw again while a case would hang on a near-tie."""
        for _ in range(200):
            if fits(made := make()):
                return made
        raise Undecided(
            "No case in 200 draws was fit: the reference hardly prefers one token to another. "
            "Is it trained? --reference gpt2-tiny is."
        )
