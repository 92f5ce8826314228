"""What `token_spans` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from grader.checks import texts
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from solutions import lesson1_tokens as earlier

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


token_spans = Exercise(
    "token_spans",
    hints=(
        "If you had the bytes of each token, where would the first one start, and where each of "
        "the others?",
        "`tokenizer.tokenize` gives tokens as displayed, one character per byte. `BYTE_TO_CHAR`, "
        "read backwards, makes bytes of them without decoding anything.",
        "Keep a running `start`. Each token adds (its bytes, start, start + their number), and "
        "the next one starts where it ended.",
    ),
)


@token_spans.check(points=3)
def words_and_spaces(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Each token's bytes, where they start and where they end."""
    yield Case(tokenizer, "")
    yield Case(tokenizer, "a")
    yield Case(tokenizer, " the")
    yield Case(tokenizer, "is it")
    for text in draw.shuffled(texts.SENTENCES)[:3]:
        yield Case(tokenizer, text)


@token_spans.check(points=4)
def digits_accents_emoji(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Nothing is lost: offsets are in bytes, and half a character has its own span."""
    yield Case(tokenizer, "é")
    yield Case(tokenizer, "é 42")
    yield Case(tokenizer, " \n")
    yield Case(tokenizer, "<|endoftext|>a")
    yield Case(tokenizer, "\ufeffe\u0301\r\nﬁ\0 ")  # what others tidy away or put together
    yield Case(tokenizer, "🙂")
    yield Case(tokenizer, "One<|endoftext|>two")
    for text in texts.ODD:
        yield Case(tokenizer, text)


@token_spans.check(points=3)
def without_bos(draw: Draw, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """No BOS among the tokens, whichever way the tokenizer is set up."""
    yield Case(bos_tokenizer, "a")
    yield Case(bos_tokenizer, draw.pick(texts.SENTENCES))


@token_spans.misconception
def character_offsets(tokenizer, text):
    """Offsets in characters, not bytes.

    The tokenizer's own offsets count characters, of which an emoji is one in spite of its four
    bytes. What do the numbers count that are asked for here?
    """
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [(text[a:b].encode(), a, b) for a, b in encoding["offset_mapping"]]


# forum: several tokens of one emoji with the same offsets.
@token_spans.misconception
def whole_characters(tokenizer, text):
    """Half a character given the span of all of it.

    Where an emoji is three tokens, each of them got the whole emoji, and joined up it would be
    there three times. Offsets in characters cannot point into one; which bytes has each token?
    """
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = []
    for a, b in encoding["offset_mapping"]:
        start = len(text[:a].encode())
        piece = text[a:b].encode()
        spans.append((piece, start, start + len(piece)))
    return spans


@token_spans.misconception
def decoded_one_by_one(tokenizer, text):
    """Half characters decoded, and lost.

    Decoding a token that is a part of an emoji gives the replacement character, which is three
    bytes of something else. Where can you see a token's bytes before they are decoded?
    """
    spans = []
    start = 0
    for token in tokenizer.encode(text, add_special_tokens=False):
        piece = tokenizer.decode(token).encode()
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def stand_ins_encoded(tokenizer, text):
    """The vocabulary's stand-ins encoded in place of the bytes.

    Ġ is one displayed character for one byte, but two bytes in UTF-8 itself. Look each character
    up before you count.
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = token.encode()
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def end_included(tokenizer, text):
    """The end counted in.

    As in any Python slice, `end` is the first byte that is not part of the token: where the next
    one starts.
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece) - 1))
        start += len(piece)
    return spans


@token_spans.misconception
def automatic_bos(tokenizer, text):
    """BOS among the tokens.

    It is not in the text, so every span after it is thirteen bytes off. Some tokenizers add one by
    themselves; how do you keep them from it?
    """
    spans = []
    start = 0
    for token in tokenizer.convert_ids_to_tokens(tokenizer.encode(text)):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def first_occurrence(tokenizer, text):
    """Each token searched for from the beginning of the text.

    A search finds the first place where the bytes occur, and short tokens occur more than once.
    Where does a token start if you know where the one before it ended?
    """
    spans = []
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        start = text.encode().find(piece)
        spans.append((piece, start, start + len(piece)))
    return spans


@token_spans.misconception
def text_for_bytes(tokenizer, text):
    """Text instead of bytes.

    Half a character is no text, so its bytes cannot be told from the replacement character. What
    does b"..." hold that a string does not?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece.decode(errors="replace"), start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def tokens_as_displayed(tokenizer, text):
    """Tokens as the vocabulary displays them, not bytes.

    Each displayed character stands for one byte, so the offsets are right. Which byte does Ġ stand
    for?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        spans.append((token, start, start + len(token)))
        start += len(token)
    return spans


@token_spans.misconception
def start_and_length(tokenizer, text):
    """The length in place of the end.

    As in any Python slice, `end` says where a token ends in the text, not how long it is. What
    is to be added to the length?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def start_never_moved(tokenizer, text):
    """Every token started at 0.

    A token starts where the one before it ended. Which line moves the start?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
    return spans


@token_spans.misconception
def space_between_tokens(tokenizer, text):
    """One byte counted between tokens, as if spaces stood there.

    A space is part of the token that begins with it, so nothing lies between two tokens. Where
    does the next one start?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece) + 1
    return spans


@token_spans.misconception
def end_of_text_left_out(tokenizer, text):
    """<|endoftext|> left out.

    In a text that was given it is thirteen bytes like others, and nothing is to be lost. Which
    step drops special tokens?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        if piece != b"<|endoftext|>":
            spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def text_stripped(tokenizer, text):
    """The text stripped.

    White space at the beginning and end is made of bytes, too, and every offset counts from the
    first. What happens to the text before it is tokenised?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text.strip()):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def spaces_left_out_of_the_tokens(tokenizer, text):
    """Spaces left out of the tokens.

    The space in front is a byte of the token, and without it the bytes no longer join up to the
    text. Which step takes it away?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        without = piece.lstrip()
        start += len(piece) - len(without)
        spans.append((without, start, start + len(without)))
        start += len(without)
    return spans


@token_spans.misconception
def normalised(tokenizer, text):
    """Unicode normalised.

    An e and an accent are two characters that look like one. A tokenizer that loses nothing keeps
    them apart; who asked for them to be put together?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(unicodedata.normalize("NFC", text)):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def bos_as_an_empty_span(tokenizer, text):
    """An empty span for BOS.

    A BOS that the tokenizer adds is no part of the text, and offsets show it as a token of no
    characters. How do you keep the tokenizer from adding one?
    """
    spans = []
    start = 0
    for token in tokenizer.convert_ids_to_tokens(tokenizer.encode(text)):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        if not spans and not text.encode().startswith(piece):
            piece = b""
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


@token_spans.misconception
def only_spaces_restored(tokenizer, text):
    """Only Ġ turned back, all other stand-ins encoded as they are.

    The space is one of 68 bytes with a stand-in, and the bytes of "é" show as two letters, of two
    bytes each. Who knows all of them?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = token.replace("Ġ", " ").encode()
        spans.append((piece, start, start + len(piece)))
        start += len(piece)
    return spans


# NumPy people: cumsum counts its own entry in
@token_spans.misconception
def one_token_late(tokenizer, text):
    """Every token started where it should end.

    A running sum that counts the token itself says where that token ends. Where does it start, and
    where does the first one?
    """
    spans = []
    start = 0
    for token in tokenizer.tokenize(text):
        piece = bytes(earlier.CHAR_TO_BYTE[char] for char in token)
        start += len(piece)
        spans.append((piece, start, start + len(piece)))
    return spans
