"""Refusing cases whose right answer hangs on a near-tie, which another device or version of
PyTorch might decide the other way."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

# Float32 logits of the same text differ by about 1e-4 between devices, batch sizes and versions.
MARGIN = 0.01


def clear(logits: Tensor, k: int = 1) -> bool:
    """Do the k highest logits, at every position, stand apart from one another and the rest?"""
    top = logits.topk(k + 1, dim=-1).values
    return bool((top[..., :-1] - top[..., 1:]).min() > MARGIN)


def clear_continuation(model: TransformerBridge, tokens: Tensor, n_tokens: int) -> Tensor | None:
    """The n tokens that follow greedily, (batch, n); None if any of the choices is a near-tie."""
    rows = [tuple(row) for row in tokens.tolist()]
    for _ in range(n_tokens):
        following = _clear_next(model, tuple(rows))
        if following is None:
            return None
        rows = [(*row, token) for row, token in zip(rows, following, strict=True)]
    return torch.tensor(rows, device=tokens.device)[:, tokens.shape[1] :]


@cache  # several checks try the same prompts
@torch.no_grad()
def _clear_next(model: TransformerBridge, rows: tuple[tuple[int, ...], ...]) -> list[int] | None:
    logits = model(torch.tensor(rows, device=model.cfg.device))[:, -1]
    return logits.argmax(dim=-1).tolist() if clear(logits) else None
