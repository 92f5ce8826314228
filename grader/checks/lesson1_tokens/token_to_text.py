"""What `token_to_text` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import unicodedata

from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from solutions.lesson1_tokens import BYTE_TO_CHAR

token_to_text = Exercise(
    "token_to_text",
    hints=(
        "Two steps: from characters back to bytes, then from bytes to text. Only the first is "
        "special to GPT-2.",
        "`BYTE_TO_CHAR` goes from bytes to characters. Turn it round, and look up every character "
        "of the token.",
        "`bytes` makes one object of all the integers you looked up. Decode that in one go, with "
        "the `errors` that the docstring names.",
    ),
)


@token_to_text.check(points=3)
def spaces_and_line_breaks(draw: Draw) -> Cases:
    """`Ġ` is a space, `Ċ` a line break; other letters stay as they are."""
    for token in ["Ġ", "Ġthe", "ĊĊ", "ing", "ĠĠĠ", "<|endoftext|>", draw.pick("abc") + "Ġ"]:
        yield Case(token)
    # Signs that other tokenizers have, and that mean nothing here; and spaces before punctuation.
    for token in ["</w>", "##ing", "<0x41>", "&amp;", "<|pad|>", "Ġ.Ġ,Ġn't"]:
        yield Case(token)


@token_to_text.check(points=4)
def every_other_byte(draw: Draw) -> Cases:
    """Characters that stand for other bytes are put together again as UTF-8."""
    for text in ["\t", "é", " naïve", "—", "漢", "🙂", "\r\n", "\xa0", "\xad", "\x7f", "ÿ"]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))
    yield Case("".join(BYTE_TO_CHAR[b] for b in "\ufeffA".encode()))  # no mark of byte order here
    # All stay what they are: a letter and its accent, a ligature, what has no width.
    for text in ["▁", "\ufffd", "e\u0301", "ﬁ", "\u200b"]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))
    yield Case("".join(BYTE_TO_CHAR[b] for b in range(128)))
    text = "".join(chr(draw.integer(0x80, 0xD7FF)) for _ in range(4))
    yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))


@token_to_text.check(points=3)
def half_a_character(draw: Draw) -> Cases:
    """Bytes that are no valid UTF-8 become the replacement character."""
    for piece in [
        b"\xf0\x9f",
        b"\x99",
        b" \xe6\xbc",
        b"\xe2\x80",
        b"\xff",
        b"a\xc3b",
        b"\xed\xa0\x80",  # half a surrogate pair is no UTF-8
        bytes(range(256)),
    ]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in piece))


# tutorials: the one line that most pages on visualising tokens have
@token_to_text.misconception
def only_the_space(token):
    """Only Ġ translated.

    The space is the most frequent of the bytes shown by a stand-in, but it is one of 68, and
    accents take two bytes each. Where would a table of all of them come from?
    """
    return token.replace("Ġ", " ")


@token_to_text.misconception
def space_and_line_break(token):
    """Only Ġ and Ċ translated.

    A tab has a stand-in, too, and every letter outside ASCII is spelt by several. Could you treat
    all characters alike?
    """
    return token.replace("Ġ", " ").replace("Ċ", "\n")


@token_to_text.misconception
def bytes_taken_for_characters(token):
    """Each byte taken for a character of its own.

    A byte's number is a code point only below 128: beyond, UTF-8 spells one character by two
    bytes or more. What puts bytes together to text?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return "".join(chr(byte_of[char]) for char in token)


# courses: a written question of at least one asks why this is wrong
@token_to_text.misconception
def bytes_decoded_one_by_one(token):
    """UTF-8 decoded byte by byte.

    The two bytes of é mean nothing on their own. At which point do you decode, and how many bytes
    are there at that point?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return "".join(bytes([byte_of[char]]).decode("utf-8", errors="replace") for char in token)


@token_to_text.misconception
def strict_decoding(token):
    """Decoding that raises on half a character.

    A token may end in the middle of an emoji. What should stand for bytes that are no text, and
    how do you say so to `decode`?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8")


@token_to_text.misconception
def invalid_bytes_dropped(token):
    """Bytes that are no valid text dropped.

    A reader should see that something was there. Which way of handling errors leaves a mark?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8", errors="ignore")


# issues: stand-ins explained as "the byte plus 256", of which it is true up to the space
@token_to_text.misconception
def minus_256(token):
    """256 taken off every stand-in, as if it had been added to the byte.

    That fits the space and everything below, as these are the first bytes without a shape of
    their own. Which bytes come next among the 68, and where do they stand in the order?
    """
    data = bytes(ord(char) % 256 for char in token)
    return data.decode("utf-8", errors="replace")


# What comes of the wrong bytes is mostly no text, so that decoding shows in tokens where nothing
# was to be replaced: the two slips are not seen apart.
@token_to_text.misconception
def minus_256_and_dropped(token):
    """256 taken off every stand-in, and what is then no text dropped.

    That fits the space and everything below. The byte of "ł" is another, so that "Âł" is no text
    any more, and `errors="ignore"` hides it. Where do the other stand-ins stand in the order?
    """
    return bytes(ord(char) % 256 for char in token).decode("utf-8", errors="ignore")


@token_to_text.misconception
def minus_256_and_strict(token):
    """256 taken off every stand-in, and an error where that is no text.

    That fits the space and everything below. The byte of "ł" is another, so that "Âł" is no text
    any more. Where do the other stand-ins stand in the order, and what becomes of half a character?
    """
    return bytes(ord(char) % 256 for char in token).decode("utf-8")


@token_to_text.misconception
def space_stripped(token):
    """White space stripped off.

    The space is a part of the token, and a token may be nothing but a line break. What would be
    lost if the texts of all tokens were joined?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8", errors="replace").strip()


@token_to_text.misconception
def bytes_not_decoded(token):
    """Bytes, not text.

    They are the right ones, and UTF-8 says which text they spell. Which method of bytes gives a
    string?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token)


@token_to_text.misconception
def table_the_wrong_way_round(token):
    """BYTE_TO_CHAR read the wrong way round.

    Its keys are bytes and its values characters, and what you have are characters. Which
    dictionary has characters as its keys?
    """
    return bytes(BYTE_TO_CHAR[char] for char in token).decode("utf-8", errors="replace")


@token_to_text.misconception
def code_points_taken_for_bytes(token):
    """Code points taken for bytes.

    Printable bytes stand for themselves, so this goes well up to the first Ġ, which is 288 and no
    byte. Where can you look up which byte a character stands for?
    """
    return bytes(ord(char) for char in token).decode("utf-8", errors="replace")


@token_to_text.misconception
def latin_1_taken_for_the_table(token):
    """Latin-1 taken for the table of stand-ins.

    It agrees with the table on printable bytes and has nothing for the other 68: it ends at 255.
    What is Ġ in BYTE_TO_CHAR?
    """
    return token.encode("latin-1").decode("utf-8", errors="replace")


@token_to_text.misconception
def bytes_shown_by_escapes(token):
    """Bytes that are no valid text shown by escapes.

    Four characters such as \\x99 then stand in the text as if somebody had written them. Which
    way of handling errors puts the replacement character there?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8", errors="backslashreplace")


@token_to_text.misconception
def bytes_kept_as_surrogates(token):
    """Bytes that are no valid text kept as surrogates.

    Such a string can be neither printed nor saved as UTF-8. Which way of handling errors puts the
    replacement character there?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return bytes(byte_of[char] for char in token).decode("utf-8", errors="surrogateescape")


@token_to_text.misconception
def displayed_where_it_is_no_text(token):
    """The token as displayed where its bytes are no valid text.

    Part of it may well be text, and a stand-in is not what the token says. What does `decode` do
    by itself with the bytes that it cannot read?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    try:
        return bytes(byte_of[char] for char in token).decode("utf-8")
    except UnicodeDecodeError:
        return token


@token_to_text.misconception
def nothing_where_it_is_no_text(token):
    """Nothing where its bytes are no valid text.

    Part of it may well be text, and a reader should see that there was more. What does `decode` do
    by itself with the bytes that it cannot read?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    try:
        return bytes(byte_of[char] for char in token).decode("utf-8")
    except UnicodeDecodeError:
        return ""


@token_to_text.misconception
def end_of_text_dropped(token):
    """<|endoftext|> turned into nothing.

    Decoders can be told to skip special tokens. Here its text is asked for like that of any other.
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    text = bytes(byte_of[char] for char in token).decode("utf-8", errors="replace")
    return text.replace("<|endoftext|>", "")


# other tokenizers: CLIP and the paper on byte-pair encoding mark the ends of words
@token_to_text.misconception
def end_of_word_mark(token):
    """</w> taken for the end of a word.

    Other tokenizers mark where a word ends. GPT-2 puts the space in front of the next one, so what
    are these four characters here?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    text = bytes(byte_of[char] for char in token).decode("utf-8", errors="replace")
    return text.replace("</w>", " ")


# old API: clean_up_tokenization_spaces was true by default
@token_to_text.misconception
def tidied_up(token):
    """Spaces in front of punctuation tidied away.

    That is meant for reading, and loses what was written. What is " ." as text?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    text = bytes(byte_of[char] for char in token).decode("utf-8", errors="replace")
    for mark in (".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"):
        text = text.replace(" " + mark, mark)
    return text


@token_to_text.misconception
def normalised(token):
    """Unicode normalised.

    An e and an accent are two characters that look like one. A tokenizer that loses nothing keeps
    them apart; who asked for them to be put together?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    text = bytes(byte_of[char] for char in token).decode("utf-8", errors="replace")
    return unicodedata.normalize("NFC", text)


@token_to_text.misconception
def latin_1_where_it_is_no_text(token):
    """Latin-1 where the bytes are no valid UTF-8.

    Latin-1 reads any bytes, and makes letters of them that nobody wrote. What should stand for
    bytes that are no text?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    data = bytes(byte_of[char] for char in token)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@token_to_text.misconception
def one_replacement_for_all_of_it(token):
    """One replacement character for all of a token that is no valid text.

    A part of it may well be text. What does `decode` do by itself with the bytes that it cannot
    read, and with those beside them?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    try:
        return bytes(byte_of[char] for char in token).decode("utf-8")
    except UnicodeDecodeError:
        return "\ufffd"


@token_to_text.misconception
def space_line_break_and_tab(token):
    """Only Ġ, Ċ and ĉ translated.

    A carriage return has a stand-in, too, and every letter outside ASCII is spelt by several. Could
    you treat all characters alike?
    """
    return token.replace("Ġ", " ").replace("Ċ", "\n").replace("ĉ", "\t")


@token_to_text.misconception
def bytes_as_python_writes_them(token):
    """The bytes as Python writes them, with b and quotes.

    `str` of bytes shows them, for a person who looks for errors. Which method reads them as text?
    """
    byte_of = {char: b for b, char in BYTE_TO_CHAR.items()}
    return str(bytes(byte_of[char] for char in token))
