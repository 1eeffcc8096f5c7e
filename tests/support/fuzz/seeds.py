"""Seed files: each accepted kind of image, and all known tricks against decoders."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from tests.support.bad_images import BAD_FILES, UNUSUAL_IMAGES
from tests.support.drawings import digit_png, draw_digit, encode
from tests.support.fuzz.pieces import chunk, exif, png, reseal, riff, segment, vp8x

MAX_IMAGE_BYTES = 8 * 1024**2
"""Default limit of an image in a request."""
MANY_CHUNKS = 100_000
SMALL_IMAGE = draw_digit(3).resize((40, 40))
BLANK = Image.new("L", (4096, 4096), 255)


@cache
def _noise(side: int, channels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(side).integers(0, 256, (side, side, channels), np.uint8)


def _tiled(side: int, channels: int) -> Image.Image:
    times = -(-side // 256)
    return Image.fromarray(np.tile(_noise(256, channels), (times, times, 1))[:side, :side])


def _frames(kind: str) -> bytes:
    file = io.BytesIO()
    SMALL_IMAGE.save(file, kind, save_all=True, append_images=[draw_digit(2).resize((40, 40))], duration=100)
    return file.getvalue()


def _in_png(pieces: bytes, at: int = 33) -> bytes:
    data = encode(SMALL_IMAGE)
    return data[:at] + pieces + data[at:]


def _claiming(width: int, height: int) -> bytes:
    data = encode(SMALL_IMAGE)
    return reseal(data[:16] + struct.pack(">II", width, height) + data[24:])


def _in_jpeg(pieces: bytes, at: int = 2, picture: Image.Image = SMALL_IMAGE) -> bytes:
    data = encode(picture, "JPEG")
    return data[:at] + pieces + data[at:]


def _webp(*pieces: tuple[bytes, bytes], flags: int = 0) -> bytes:
    data = encode(SMALL_IMAGE, "WEBP")
    return riff(vp8x(flags, 40, 40), (b"VP8 ", data[20:]), *pieces)


def _many_scans(side: int) -> bytes:
    data = encode(Image.new("L", (side, side), 255), "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    times = (MAX_IMAGE_BYTES - len(data)) // len(data[last:-2])
    return data[:-2] + data[last:-2] * times + data[-2:]


def _sixteen_bit(colours: int) -> bytes:
    channels = {0: 1, 2: 3, 6: 4}[colours]
    row = b"\4" + _noise(48, 2 * channels)[0].tobytes()
    return png(48, 48, 16, colours, row * 48)


def _icc(data: bytes) -> bytes:
    return b"name\0\0" + zlib.compress(data, 9)


# Small files of every kind, for mutation.
SEEDS: dict[str, bytes] = {
    **{f"PNG {mode}": encode(SMALL_IMAGE.convert(mode)) for mode in ("1", "L", "P", "RGB", "RGBA", "LA")},
    **{f"JPEG {mode}": encode(SMALL_IMAGE.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")},
    **{f"PNG of 16 bits, {kind}": _sixteen_bit(kind) for kind in (0, 2, 6)},
    **{
        f"PNG of {depth} bits": png(40, 40, depth, 0, bytes((1 + 40 * depth // 8) * 40))
        for depth in (1, 2, 4)
    },
    "PNG palette, transparent": encode(SMALL_IMAGE.convert("P"), transparency=0),
    "PNG interlaced": png(8, 8, 8, 0, bytes(79), interlaced=True),
    "PNG with a profile": _in_png(chunk(b"iCCP", _icc(bytes(3000)))),
    "PNG with texts": _in_png(
        chunk(b"tEXt", b"a\0b")
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b"))
        + chunk(b"iTXt", b"a\0\0\0\0\0b")
    ),
    "PNG with Exif": _in_png(chunk(b"eXIf", exif(3))),
    "PNG animated": _frames("PNG"),
    "JPEG progressive": encode(SMALL_IMAGE.convert("RGB"), "JPEG", progressive=True),
    "JPEG subsampled": encode(SMALL_IMAGE.convert("RGB"), "JPEG", subsampling=2, quality=20),
    "JPEG with restarts": encode(SMALL_IMAGE, "JPEG", restart_marker_blocks=1),
    "JPEG with a film after it": encode(SMALL_IMAGE, "JPEG") + b"\xff\xda" * 1000,
    "JPEG with Exif": _in_jpeg(segment(0xE1, b"Exif\0\0" + exif(3, order=">"))),
    "JPEG with a profile": _in_jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(300)), 20),
    "JPEG of several pictures": _in_jpeg(segment(0xE2, b"MPF\0" + exif(3)), 20),
    "WebP lossy": encode(SMALL_IMAGE.convert("RGB"), "WEBP"),
    "WebP with opacity": encode(SMALL_IMAGE.convert("RGBA"), "WEBP"),
    "WebP lossless": encode(SMALL_IMAGE.convert("RGBA"), "WEBP", lossless=True),
    "WebP animated": _frames("WEBP"),
    "WebP with Exif": _webp((b"EXIF", exif(3)), flags=8),
    "WebP with a profile": encode(SMALL_IMAGE.convert("RGB"), "WEBP", icc_profile=bytes(200)),
    "slate": digit_png(5),
    "orientation after end": _in_jpeg(segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff")),
    "bad checksum": encode(SMALL_IMAGE)[:-20] + bytes(20),
    "truncated PNG": encode(SMALL_IMAGE)[:-30],
    "truncated JPEG": encode(SMALL_IMAGE, "JPEG")[:-60],
    "truncated WebP": encode(SMALL_IMAGE, "WEBP")[:-20],
    **{f"bad: {name}": value[0] for name, value in BAD_FILES.items() if len(value[0]) < 60_000},
    **{f"unusual: {name}": data for name, data in UNUSUAL_IMAGES.items()},
}

# As large as a request may be, or claiming to be larger: without limits, seconds or gigabytes for a decoder.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty chunks": lambda: _in_png(chunk(b"abCd") * MANY_CHUNKS),
    "empty chunks behind the picture": lambda: _in_png(chunk(b"tEXt") * MANY_CHUNKS, -12),
    "empty data chunks": lambda: _in_png(chunk(b"IDAT") * MANY_CHUNKS),
    "texts that unpack to a gigabyte": lambda: _in_png(
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9)) * 1000
    ),
    "profiles that unpack to gigabytes": lambda: _in_png(chunk(b"iCCP", _icc(bytes(1_000_000))) * 4000),
    "a PNG's Exif of 65,000 entries": lambda: _in_png(chunk(b"eXIf", exif(65_000))),
    "data that unpacks to fifty megabytes": lambda: png(1, 1, 8, 0, bytes(50_000_000), level=9),
    "a PNG of 50,000 x 50,000": lambda: _claiming(50_000, 50_000),
    "a PNG of 2^31 x 1": lambda: _claiming(2**31 - 1, 1),
    "a blank PNG of 16 million pixels": lambda: encode(Image.new("RGBA", (4096, 4096))),
    "a noisy PNG of 2 million pixels": lambda: encode(_tiled(1448, 4), compress_level=1),
    "a PNG of 2 million pixels of 16 bits": lambda: png(
        1448, 1448, 16, 6, (b"\4" + _noise(1448, 8)[0].tobytes()) * 1448, level=1
    ),
    "an interlaced PNG of 2 million pixels": lambda: png(
        1448, 1448, 16, 6, bytes(1448 * 1456 * 8), interlaced=True
    ),
    "empty segments": lambda: _in_jpeg(segment(0xE4) * 20 * MANY_CHUNKS),
    "comments": lambda: _in_jpeg(segment(0xFE) * 20 * MANY_CHUNKS),
    "fill bytes": lambda: _in_jpeg(b"\xff" * 80 * MANY_CHUNKS),
    "junk before the picture": lambda: _in_jpeg(bytes(80 * MANY_CHUNKS), 20),
    "tables": lambda: _in_jpeg(segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 120),
    "a JPEG's Exif of 5,000 entries, often": lambda: _in_jpeg(segment(0xE1, b"Exif\0\0" + exif(5_000)) * 100),
    "profile in many parts": lambda: _in_jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1") * 5 * MANY_CHUNKS),
    "many scans": lambda: _many_scans(4096),
    "many scans of few pixels": lambda: _many_scans(8),
    "fill bytes in a scan": lambda: _in_jpeg(b"\xff" * 80 * MANY_CHUNKS, -2, BLANK),
    "fill bytes behind many segments": lambda: _in_jpeg(
        segment(0xFE) * 9000 + b"\xff" * 80 * MANY_CHUNKS, -2, BLANK
    ),
    "fill bytes in many rows": lambda: _in_jpeg((b"\xff" * 65_535 + b"\0") * 120, -2, BLANK),
    "empty segments in a scan": lambda: _in_jpeg(segment(0xFE) * 20 * MANY_CHUNKS, -2, BLANK),
    "markers without a length in a scan": lambda: _in_jpeg(b"\xff\xd0\xff\1" * 20 * MANY_CHUNKS, -2, BLANK),
    "a noisy JPEG of 16 million pixels": lambda: encode(_tiled(4096, 3), "JPEG", quality=50),
    "a progressive JPEG of 16 million pixels": lambda: encode(
        _tiled(4096, 3), "JPEG", quality=50, progressive=True
    ),
    "a long JPEG": lambda: encode(Image.new("RGB", (65_000, 256), (9, 9, 9)), "JPEG"),
    "a WebP canvas of 16,383 x 16,383": lambda: riff(
        vp8x(0, 16_383, 16_383), (b"VP8 ", encode(SMALL_IMAGE, "WEBP")[20:])
    ),
    "a noisy WebP of 2 million pixels": lambda: encode(_tiled(1448, 4), "WEBP", quality=60, method=0),
    "a lossless WebP of 2 million pixels": lambda: encode(
        _tiled(1448, 4), "WEBP", lossless=True, quality=0, method=0
    ),
    "empty WebP chunks": lambda: _webp(*[(b"abcd", b"")] * 10 * MANY_CHUNKS),
    "a WebP's Exif of 65,000 entries": lambda: _webp((b"EXIF", exif(65_000)), flags=8),
    "many frames": lambda: reseal(_frames("WEBP")[:-8] * 200),
}
