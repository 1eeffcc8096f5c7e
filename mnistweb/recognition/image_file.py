"""What of an image file draws: everything else is left behind before a decoder in Python sees it.

Pillow reads the headers of PNG and JPEG files piece by piece, in Python, and unpacks profiles and texts. A
few megabytes of empty pieces would keep it busy for seconds, and what they say is not looked at here.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
PNG_PIECES = {b"IHDR", b"PLTE", b"tRNS", b"acTL", b"IDAT", b"IEND"}
MOST_PIECES = 8192
"""A PNG of 8 MiB that was written 1 KiB at a time has as many."""
MOST_HEADER = 64 * 1024
"""Bytes of a JPEG's tables; they have about two thousand."""
START_OF_SCAN = 0xDA
METADATA = {0xFE, *range(0xE1, 0xF0)} - {0xEE}  # comments and APPn; JFIF (E0) and Adobe (EE) tell the colours
ORIENTATION = 0x0112


class Damaged(ValueError):
    """The file's pieces are not what they say they are, or are too many."""


class Essence(NamedTuple):
    """A file without its metadata, and the Exif block that it had (TIFF, or empty)."""

    data: bytes
    exif: bytes


def essence(data: bytes) -> Essence:
    """What draws of a PNG or JPEG file; any other comes back as it is. Raises Damaged."""
    if data.startswith(PNG):
        return _of_png(data)
    if data.startswith(JPEG):
        return _of_jpeg(data)
    return Essence(data, b"")


def orientation(exif: bytes) -> int:
    """The orientation 1..8 that an Exif block gives a picture (Exif 2.32, 4.6.4), 1 where it gives none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", exif, 4)
    entries = exif[start + 2 : start + 2 + 12 * 256]  # a directory has some dozens
    for at in range(0, len(entries) - 11, 12):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", entries, at)
        if tag == ORIENTATION:
            return value if (kind, count) == (3, 1) and 1 <= value <= 8 else 1
    return 1


def scans(data: bytes) -> int:
    """How often a JPEG passes over its pixels; the pictures that lie behind it may be counted too."""
    return data.count(bytes((0xFF, START_OF_SCAN)))


def _of_png(data: bytes) -> Essence:
    kept, exif, left_out = [], b"", False
    places = _png_places(data)
    for start, end in pairwise(places):
        name = data[start + 4 : start + 8]
        if name in PNG_PIECES:
            kept.append(data[start:end])
            continue
        left_out = True
        if name == b"eXIf":
            exif = data[start + 8 : end - 4]
    # What the slate sends has nothing to leave out, and is not copied.
    return Essence(PNG + b"".join(kept) if left_out else data, exif)


def _png_places(data: bytes) -> list[int]:
    """Where each piece of a PNG starts, up to and with the place behind the last one."""
    places = [len(PNG)]
    while places[-1] < len(data):
        start = places[-1]
        if len(places) > MOST_PIECES:
            raise Damaged("too many pieces")
        places.append(start + 12 + int.from_bytes(data[start : start + 4], "big"))
        if data[start + 4 : start + 8] == b"IEND":
            break
    return places


def _of_jpeg(data: bytes) -> Essence:
    kept, exif, size = [data[:2]], b"", 0
    for marker, start, end in _jpeg_segments(data):
        if marker == START_OF_SCAN:
            return Essence(b"".join([*kept, data[start:]]), exif)
        if marker not in METADATA:
            kept.append(data[start:end])
            size += end - start
        elif data[start + 4 : start + 10] == b"Exif\0\0":
            exif = exif or data[start + 4 : end]
        if size > MOST_HEADER:
            break
    raise Damaged("no scan behind the headers")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG."""
    at = 2
    for _ in range(MOST_PIECES):
        if data[at : at + 2] == b"\xff\xff":  # any number of these may stand before a marker
            at += 1
            continue
        if len(data) < at + 4 or data[at] != 0xFF:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], at, end
        at = end
