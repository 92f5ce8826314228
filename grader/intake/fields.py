"""What the reader's process and the grader say to one another: frames of a flat list of texts, each
with its length in front. To read one takes time and memory linear in its bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable

LENGTH = struct.Struct("!I")
MOST_BYTES = 64_000_000  # of a frame
MOST = 200_000  # texts in it


class Malformed(ValueError):
    """Bytes that are no frame, or fields that are not what was asked for."""


def pack(fields: Iterable[str]) -> bytes:
    """A frame, without its own length. Half surrogates, of names of files, are kept."""
    texts = [field.encode("utf-8", "surrogatepass") for field in fields]
    return b"".join(part for text in texts for part in (LENGTH.pack(len(text)), text))


def counted(texts: Iterable[str]) -> list[str]:
    """With their number in front."""
    texts = list(texts)
    return [str(len(texts)), *texts]


class Fields:
    """Takes the texts of a frame, one after the other. Raises `Malformed`, and nothing else."""

    def __init__(self, frame: bytes) -> None:
        self._texts: list[str] = []
        at = 0
        while at < len(frame):
            if len(self._texts) == MOST or at + LENGTH.size > len(frame):
                raise Malformed("fields")
            [size] = LENGTH.unpack_from(frame, at)
            at += LENGTH.size
            if at + size > len(frame):
                raise Malformed("lengths")
            try:
                self._texts.append(frame[at : at + size].decode("utf-8", "surrogatepass"))
            except UnicodeDecodeError:
                raise Malformed("no text") from None
            at += size
        self._texts.reverse()

    def text(self, most: int = MOST_BYTES) -> str:
        if not self._texts or len(self._texts[-1]) > most:
            raise Malformed("a text that is missing, or too long")
        return self._texts.pop()

    def written(self, most: int = MOST_BYTES) -> str:
        """A text that can be written to a file."""
        text = self.text(most)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Malformed("half a character") from None
        return text

    def number(self, most: int) -> int:
        text = self.text(12)
        if not (text.isascii() and text.isdigit()) or int(text) > most:
            raise Malformed("no number")
        return int(text)

    def end(self) -> None:
        if self._texts:
            raise Malformed("too many fields")
