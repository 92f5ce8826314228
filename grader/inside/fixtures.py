"""The live things that checks ask for by parameter name, loaded when first asked for."""

from __future__ import annotations

import copy
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import torch

from grader.inside import reference
from grader.inside.models import ToyModel

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer


class Fixtures:
    """`fixtures("reference")` and so on, for one choice of reference and device."""

    def __init__(self, reference_name: str = "auto", device: str = "auto") -> None:
        self.reference_name, self.device = reference_name, device

    def __call__(self, name: str) -> Any:
        """As it was when it was loaded, whatever has been done to it since."""
        return _as_loaded(attrgetter(name)(self))

    def loaded(self, name: str) -> bool:
        return name in vars(self)

    def name_of(self, value: Any) -> str | None:
        """What this is called, if it is one of these, or the reference's tokenizer."""
        for name, loaded in vars(self).items():
            if loaded is value:
                return name
            if name == "reference" and loaded.tokenizer is value:
                return "reference.tokenizer"
        return None

    def move(self, device: str) -> None:
        """Take what is loaded, and what will be, to another device."""
        self.device = device
        if self.loaded("reference"):
            _remember(self.reference.to(device))

    def describe(self) -> str:
        """Which reference, where, and why that one."""
        found = reference.find(self.reference_name)
        return f"{found.name} on {reference.pick_device(self.device)} ({found.why})"

    @cached_property
    def reference(self) -> TransformerBridge:
        """The reference GPT-2 as a TransformerBridge, on its device."""
        return _remember(reference.load(self.reference_name, self.device))

    @cached_property
    def tokenizer(self) -> GPT2Tokenizer:
        """Its tokenizer, which adds no BOS."""
        return _remember(reference.load_tokenizer(self.reference_name))

    @cached_property
    def bos_tokenizer(self) -> GPT2Tokenizer:
        """The same one set up as `model.tokenizer` is: it adds a BOS by itself."""
        return _remember(reference.load_tokenizer(self.reference_name, add_bos=True))


def fresh(value: Any) -> Any:
    """A live thing for one call, as it was when it was loaded: a tokenizer with settings of its
    own, a toy model. The reference goes by identity: one is shared by all."""
    if isinstance(value, ToyModel):
        return copy.copy(value)
    _as_loaded(value)
    if not hasattr(value, "padding_side"):
        return value
    copied = copy.copy(value)
    vars(copied).update(_settings(value))
    return copied


# --- What a call may leave behind ----------------------------------------------------------------


class _TokenizerAsLoaded:
    # Of the part in Rust, which copies of a tokenizer share. `add_bos_token` is a post-processor.
    PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.settings = _settings(tokenizer)
        self.backend = getattr(tokenizer, "_tokenizer", None)
        self.parts = [(name, getattr(self.backend, name)) for name in self.PARTS if self.backend]

    def restore(self) -> None:
        _put_back(vars(self.tokenizer), self.settings)
        vars(self.tokenizer).update(_settings(self.tokenizer))  # copies: these may be changed, too
        for name, part in self.parts:
            setattr(self.backend, name, part)


class _ModelAsLoaded:
    """All that is looked at here is looked at before every call, so it has to be quick: about a
    tenth of a millisecond for gpt2-tiny."""

    HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

    def __init__(self, model: TransformerBridge) -> None:
        with torch.no_grad():  # the first pass puts hooks of TransformerLens's own in place
            model(torch.zeros(1, 1, dtype=torch.int64, device=model.cfg.device))
        self.model = model
        self.modules = list(model.modules())
        hooks = [getattr(module, name) for module in self.modules for name in self.HOOKS]
        self.without_hooks = [of_one for of_one in hooks if not of_one]
        self.own_hooks = [(of_one, dict(of_one)) for of_one in hooks if of_one]
        self.training = [module.training for module in self.modules]
        self.parameters = list(model.parameters())
        self.requires_grad = [parameter.requires_grad for parameter in self.parameters]
        self.cfg, self.settings = model.cfg, dict(vars(model.cfg))
        self.tokenizer = _TokenizerAsLoaded(model.tokenizer)

    def restore(self) -> None:
        if any(self.without_hooks) or any(now != own for now, own in self.own_hooks):
            for hooks in self.without_hooks:
                hooks.clear()
            for hooks, own in self.own_hooks:
                _put_back(hooks, own)
            for module in self.modules:
                for handles in ("fwd_hooks", "bwd_hooks", "ctx"):  # of a HookPoint
                    getattr(module, handles, []).clear()
        if [module.training for module in self.modules] != self.training:
            for module, training in zip(self.modules, self.training, strict=True):
                module.training = training
        if [p.requires_grad for p in self.parameters] != self.requires_grad:
            for parameter, requires_grad in zip(self.parameters, self.requires_grad, strict=True):
                parameter.requires_grad_(requires_grad)
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad = None
        self.tokenizer.restore()
        if self.model.tokenizer is not self.tokenizer.tokenizer:
            self.model.tokenizer = self.tokenizer.tokenizer
        _put_back(vars(self.cfg), self.settings)  # last: TransformerLens looks at the tokenizer


_loaded: dict[int, tuple[Any, _TokenizerAsLoaded | _ModelAsLoaded]] = {}


def _remember(value: Any) -> Any:
    """From now on, `_as_loaded` knows it."""
    if hasattr(value, "padding_side"):
        _loaded[id(value)] = value, _TokenizerAsLoaded(value)
    else:
        loaded = _ModelAsLoaded(value)
        _loaded[id(value)] = value, loaded
        _loaded[id(value.tokenizer)] = value.tokenizer, loaded.tokenizer
    return value


def _as_loaded(value: Any) -> Any:
    """The same thing, with all put back that has been changed since it was loaded."""
    if id(value) in _loaded:
        _loaded[id(value)][1].restore()
    return value


def _settings(tokenizer: Any) -> dict[str, Any]:
    return {k: v.copy() if type(v) in (dict, list) else v for k, v in vars(tokenizer).items()}


def _put_back(now: Any, then: dict[Any, Any]) -> None:
    for key in now.keys() - then.keys():
        del now[key]
    now.update(then)
