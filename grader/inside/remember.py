"""A reference that runs each input once: what it answered is kept, and given again.

Hundreds of submissions ask one model the same few questions. Where a forward pass could be told
from the kept one (hooks inside the model, other weights, train mode, keyword arguments) it is run.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from grader.inside import observe
from grader.inside.observe import Hook
from grader.inside.watch import unwatched

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

ROOM = 512_000_000  # bytes of logits that are kept


class Passes:
    """The forward passes of one model, from now on, in this process and its forks."""

    def __init__(self, model: TransformerBridge) -> None:
        """`inputs` fills with the tokens of every pass that is kept. The passes themselves are
        known by a digest: who finds them, as a student's code can, is not told what will be asked.
        """
        with torch.no_grad():
            model(torch.zeros(1, 1, dtype=torch.int64, device=model.cfg.device))  # hooks of its own
        self._model = model
        self.inputs: list[Tensor] = []
        self._kept: dict[bytes, Tensor] = {}
        self._room = ROOM
        self._modules = list(model.modules())
        self._parts = observe.parts(model)
        self._tensors = [*model.parameters(), *model.buffers()]
        self._hooks = self._hooked()
        self._weights = self._versions()

        bridge, passes = type(model), self
        live = bridge.forward
        self._live = live

        # On the class, so that a copy of the model, which may be changed, has none of it.
        @functools.wraps(live)
        def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
            with unwatched():
                if self is model and passes._would_do(args, kwargs):
                    tokens = model.to_tokens(args[0]) if type(args[0]) is str else args[0]
                    return passes._answer(tokens)
            return live(self, *args, **kwargs)

        bridge.forward = forward

    @torch.no_grad()
    def prepare(self, tokens: Tensor) -> None:
        """Run this input now, and keep no other trace of it."""
        self._kept_logits(tokens.to(self._model.cfg.device))
        self.inputs.clear()

    def _would_do(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if len(args) != 1 or (kwargs and kwargs != {"return_type": "logits"}):
            return False
        tokens = args[0]
        if type(tokens) is not str and not (
            type(tokens) is Tensor and tokens.ndim == 2 and tokens.dtype == torch.int64
        ):
            return False
        return (
            not self._model.training
            and not torch.is_autocast_enabled("cpu")
            and self._hooked() == self._hooks
            and self._versions() == self._weights
        )

    def _answer(self, tokens: Tensor) -> Tensor:
        logits: Tensor
        if torch.is_grad_enabled():
            weights = [p for p in self._model.parameters() if p.requires_grad]
            logits = _Remembered.apply(self, tokens, *weights)
        else:
            logits = self._kept_logits(tokens).clone()
        for part in self._parts:
            for hook in part._forward_hooks.values():
                if type(hook) is Hook:
                    hook.look(logits)
        return logits

    @torch.no_grad()
    def _kept_logits(self, tokens: Tensor) -> Tensor:
        data = repr(tokens.shape).encode() + tokens.cpu().numpy().tobytes()
        key = hashlib.blake2b(data).digest()
        if (kept := self._kept.get(key)) is not None:
            return kept
        # Leaving inference mode turns gradients on. The observers are shown what was kept.
        with Hook.asleep(), torch.inference_mode(False), torch.no_grad():
            logits: Tensor = self._live(self._model, tokens)
        size = logits.numel() * logits.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[key] = logits
            self.inputs.append(tokens.clone())
        return logits

    def _hooked(self) -> int:
        """How many hooks there are but for those of our own that only look at the logits."""
        count = 0
        for m in self._modules:
            if m._forward_pre_hooks or m._backward_hooks or m._backward_pre_hooks:
                count += len(m._forward_pre_hooks) + len(m._backward_hooks)
                count += len(m._backward_pre_hooks)
            if m._forward_hooks:
                count += sum(type(hook) is not Hook for hook in m._forward_hooks.values())
        return count

    def _versions(self) -> list[tuple[int, int]]:
        return [(t.data_ptr(), t._version) for t in self._tensors]


class _Remembered(torch.autograd.Function):
    """Kept logits whose gradient, if anybody asks for it, comes of a live pass."""

    @staticmethod
    def forward(ctx: Any, passes: Passes, tokens: Tensor, *weights: Tensor) -> Tensor:
        ctx.passes, ctx.tokens, ctx.weights = passes, tokens.clone(), weights
        return passes._kept_logits(tokens).clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        with torch.enable_grad(), Hook.asleep():
            logits = ctx.passes._live(ctx.passes._model, ctx.tokens)
        gradients = torch.autograd.grad(logits, ctx.weights, gradient, allow_unused=True)
        return (None, None, *gradients)
