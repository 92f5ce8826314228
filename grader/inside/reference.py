"""The reference GPT-2: which checkpoint, on which device, and how it is loaded.

Both choices are made here and nowhere else. Nothing is downloaded unless `gpt2-small` is asked for
by name.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.problem import Problem

if TYPE_CHECKING:
    import torch
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import GPT2Tokenizer

TINY = Path(__file__).parent.parent / "gpt2_tiny"
SMALL = "openai-community/gpt2"
_SMALL_NAMES = (SMALL, "gpt2")  # older downloads are cached under the short name
_SMALL_FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


class Unavailable(Problem):
    """The reference or device asked for cannot be had. The message is one line for a person."""


@dataclass(frozen=True)
class Reference:
    """A checkpoint folder on this machine."""

    name: str
    folder: Path
    why: str


def find(name: str = "auto") -> Reference:
    """The checkpoint that `--reference NAME` means: `auto`, `gpt2-tiny`, `gpt2-small` or a folder.

    Raises:
        Unavailable: no such folder, no checkpoint in it, or a download that did not work.
    """
    if name == "gpt2-tiny":
        return Reference(name, TINY, "as asked for")
    if name == "gpt2-small":
        if folder := cached_small():
            return Reference(name, folder, "as asked for, from the local cache")
        return Reference(name, _download_small(), "as asked for, downloaded")
    if name == "auto":
        if folder := cached_small():
            return Reference("gpt2-small", folder, "its weights are on this machine")
        why = "gpt2-small is not on this machine; --reference gpt2-small downloads it (550 MB)"
        return Reference("gpt2-tiny", TINY, why)
    folder = Path(name).expanduser()
    _require_checkpoint(folder)
    return Reference(str(folder), folder, "as asked for")


def cached_small() -> Path | None:
    """The folder of gpt2-small in the local Hugging Face cache, if all of it is there."""
    with _quietly():
        from huggingface_hub import try_to_load_from_cache

    for repo in _SMALL_NAMES:
        paths = [try_to_load_from_cache(repo, file) for file in _SMALL_FILES[:3]]
        if all(isinstance(path, str) for path in paths):
            return Path(str(paths[0])).parent
    return None


def _download_small() -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(SMALL, allow_patterns=_SMALL_FILES))
    except Exception as error:  # network, proxy, disk: whatever it was, the way on is the same
        reason = _first_sentence(error)
        raise Unavailable(
            f"gpt2-small is not on this machine and could not be downloaded ({reason}). "
            "Use --reference gpt2-tiny, which comes with the kit."
        ) from None


def _first_sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.split(". ")[0][:160].rstrip(".")


def _require_checkpoint(folder: Path) -> None:
    hint = "Give a Hugging Face checkpoint folder of a GPT-2, or gpt2-tiny, or gpt2-small."
    if not folder.is_dir():
        raise Unavailable(f"no folder {str(folder)!r}. {hint}")
    try:
        config = json.loads((folder / "config.json").read_text())
        model_type = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Unavailable(f"{str(folder)!r} has no readable config.json. {hint}") from None
    if model_type != "gpt2":
        raise Unavailable(f"{str(folder)!r} holds a {model_type!r} model, not a 'gpt2'. {hint}")
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("pytorch_model*.bin")):
        raise Unavailable(f"{str(folder)!r} has no weights (*.safetensors). {hint}")
    if not (folder / "tokenizer.json").is_file() and not (folder / "merges.txt").is_file():
        raise Unavailable(f"{str(folder)!r} has no tokenizer.json, and no merges.txt. {hint}")


def pick_device(name: str = "auto") -> torch.device:
    """The device that `--device NAME` means: cuda, mps, else cpu for `auto`.

    Raises:
        Unavailable: this machine has no such device.
    """
    import torch

    there = available_devices()
    if name == "auto":
        return torch.device(there[0])
    if name not in there:
        raise Unavailable(f"no device {name!r} here. Use --device {' or '.join(there)}.")
    return torch.device(name)


def available_devices() -> list[str]:
    """Names for `--device`, the fastest first."""
    if _only is not None:
        return [_only]
    import torch

    accelerators = [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())]
    return [name for name, there in accelerators if there] + ["cpu"]


_only: str | None = None


def use_only(device: str) -> None:
    """From now on, this process takes no other device to be there."""
    global _only
    _only = device


def load(name: str = "auto", device: str = "auto") -> TransformerBridge:
    """The reference model, live: GPT-2 behind TransformerLens, weights unfolded, in eval mode.

    Raises:
        Unavailable: as `find` and `pick_device`, or a checkpoint that does not load.
    """
    reference = find(name)
    where = pick_device(device)

    with _quietly():
        from transformer_lens.model_bridge import TransformerBridge
        from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with _quietly():
            return TransformerBridge.boot_transformers(str(reference.folder), device=where).eval()
    except Exception as error:
        reason = _first_sentence(error)
        raise Unavailable(f"{reference.name} does not load as a GPT-2 ({reason}).") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings of libraries; in a notebook tqdm misses widgets that nobody needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def load_tokenizer(name: str = "auto", add_bos: bool = False) -> GPT2Tokenizer:
    """The reference's tokenizer, without the model (and without importing TransformerLens).

    With `add_bos` it puts a BOS before every text by itself, as `model.tokenizer` does.
    """
    with _quietly():
        from transformers import GPT2Tokenizer
        from transformers.utils import logging

    logging.set_verbosity_error()  # it would warn of texts longer than the context
    return GPT2Tokenizer.from_pretrained(
        find(name).folder, add_bos_token=add_bos, pad_token="<|endoftext|>"
    )
