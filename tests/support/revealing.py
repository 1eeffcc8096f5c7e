"""Picture files that hold more than their pixels, in every place where a format has room for it."""

import zlib

import numpy as np
from PIL import Image

from tests.support.drawings import digit_png, draw_digit, encode
from tests.support.fuzz.pieces import PNG, chunk, riff, segment

SECRET = b"GPS 48.8584N 2.2945E, of Ada Lovelace"
"""Private text, which must not be kept. Compressed, it is found by the shape of the file instead."""
TEXT = b"Comment\0"
PNG_CHUNKS = {
    "tEXt": TEXT + SECRET,
    "zTXt": TEXT + b"\0" + zlib.compress(SECRET),
    "iTXt": TEXT + b"\0\0\0\0" + SECRET,
    "eXIf": b"MM\0*\0\0\0\x08\0\0" + SECRET,
    "iCCP": b"profile\0\0" + zlib.compress(SECRET),
    "sPLT": b"palette\0\x08" + SECRET[:36],
    "pHYs": SECRET[:9],
    "tIME": SECRET[:7],
    "gAMA": SECRET[:4],
    "cHRM": SECRET[:32],
    "sRGB": SECRET[:1],
    "sBIT": SECRET[:1],
    "bKGD": SECRET[:2],
    "hIST": SECRET[:2],
    "tRNS": SECRET[:2],
    "PLTE": SECRET[:36],
    "caBX": SECRET,
    "prVt": SECRET,
}
SIDE = 280
ROWS = b"".join(b"\0" + row.tobytes() for row in np.asarray(draw_digit(3)))


def _with_chunk(name: str, at: int) -> bytes:
    data = digit_png(3)
    return data[:at] + chunk(name.encode(), PNG_CHUNKS[name]) + data[at:]


def _idat(data: bytes) -> bytes:
    head = SIDE.to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND")


def _webp() -> bytes:
    """Return the chunk of the pixels of a simple WebP file."""
    return encode(draw_digit(3).convert("RGB"), "WEBP", lossless=True)[12:]


def _extended_webp() -> bytes:
    pixels = _webp()
    name, content = pixels[:4], pixels[8 : 8 + int.from_bytes(pixels[4:8], "little")]
    sides = (SIDE - 1).to_bytes(3, "little") * 2
    extended = (b"VP8X", bytes((0x2C, 0, 0, 0)) + sides)
    hidden = [(each, SECRET) for each in (b"EXIF", b"XMP ", b"ABCD")]
    return riff(extended, (b"ICCP", SECRET), (name, content), *hidden)


JPEG = encode(draw_digit(3), "JPEG", quality=95)
REVEALING = {
    **{f"PNG {name} before the pixels": _with_chunk(name, 33) for name in PNG_CHUNKS},
    **{f"PNG {name} behind the pixels": _with_chunk(name, len(digit_png(3)) - 12) for name in PNG_CHUNKS},
    "PNG with bytes behind its end": digit_png(3) + SECRET,
    "PNG with an archive behind its end": digit_png(3) + b"PK\3\4" + SECRET,
    "PNG with bytes behind its compressed pixels": _idat(zlib.compress(ROWS) + SECRET),
    "PNG with more rows than it says": _idat(zlib.compress(ROWS + SECRET)),
    "PNG with a second stream of pixels": _idat(zlib.compress(ROWS))[:-12]
    + chunk(b"IDAT", SECRET)
    + chunk(b"IEND"),
    "PNG with a full end": digit_png(3)[:-12] + chunk(b"IEND", SECRET),
    "PNG with colours": encode(draw_digit(3).convert("RGB")),
    "PNG with opacity": encode(draw_digit(3).convert("RGBA")),
    "PNG with a palette": encode(draw_digit(3).convert("P")),
    "PNG of 16 bits": encode(Image.fromarray(np.asarray(draw_digit(3)).astype(np.uint16) * 257)),
    **{
        f"JPEG with segment {marker:X}": JPEG[:20] + segment(marker, name + SECRET) + JPEG[20:]
        for marker, name in (
            (0xE0, b"JFXX\0\x13"),
            (0xE1, b"Exif\0\0"),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
            (0xE2, b"ICC_PROFILE\0\1\1"),
            (0xE2, b"MPF\0"),
            (0xEB, b"JP"),
            (0xED, b"Photoshop 3.0\0"),
            (0xEF, b"any"),
            (0xFE, b""),
        )
    },
    "JPEG with bytes behind its end": JPEG + SECRET,
    "WebP with Exif, XMP, a profile and an unknown chunk": _extended_webp(),
    "WebP with bytes behind its end": encode(draw_digit(3), "WEBP", lossless=True) + SECRET,
}
"""Files by what they reveal. Each shows a three."""
