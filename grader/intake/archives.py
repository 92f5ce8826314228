"""Archives in memory, within bounds: nothing is unpacked to a disk."""

from __future__ import annotations

import bz2
import lzma
import re
import tarfile
import zipfile
import zlib
from typing import IO, Any

from grader.intake.words import MB, MEMBERS, NAME, Refused, Spent, too_many

ARCHIVE = 64 * MB  # packed, and of a tar also unpacked; a clone of the kit makes 44


def up_to(file: IO[bytes], limit: int) -> bytes:
    """All of it, or one byte more than `limit`: what it says of its own size may be wrong."""
    pieces, left = [], limit + 1
    while left > 0 and (piece := file.read(min(left, MB))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def check_directory(data: bytes) -> None:
    """Raises `Refused` for a zip whose directory `zipfile` is slow to read: it makes an object
    of each entry and takes quadratic time for extra fields."""
    entries = [found.start() for found in re.finditer(b"PK\1\2", data)]
    if len(entries) > MEMBERS:
        raise Spent(too_many())
    if sum(int.from_bytes(data[at + 30 : at + 32], "little") for at in entries) > 2 * MB:
        raise Refused("packed in an unusual way. Make an ordinary zip.")


def unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    if info.flag_bits & 1:
        raise Refused("encrypted. Pack it without a password.")
    # `zipfile` unpacks the others without a limit.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("packed in an unusual way. Make an ordinary zip.")
    with archive.open(info) as member:
        return up_to(member, limit)


def unpacked(data: bytes) -> bytes:
    unpacker: Any
    if data.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(31)  # gzip
    elif data.startswith(b"BZh"):
        unpacker = bz2.BZ2Decompressor()
    elif data.startswith(b"\xfd7zXZ\0"):
        unpacker = lzma.LZMADecompressor(memlimit=100 * MB)  # `xz -9` needs 67
    else:
        return data
    unpacked: bytes = unpacker.decompress(data, ARCHIVE + 1)
    if len(unpacked) > ARCHIVE:
        raise Refused(f"more than {ARCHIVE // MB} MB unpacked. Hand in your lessons alone.")
    if not unpacker.eof:
        raise Refused("cut short. Pack it again.")
    return unpacked


def tar_members(data: bytes) -> list[tuple[str, bool, memoryview]]:
    """(name, whether it is a link or another odd thing, content) of every member but folders.

    `tarfile` reads single headers only: it searches extended ones in quadratic time
    (CVE-2024-6232).
    """
    view, members, name, at = memoryview(data), [], b"", 0
    while any(header := data[at : at + 512]):
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        is_bodiless = info.isdir() or info.issym() or info.islnk() or info.isdev()
        size = 0 if is_bodiless else info.size
        at += 512
        content = view[at : at + size] if size >= 0 else view[:0]
        if len(content) != size:
            raise Refused("cut short. Pack it again.")
        at += -(-size // 512) * 512
        if info.type == tarfile.GNUTYPE_LONGNAME:
            name = bytes(content[: NAME + 1]).rstrip(b"\0")
        elif info.type == tarfile.XHDTYPE:
            path = re.search(rb"(?:\A|\n)\d{1,9} path=([^\n]*)\n", content)
            name = path[1] if path else name
        elif info.type not in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            if not info.isdir():
                shown = name.decode("utf-8", "surrogateescape") if name else info.name
                members.append((shown, not info.isreg(), content))
            name = b""
    return members


def piece_of(content: memoryview, limit: int) -> bytes:
    return bytes(content[: limit + 1])
