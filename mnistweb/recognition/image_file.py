"""Strip metadata from PNG and JPEG files before Pillow parses them.

Pillow parses headers in Python, piece by piece, and unpacks colour profiles and texts. A few megabytes of
empty chunks would keep it busy for seconds, and recognition needs no metadata.
"""

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"acTL", b"IDAT", b"IEND"}
MAX_CHUNKS = 8192
"""Chunks of a PNG, or segments of a JPEG. A PNG of 8 MiB written 1 KiB at a time has as many."""
MAX_HEADER_BYTES = 64 * 1024
"""Bytes of a JPEG's tables, which usually have about 2,000."""
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""A marker with a length after it, or the end. Decoders skip the others, which scans are full of."""
FILL = b"\xff" * 65_536
"""More fill bytes than a block of Pillow's. libjpeg begins such a row anew at every block."""
METADATA = {0xFE, *range(0xE1, 0xF0)} - {0xEE}  # comments and APPn; JFIF (E0) and Adobe (EE) define colours
ORIENTATION = 0x0112


class DamagedFile(ValueError):
    """The chunks or segments of a file are inconsistent, or too many."""


class StrippedFile(NamedTuple):
    """A file without its metadata, and its Exif block (TIFF, or empty)."""

    data: bytes
    exif: bytes


def strip_metadata(data: bytes) -> StrippedFile:
    """Remove metadata from a PNG or JPEG file; return other files unchanged. Raises DamagedFile."""
    if data.startswith(PNG):
        return _strip_png(data)
    if data.startswith(JPEG):
        return _strip_jpeg(data)
    return StrippedFile(data, b"")


def read_orientation(exif: bytes) -> int:
    """Read the orientation 1..8 from an Exif block (Exif 2.32, 4.6.4); 1 if it has none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", exif, 4)
    entries = exif[start + 2 : start + 2 + 12 * 256]  # usually a few dozen
    for at in range(0, len(entries) - 11, 12):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", entries, at)
        if tag == ORIENTATION:
            return value if (kind, count) == (3, 1) and 1 <= value <= 8 else 1
    return 1


def count_scans(data: bytes) -> int:
    """Count the scans of a JPEG up to its end, as libjpeg finds them.

    Of a file without an end, or with too many segments, it counts whatever looks like a scan: never too few.
    Raises DamagedFile for too many fill bytes.
    """
    scans, end = _scans_and_end(data)
    if data.find(FILL, 0, end) >= 0:
        raise DamagedFile("too many fill bytes")
    return scans


def _scans_and_end(data: bytes) -> tuple[int, int]:
    scans, at = 0, 2
    for _ in range(MAX_CHUNKS):
        found = MARKER.search(data, at)
        if found is None:
            break
        at = found.end()
        marker = data[at - 1]
        if marker == END_OF_IMAGE:
            return scans, at
        scans += marker == START_OF_SCAN
        at += max(2, int.from_bytes(data[at : at + 2], "big"))  # a shorter length is read and ignored
    return data.count(bytes((0xFF, START_OF_SCAN))), len(data)


def _strip_png(data: bytes) -> StrippedFile:
    kept, exif, left_out = [], b"", False
    places = _png_chunk_offsets(data)
    for start, end in pairwise(places):
        name = data[start + 4 : start + 8]
        if name in PNG_CHUNKS:
            kept.append(data[start:end])
            continue
        left_out = True
        if name == b"eXIf":
            exif = data[start + 8 : end - 4]
    # The slate's files have no metadata, and are not copied.
    return StrippedFile(PNG + b"".join(kept) if left_out else data, exif)


def _png_chunk_offsets(data: bytes) -> list[int]:
    """Return the offset of each chunk of a PNG, and the end of the last one."""
    places = [len(PNG)]
    while places[-1] < len(data):
        start = places[-1]
        if len(places) > MAX_CHUNKS:
            raise DamagedFile("too many chunks")
        places.append(start + 12 + int.from_bytes(data[start : start + 4], "big"))
        if data[start + 4 : start + 8] == b"IEND":
            break
    return places


def _strip_jpeg(data: bytes) -> StrippedFile:
    kept, exif, size = [data[:2]], b"", 0
    for marker, start, end in _jpeg_segments(data):
        if marker == START_OF_SCAN:
            return StrippedFile(b"".join([*kept, data[start:]]), exif)
        if marker not in METADATA:
            kept.append(data[start:end])
            size += end - start
        elif data[start + 4 : start + 10] == b"Exif\0\0":
            exif = exif or data[start + 4 : end]
        if size > MAX_HEADER_BYTES:
            break
    raise DamagedFile("no scan after the headers")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment of a JPEG."""
    at = 2
    for _ in range(MAX_CHUNKS):
        if data[at : at + 2] == b"\xff\xff":  # fill bytes before a marker
            at += 1
            continue
        if len(data) < at + 4 or data[at] != 0xFF:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], at, end
        at = end
