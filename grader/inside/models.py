"""Small models that look where GPT-2 does not, for exercises about causality."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

WIDTH = 16
RARE = 8176  # more logits, all of them low, of the model that leaks in one of them
D_VOCAB = 50257
ROUNDING = 2e-5  # of runs of more than 4 tokens
# Turns per id: irrational, so that no two of GPT-2's ids look alike.
FREQUENCIES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]


# What each sees is kept apart from it: whoever is asked that is to find out by running it.
_peeks: WeakKeyDictionary[ToyModel, str] = WeakKeyDictionary()


def peeks_of(model: ToyModel) -> str:
    return _peeks[model]


class ToyModel(torch.nn.Module):
    """Ids (batch, seq) to logits (batch, seq, 16): at each position a weighted sum of features of
    the tokens that it may see.

    `peeks` names what it sees beyond the tokens up to its own: `nothing` (it is causal),
    `everything`, the `next` token, that token but `faintly`, or in one `unlikely` logit of 8,192
    alone, at position 1 token 3 (`1>3`), or all of it in any `row` of the batch that begins with an
    even id.

    The features of a token add up to zero, and the first of them is zero, so that a leak shows
    neither in the sum of the logits nor in the first one. (That in an `unlikely` logit shows
    neither in the probabilities nor in the mean.)

    Like those of any real model, logits of runs of unequal length differ by some 1e-5: here it is
    done on purpose, on all machines alike, and short runs are exact.

    Raises:
        IndexError: an id that is not in GPT-2's vocabulary.
    """

    def __init__(self, peeks: str) -> None:
        super().__init__()
        _peeks[self] = peeks

    def __copy__(self) -> ToyModel:
        return ToyModel(_peeks[self])

    def __deepcopy__(self, memo: dict[int, Any]) -> ToyModel:
        return ToyModel(_peeks[self])

    def forward(self, tokens: Tensor) -> Tensor:
        ids = tokens.cpu().long()
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < D_VOCAB:
            raise IndexError(f"ids go from 0 to {D_VOCAB - 1}")
        seq = ids.shape[1]
        frequency = torch.tensor(FREQUENCIES).double().sqrt()
        waves = ((ids[..., None] + 1) * frequency).sin() * 5
        waves = waves - waves.mean(dim=-1, keepdim=True)
        features = torch.cat([torch.zeros_like(waves[..., :1]), waves], dim=-1)
        distance = torch.arange(seq)[:, None] - torch.arange(seq)
        peeks = _peeks[self]
        logits = (_sees(peeks, seq).double() / (1 + 0.1 * distance.abs())) @ features
        if peeks == "row":
            logits += (ids[:, :1, None] % 2 == 0) * features.sum(dim=1, keepdim=True)
        if peeks == "unlikely":
            logits = torch.cat([logits, _rare(ids)], dim=-1)
        if seq > 4:
            at = torch.arange(seq)[:, None] + torch.arange(logits.shape[-1])
            logits += ROUNDING * (at + 1.7 * seq).cos()
        return logits.float().to(tokens.device)


def _sees(peeks: str, seq: int) -> Tensor:
    """How strongly each position (row) sees each token (column)."""
    sees = torch.ones(seq, seq).tril()
    if peeks == "everything":
        sees = torch.ones(seq, seq)
    elif peeks == "next":
        sees = torch.ones(seq, seq).tril(diagonal=1)
    elif peeks == "faintly":
        sees += 0.02 * torch.eye(seq).roll(1, dims=1).triu()
    elif ">" in peeks:
        at, token = map(int, peeks.split(">"))
        sees[at : at + 1, token : token + 1] = 1
    return sees


def _rare(ids: Tensor) -> Tensor:
    """Logits of about -10, one of which the next token moves by up to 1."""
    batch, seq = ids.shape
    rare = torch.full((batch, seq, RARE), -10.0).double()
    frequency = torch.arange(100, 99 + seq).double().sqrt()
    rare[:, :-1, RARE // 2] += 0.5 * ((ids[:, 1:] + 1) * frequency).sin()
    return rare
