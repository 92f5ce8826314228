"""The reference: its tokenizer's and its weights' known facts, where it comes from, what goes
wrong on the way."""

import json
import re

import pytest
import torch
from torch.nn import functional as F

from grader.inside import reference as references
from grader.inside.fixtures import Fixtures
from grader.inside.reference import (
    TINY,
    Unavailable,
    available_devices,
    find,
    load,
    load_tokenizer,
    pick_device,
)
from grader.lessons import KIT as ROOT
from grader.verdict.near_ties import MARGIN, clear, clear_continuation
from solutions import lesson1_tokens, lesson2_embedding, lesson3_logits, lesson4_decoding

FACTS = json.loads((ROOT / "tests" / "data" / "gpt2_small_facts.json").read_text())
TEXT = FACTS["reference_text"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A GPT-2 of two layers with random weights, in the format of any other."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=2, n_head=2, n_embd=16, n_positions=64, initializer_range=0.5,
        bos_token_id=50256, eos_token_id=50256, pad_token_id=50256,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    load_tokenizer("gpt2-tiny").save_pretrained(folder)
    return folder


# --- The tokenizer -------------------------------------------------------------------------------


def test_tokens_of_the_notes(reference):
    tokens = reference.to_tokens(TEXT)
    assert tokens.tolist() == [FACTS["tokens_with_bos"]]
    assert reference.to_str_tokens(TEXT) == FACTS["str_tokens_with_bos"]
    assert tokens.device.type == reference.cfg.device.split(":")[0]


@pytest.mark.parametrize("text", FACTS["str_tokens"])
def test_string_tokens_of_the_notes(reference, text):
    assert reference.to_str_tokens(text) == FACTS["str_tokens"][text]


def test_the_vocabulary_of_the_notes(tokenizer):
    pairs = lesson1_tokens.sort_vocab(tokenizer.get_vocab())
    assert len(pairs) == FACTS["d_vocab"]
    for name, start in [("vocab_0_19", 0), ("vocab_250_269", 250), ("vocab_990_1009", 990)]:
        assert [list(pair) for pair in pairs[start : start + 20]] == FACTS[name]
    for length, token in FACTS["first_token_of_length"].items():
        assert lesson1_tokens.first_token_of_length(pairs, int(length)) == token
    merges = [lesson1_tokens.token_to_text(token) for token, _ in pairs[256:261]]
    assert merges == FACTS["first_five_merges"]


def test_one_special_token_for_everything(reference, tokenizer):
    for one in (tokenizer, reference.tokenizer):
        assert one.bos_token_id == one.eos_token_id == one.pad_token_id == FACTS["bos"]["id"]
        assert one.bos_token == FACTS["bos"]["token"]


def test_the_two_tokenizers_differ_in_bos_only(fixtures, reference):
    text = "Ralph went"
    assert fixtures.bos_tokenizer.encode(text) == reference.tokenizer.encode(text)
    assert fixtures.tokenizer.encode(text) == reference.tokenizer.encode(text)[1:]


# --- The model, and the solutions against it -----------------------------------------------------


@torch.no_grad()
def test_the_solutions_agree_with_what_the_reference_itself_computes(reference):
    tokens = reference.to_tokens(TEXT)
    logits, cache = reference.run_with_cache(tokens)
    assert list(logits.shape) == FACTS["logits_shape"]
    W_E, W_pos = reference.W_E, reference.W_pos
    before = cache["blocks.0.hook_resid_pre"]
    torch.testing.assert_close(lesson2_embedding.embed_by_matmul(tokens, W_E), cache["hook_embed"])
    torch.testing.assert_close(lesson2_embedding.embed_with_positions(tokens, W_E, W_pos), before)
    final = cache["unembed.hook_in"]
    unembedded = lesson2_embedding.unembed(final, reference.W_U, reference.b_U)
    torch.testing.assert_close(unembedded, logits, atol=1e-4, rtol=1e-4)

    losses = reference(tokens, return_type="loss", loss_per_token=True)
    torch.testing.assert_close(-lesson3_logits.target_log_probs(logits, tokens), losses)
    loss = lesson3_logits.cross_entropy(logits, tokens, torch.ones_like(tokens))
    torch.testing.assert_close(loss, reference(tokens, return_type="loss"))
    probs = lesson3_logits.next_token_probs(reference, TEXT)
    torch.testing.assert_close(probs, F.softmax(logits[0, -1], dim=-1))
    assert lesson3_logits.is_causal(reference, tokens)


def test_greedy_generation_agrees_with_the_library(reference):
    prompt, n = "In the beginning God created the", 8
    tokens = reference.to_tokens(prompt)
    assert clear_continuation(reference, tokens, n) is not None
    ours = lesson4_decoding.greedy_generate(reference, prompt, n)
    theirs = reference.generate(
        tokens, max_new_tokens=n, do_sample=False, stop_at_eos=False, verbose=False
    )
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("device", available_devices())
def test_a_reference_that_was_moved_stays_where_it_was_moved_to(device):
    """As a fork of the sandbox moves it; CUDA does not survive a fork."""
    fixtures = Fixtures("gpt2-tiny", "cpu")
    assert torch.device(fixtures("reference").cfg.device).type == "cpu"
    fixtures.move(device)
    model = fixtures("reference")
    assert torch.device(model.cfg.device).type == device
    assert model(model.to_tokens("a")).device.type == device


def test_weights_are_unfolded(reference):
    """What fold_ln=False, center_unembed=False, center_writing_weights=False used to ask for."""
    from safetensors.torch import load_file

    stored = load_file(TINY / "model.safetensors")
    embedding = stored["transformer.wte.weight"].float()
    assert torch.equal(reference.W_E.cpu(), embedding)
    assert torch.equal(reference.W_U.cpu(), embedding.T)


def test_the_tiny_checkpoint_is_small_and_half_precision():
    from safetensors.torch import load_file

    weights = TINY / "model.safetensors"
    assert weights.stat().st_size <= 16_000_000
    assert {tensor.dtype for tensor in load_file(weights).values()} == {torch.float16}


def test_the_model_card_says_that_tiny_beats_the_bigram_model():
    card = (TINY / "README.md").read_text()
    loss = {
        name: float(x) for name, x in re.findall(r"\| \**([a-z0-9 -]+?)\** \| (\d\.\d\d) \|", card)
    }
    assert loss["gpt2-tiny"] <= loss["interpolated bigram"] - 0.3
    assert loss["interpolated bigram"] < loss["unigram"]


@torch.no_grad()
def test_tiny_has_learned_its_language(reference):
    """Text of the kinds it was trained on, though not from there."""
    for text in ("And he said unto them, Go ye into the land of the king.",
                 "a small animal with a long tail; found in the mountains of South America",
                 "Return a new list containing all the items of the given sequence."):  # fmt: skip
        assert reference(text, return_type="loss").item() < 5.5


# --- Which one, and on what ----------------------------------------------------------------------


def test_auto_takes_small_where_it_is_cached_and_tiny_otherwise(monkeypatch, tmp_path):
    monkeypatch.setattr(references, "cached_small", lambda: None)
    found = find("auto")
    assert (found.name, found.folder) == ("gpt2-tiny", TINY)
    assert "--reference gpt2-small" in found.why
    monkeypatch.setattr(references, "cached_small", lambda: tmp_path)
    assert (find("auto").name, find("auto").folder) == ("gpt2-small", tmp_path)


def test_auto_never_asks_the_hub(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a download was tried")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    assert find("auto").folder.is_dir()


def test_small_that_cannot_be_downloaded_is_one_clear_line(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no route to the hub\nand much more")

    monkeypatch.setattr(references, "cached_small", lambda: None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(Unavailable, match=r"no route to the hub.*--reference gpt2-tiny") as error:
        find("gpt2-small")
    assert "\n" not in str(error.value)


def test_small_is_found_in_a_cache_of_the_hubs_own_layout(monkeypatch, tmp_path, checkpoint):
    """Laid out as huggingface_hub does it, read by huggingface_hub itself."""
    import huggingface_hub.constants

    revision = "0" * 40
    repo = tmp_path / "models--openai-community--gpt2"
    snapshot = repo / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(revision)
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (snapshot / file).write_bytes((checkpoint / file).read_bytes())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert find("auto").name == "gpt2-small"
    assert load("gpt2-small", "cpu").cfg.n_layers == 2
    (snapshot / "model.safetensors").unlink()
    assert find("auto").name == "gpt2-tiny"


def test_a_checkpoint_folder_is_loaded_from_its_path(checkpoint):
    model = load(str(checkpoint), "cpu")
    assert (model.cfg.n_layers, model.cfg.d_model) == (2, 16)
    assert model.to_tokens(TEXT).tolist() == [FACTS["tokens_with_bos"]]
    assert not model.training


def spoil(folder, tmp_path, file, content=None):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(content)
    return str(copy)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", None, "no readable config.json"),
        ("config.json", "{", "no readable config.json"),
        ("config.json", "[]", "no readable config.json"),
        ("config.json", '{"model_type": "bert"}', "holds a 'bert' model"),
        ("model.safetensors", None, "no weights"),
        ("tokenizer.json", None, "no tokenizer.json"),
    ],
)
def test_a_folder_that_is_no_checkpoint(checkpoint, tmp_path, file, content, says):
    with pytest.raises(Unavailable, match=says) as error:
        find(spoil(checkpoint, tmp_path, file, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "rubbish"])
def test_weights_that_do_not_load(checkpoint, tmp_path, content):
    with pytest.raises(Unavailable, match="does not load as a GPT-2") as error:
        load(spoil(checkpoint, tmp_path, "model.safetensors", content), "cpu")
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there():
    with pytest.raises(Unavailable, match="no folder 'nowhere'"):
        find("nowhere")


def test_devices():
    there = available_devices()
    assert there[-1] == "cpu"
    assert pick_device("auto").type == there[0]
    assert pick_device("cpu").type == "cpu"
    for name in {"cuda", "mps", "tpu"} - set(there):
        with pytest.raises(Unavailable, match=f"no device '{name}' here"):
            pick_device(name)


# --- Near-ties -----------------------------------------------------------------------------------


def test_a_near_tie_is_not_clear():
    assert clear(torch.tensor([[0.0, 1.0, 2.0]]))
    assert not clear(torch.tensor([[0.0, 2.0, 2.0 + MARGIN / 2]]))
    assert not clear(torch.tensor([[0.0, 1.0, 2.0], [0.0, 2.0, 2.0]]))
    assert clear(torch.tensor([1.0, 1.0, 2.0]))
    assert not clear(torch.tensor([1.0, 1.0, 2.0]), k=2)


# --- gpt2-small itself ---------------------------------------------------------------------------


@pytest.mark.gpt2_small
@torch.no_grad()
def test_predictions_of_gpt2_small():
    model = load("gpt2-small")
    tokens = model.to_tokens(TEXT)
    predicted = [after for _, after in lesson4_decoding.predicted_pairs(model, TEXT)]
    assert predicted == FACTS["gpt2_small_argmax_next_token"]
    generated = lesson4_decoding.greedy_generate(model, TEXT, 4)[0, tokens.shape[1] :]
    assert generated.tolist() == FACTS["gpt2_small_greedy_first_generated_ids"]
