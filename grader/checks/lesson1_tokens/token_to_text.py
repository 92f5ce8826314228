"""What `token_to_text` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

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


@token_to_text.check(points=4)
def every_other_byte(draw: Draw) -> Cases:
    """Characters that stand for other bytes are put together again as UTF-8."""
    for text in ["\t", "é", " naïve", "—", "漢", "🙂", "\r\n", "\xa0", "\xad", "\x7f", "ÿ"]:
        yield Case("".join(BYTE_TO_CHAR[b] for b in text.encode()))
    yield Case("".join(BYTE_TO_CHAR[b] for b in "\ufeffA".encode()))  # no mark of byte order here
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
    data = bytes(ord(char) - 256 if ord(char) > 255 else ord(char) for char in token)
    return data.decode("utf-8", errors="replace")
