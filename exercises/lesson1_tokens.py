"""Lesson 1: tokens, what a transformer reads.

A transformer models text: you give it some, and it answers with a probability for every piece of
text that could come next. But it is made of matrix products, so text must become numbers first.
This lesson is about the first half of that: cutting text into pieces, and numbering the pieces.

What you will be able to do
---------------------------
- Say what a token is, and why GPT-2 uses neither words nor characters.
- Train a byte-pair encoding by hand, and read one that somebody else trained.
- Predict how a capital letter, a leading space or a digit changes the tokens of a text.
- Add, remove and count the BOS token without an off-by-one.
- Line up each token with the one that the model should predict from it.

The model you check against
---------------------------
Your answers are compared with a live GPT-2, run by TransformerLens on the best device here:

    from grader.reference import load
    model = load()

which comes down to one call:

    from transformer_lens.model_bridge import TransformerBridge
    model = TransformerBridge.boot_transformers("gpt2", device=device)

Most published courses still show what this replaced:

    HookedTransformer.from_pretrained("gpt2-small", fold_ln=False, center_unembed=False,
                                      center_writing_weights=False, device=device)

`HookedTransformer` left the library with TransformerLens 4. The three `False` switches asked it to
leave the weights as they were trained; `boot_transformers` does that without being asked.

Why neither words nor characters
--------------------------------
A dictionary of words has no entry for a web address, a typing error or a word coined yesterday.
Single characters can spell all of these, but then "language" is eight steps, no fewer than
"ngfaslgh", and the model spends its strength on spelling. A good vocabulary has short names for
what is frequent, and can still spell what is not.

Byte-pair encoding (BPE) gets there by counting. Begin with the 256 possible bytes. Find the pair
of neighbours that occurs most often in a large text, make the pair a new token, and count again.
GPT-2's first five merges, over a large part of the web, were

    " t"   " a"   "he"   "in"   "re"

and after 50,000 of them its vocabulary was complete: 256 bytes, 50,000 merges and one special
token make 50,257.

A space is a byte like any other, and as most words follow one, it mostly gets merged into the
*front* of a word. " Ralph" and "Ralph" are then two different tokens or token sequences, with
nothing in common as far as the model knows. Vocabulary files show bytes by printable stand-ins: a
space as `Ġ`, a line break as `Ċ`.

BOS, EOS, PAD
-------------
`<|endoftext|>`, id 50256, is GPT-2's only special token. It stood between documents in training,
so it means "a text ends here" and "a text begins here" (BOS) alike, and as GPT-2 has no padding
token, people pad with it, too. TransformerLens puts one before every text you give it as a
string: `model(text)`, `model.to_tokens(text)`, `model.to_str_tokens(text)`. It gives the first real
token something to be predicted from, and attention heads somewhere to rest. Turn it off with
`prepend_bos=False`; when a result is off by one, look here first.

Key takeaways
-------------
- A vocabulary is a fixed list of text pieces; a piece's place in that list is its id.
- Tokenising loses nothing (apart from bytes that are no valid text), but it is not tidy:
  capitals, spaces and digits are cut in ways that nobody designed.
- A transformer's input is a sequence of ids.
- From n tokens it makes n predictions, the i-th of which is about token i + 1.

In the examples below, `tokenizer` is GPT-2's: `from grader.reference import load_tokenizer`.
`python exercises/lesson1_tokens.py` draws what your solved functions find, see the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer

END_OF_TEXT = 50256

# GPT-2 shows byte b as BYTE_TO_CHAR[b]. Printable bytes stand for themselves; the other 68, in
# order, for the characters from code point 256 on, so that byte 32, the space, is chr(288), "Ġ".
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [b for b in range(256) if b not in _PRINTABLE]
BYTE_TO_CHAR = {b: chr(b) for b in _PRINTABLE} | {b: chr(256 + i) for i, b in enumerate(_OTHERS)}


# --- Where to run --------------------------------------------------------------------------------


def choose_device(mps: bool, cuda: bool) -> torch.device:
    """Very easy, 2 minutes. The device to run on, given which accelerators there are.

    Prefer `mps` (Apple's GPUs), then `cuda` (NVIDIA's), then the CPU. With
    `choose_device(torch.backends.mps.is_available(), torch.cuda.is_available())` this is the
    first cell of most notebooks.

    >>> choose_device(mps=False, cuda=True)
    device(type='cuda')
    """
    raise NotImplementedError


# --- The vocabulary ------------------------------------------------------------------------------


def sort_vocab(vocab: dict[str, int]) -> list[tuple[str, int]]:
    """Very easy, 3 minutes. The vocabulary as (token, id) pairs in order of id.

    `tokenizer.get_vocab()` is such a dictionary, in no useful order. The argument stays as it is.

    >>> sort_vocab({"in": 259, "!": 0, "he": 258})
    [('!', 0), ('he', 258), ('in', 259)]
    """
    raise NotImplementedError


def count_token_lengths(vocab: dict[str, int]) -> dict[int, int]:
    """Easy, 5 minutes. How many tokens there are of each length.

    Length is counted in characters *as displayed* in the vocabulary, so "Ġthe" has 4, and every
    token counts, "<|endoftext|>" too. Only lengths that occur are keys.

    >>> count_token_lengths({"he": 258, "in": 259, "Ġthe": 262})
    {2: 2, 4: 1}
    """
    raise NotImplementedError


def first_token_of_length(sorted_vocab: list[tuple[str, int]], length: int) -> str:
    """Easy, 5 minutes. The token with the lowest id among those of this length, as displayed.

    The pairs come sorted by id, as `sort_vocab` returns them. `""` where there is no such token.
    As low ids were merged early, these are the most frequent pieces of each length: in GPT-2's
    vocabulary `ing`, `Ġthe`, `Ġthat`, `Ġtheir` and `Ġpeople` for lengths 3 to 7.

    >>> first_token_of_length([("!", 0), ("he", 258), ("in", 259)], 2)
    'he'
    >>> first_token_of_length([("!", 0), ("he", 258), ("in", 259)], 9)
    ''
    """
    raise NotImplementedError


def token_to_text(token: str) -> str:
    """Medium, 10 minutes. The text that a token of the vocabulary stands for.

    Each displayed character is one byte: see `BYTE_TO_CHAR` above. The bytes together are UTF-8.
    A token may hold half a character only; what is not valid UTF-8 becomes "\\ufffd", the
    replacement character, as Python's `errors="replace"` does it. Nothing else is changed, tidied
    up or left out: "<|endoftext|>" and "</w>" are text like any other.

    >>> token_to_text("Ġthe"), token_to_text("Ċ"), token_to_text("Ã©")
    (' the', '\\n', 'é')
    """
    raise NotImplementedError


# --- Byte-pair encoding --------------------------------------------------------------------------


def most_common_pair(words: list[list[bytes]]) -> tuple[bytes, bytes] | None:
    """Medium, 10 minutes. The pair of neighbouring tokens that occurs most often.

    Each word is a list of tokens, and tokens may be any bytes. Pairs are counted within words only,
    at every position, so [b"a", b"a", b"a"] has the pair (b"a", b"a") twice. Among equally frequent
    pairs, the one whose first occurrence comes first wins. None where there is no pair at all.

    >>> most_common_pair([[b"t", b"h", b"e"], [b"h", b"e"]])
    (b'h', b'e')
    """
    raise NotImplementedError


def merge_pair(tokens: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Medium, 10 minutes. The word with every occurrence of the pair made one token.

    From left to right, and a token can be part of one merge only: [b"a", b"a", b"a"] becomes
    [b"aa", b"a"]. Tokens may be any bytes, spaces and half characters among them. Returns a new
    list; the argument stays as it is.

    >>> merge_pair([b"t", b"h", b"e", b"t", b"h"], (b"t", b"h"))
    [b'th', b'e', b'th']
    """
    raise NotImplementedError


def train_bpe(words: list[str], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Hard, 20 minutes. The first merges of a byte-pair encoding trained on these words.

    Every word (GPT-2 leaves the space in front of it) starts as its UTF-8 bytes, one token each,
    whatever they are: nothing is stripped, split or turned to lower case. Then `n_merges` times:
    find the most common pair, counted within words as `most_common_pair` counts, ties to the pair
    that occurs first; record it; merge it in every word. Stop early when no word has a pair left.
    Returns the merges in the order they were made.

    >>> train_bpe([" the", " then", " hen"], 2)
    [(b'h', b'e'), (b' ', b't')]
    """
    raise NotImplementedError


# --- The tokenizer -------------------------------------------------------------------------------


def spelling_variants(tokenizer: GPT2Tokenizer, word: str) -> dict[str, list[str]]:
    """Easy, 10 minutes. How a word tokenises with and without a capital and a leading space.

    For a word in lower case, four keys: "ralph", "Ralph", " ralph" and " Ralph" (in any order).
    Only the first letter gets a capital, "jack-o'-lantern" one as well. Each value is the list of
    that form's tokens as text, with a real space where there is one, and without BOS.

    >>> spelling_variants(tokenizer, "ralph")[" ralph"]
    [' r', 'alph']
    """
    raise NotImplementedError


def token_spans(tokenizer: GPT2Tokenizer, text: str) -> list[tuple[bytes, int, int]]:
    """Medium, 15 minutes. A text's tokens with where each starts and ends.

    In bytes of the UTF-8 text, because an emoji is one character and can be three tokens: each
    entry is (the token's bytes, start, end) with end not included, so that joining the bytes
    gives `text.encode()` again and nothing is lost. Without BOS; an "<|endoftext|>" in the text is
    one of its tokens.

    >>> token_spans(tokenizer, "é 42")
    [(b'\\xc3\\xa9', 0, 2), (b' 42', 2, 5)]
    """
    raise NotImplementedError


# --- BOS -----------------------------------------------------------------------------------------


def prepend_bos(
    tokens: Int[Tensor, "... seq"], bos_token_id: int = END_OF_TEXT
) -> Int[Tensor, "... seq+1"]:
    """Easy, 5 minutes. The tokens with a BOS in front of each sequence.

    Works with and without batch dimensions and on empty sequences. dtype and device are those
    of the argument, which stays as it is.

    >>> prepend_bos(torch.tensor([[40, 716]]))
    tensor([[50256,    40,   716]])
    """
    raise NotImplementedError


def strip_bos(
    tokens: Int[Tensor, "... seq"], bos_token_id: int = END_OF_TEXT
) -> Int[Tensor, "... rest"]:
    """Medium, 10 minutes. The tokens without the BOS in front, where there is one.

    Only a leading BOS goes, and only one: a later one marks the end of a text. Tokens that do not
    begin with BOS come back unchanged, and so does an empty sequence. In a batch, either every
    sequence begins with BOS or none does; a mixture raises ValueError, as its rows would no longer
    be equally long. The argument stays as it is.

    >>> strip_bos(torch.tensor([50256, 40, 50256]))
    tensor([   40, 50256])
    """
    raise NotImplementedError


def encode(
    tokenizer: GPT2Tokenizer, texts: str | list[str], prepend_bos: bool = True
) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]:
    """Hard, 20 minutes. One batch of ids and its attention mask, from one text or several.

    A single string is a batch of one. Each text gets one BOS in front if `prepend_bos`, whatever
    it begins with, and none otherwise. (Careful: some tokenizers add it by themselves,
    `model.tokenizer` among them; with `add_special_tokens=False` none does.) Shorter rows are
    padded on the right with `tokenizer.eos_token_id`. No text is cut, stripped or left out, and the
    list stays as it is. An empty text without BOS has no ids: alone, it makes two integer tensors
    of shape (1, 0). BOS is yours to add: the tokenizer's `build_inputs_with_special_tokens` and
    `prepare_for_model` (which some versions of transformers have) are off limits.

    The mask, of integers, is 1 for BOS and text, 0 for padding. Padding has the same id as BOS and
    as an "<|endoftext|>" inside a text, so the ids alone do not tell which is which.

    >>> ids, attention_mask = encode(tokenizer, ["Ralph", " Ralph"])
    >>> ids
    tensor([[50256,    49, 17307],
            [50256, 20993, 50256]])
    >>> attention_mask
    tensor([[1, 1, 1],
            [1, 1, 0]])
    """
    raise NotImplementedError


def inputs_and_targets(
    tokens: Int[Tensor, "... seq"], bos_token_id: int | None = None
) -> tuple[Int[Tensor, "... n"], Int[Tensor, "... n"]]:
    """Medium, 10 minutes. What the model reads at each position, and what it should predict there.

    The target of a position is the token that follows it. Without `bos_token_id`, n is seq - 1: the
    last token is nobody's input and the first nobody's target. With it, BOS is the input that the
    first token is predicted from, so every token is a target and n is seq.

    >>> inputs_and_targets(torch.tensor([5, 6, 7]))
    (tensor([5, 6]), tensor([6, 7]))
    >>> inputs_and_targets(torch.tensor([5, 6, 7]), bos_token_id=50256)
    (tensor([50256,     5,     6]), tensor([5, 6, 7]))
    """
    raise NotImplementedError


if __name__ == "__main__":
    from grader import pictures
    from grader.reference import load_tokenizer

    tokenizer = load_tokenizer()
    pictures.tokens(token_spans, tokenizer, "Ralph, ralph and 56873+3184623: a naïve café, 日本.")
