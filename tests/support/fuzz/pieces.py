"""Image files composed of chunks and segments, as no encoder would write them."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """Return a chunk of a PNG, with its correct checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int,
    height: int,
    depth: int,
    colours: int,
    rows: bytes,
    *,
    interlaced: bool = False,
    level: int = 6,
) -> bytes:
    """Return a PNG of filtered rows; `colours` is PNG's colour type."""
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND")


def segment(marker: int, content: bytes = b"") -> bytes:
    """Return a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def riff(*pieces: tuple[bytes, bytes]) -> bytes:
    """Return a WebP file of these chunks."""
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in pieces
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8x(flags: int, width: int, height: int) -> tuple[bytes, bytes]:
    """Return the chunk with features and size of an extended WebP."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + sides


def exif(entries: int, count: int = 1, value: int = 6, order: str = "<") -> bytes:
    """Return an Exif block of `entries` entries; the first one is the orientation."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, entries)
    first = struct.pack(order + "HHIHH", 0x0112, 3, count, value, 0)
    others = (struct.pack(order + "HHII", tag, 7, 60_000, 0) for tag in range(0x0113, 0x0112 + entries))
    return head + first + b"".join(others) + bytes(4)


def reseal(data: bytes) -> bytes:
    """Correct the checksums of a PNG's chunks, or the size of a RIFF file."""
    if data.startswith(b"RIFF"):
        return b"RIFF" + struct.pack("<I", max(len(data) - 8, 0)) + data[8:]
    if not data.startswith(PNG):
        return data
    sealed, at = [PNG], len(PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        sealed.append(chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join([*sealed, data[at:]])
