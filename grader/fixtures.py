"""The live things that checks ask for by parameter name, loaded when first asked for."""

from __future__ import annotations

import copy
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from grader import reference

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer


class Fixtures:
    """`fixtures("reference")` and so on, for one choice of reference and device."""

    def __init__(self, reference_name: str = "auto", device: str = "auto") -> None:
        self.reference_name, self.device = reference_name, device

    def __call__(self, name: str) -> Any:
        return attrgetter(name)(self)

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

    def describe(self) -> str:
        """Which reference, where, and why that one."""
        found = reference.find(self.reference_name)
        return f"{found.name} on {reference.pick_device(self.device)} ({found.why})"

    @cached_property
    def reference(self) -> TransformerBridge:
        """The reference GPT-2 as a TransformerBridge, on its device."""
        return reference.load(self.reference_name, self.device)

    @cached_property
    def tokenizer(self) -> GPT2Tokenizer:
        """Its tokenizer, which adds no BOS."""
        return reference.load_tokenizer(self.reference_name)

    @cached_property
    def bos_tokenizer(self) -> GPT2Tokenizer:
        """The same one set up as `model.tokenizer` is: it adds a BOS by itself."""
        return reference.load_tokenizer(self.reference_name, add_bos=True)


def fresh(value: Any) -> Any:
    """A live thing for one call: a tokenizer with settings of its own. Models go by identity: one
    is shared by all."""
    if not hasattr(value, "padding_side"):
        return value
    copied = copy.copy(value)
    vars(copied).update({k: v.copy() for k, v in vars(value).items() if type(v) is dict})
    return copied
