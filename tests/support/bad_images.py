"""Images that must be rejected, with status and error code, and unusual ones that must be accepted."""

import io
import zlib

import numpy as np
from PIL import Image

from tests.support.drawings import data_url, digit_png, draw_digit, encode


def _animated(kind: str) -> bytes:
    file = io.BytesIO()
    draw_digit(1).save(file, kind, save_all=True, append_images=[draw_digit(2)], duration=100)
    return file.getvalue()


def _claimed_size(width: int, height: int) -> bytes:
    """Return a small PNG whose header claims this size, which must be checked before decoding."""
    small = encode(Image.new("L", (1, 1)))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    chunk = b"IHDR" + header + small[24:29]
    return small[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + small[33:]


NOISE = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)

# name: (file, media type, status, error code)
BAD_FILES: dict[str, tuple[bytes, str, int, str]] = {
    "text": (b"not a picture", "image/png", 415, "unsupported_media_type"),
    "truncated": (digit_png()[:200], "image/png", 400, "unreadable_image"),
    "header only": (digit_png()[:8], "image/png", 400, "unreadable_image"),
    "wrong content": (encode(draw_digit(3), "GIF"), "image/png", 415, "unsupported_media_type"),
    "too many bytes": (encode(Image.fromarray(NOISE)), "image/png", 413, "image_too_large"),
    "too many pixels": (_claimed_size(50_000, 50_000), "image/png", 413, "too_many_pixels"),
    "animated PNG": (_animated("PNG"), "image/png", 422, "animated_image"),
    "animated WebP": (_animated("WEBP"), "image/webp", 422, "animated_image"),
    "blank": (encode(Image.new("L", (280, 280))), "image/png", 422, "empty_drawing"),
    "fully transparent": (encode(Image.new("RGBA", (280, 280))), "image/png", 422, "empty_drawing"),
}

# name: (text, status, error code)
BAD_TEXTS: dict[str, tuple[str, int, str]] = {
    "nothing": ("", 400, "missing_image"),
    "empty data URL": ("data:image/png;base64,", 400, "missing_image"),
    "not base64": ("data:image/png;base64,***", 400, "not_base64"),
    "not ASCII": ("data:image/png;base64,é", 400, "not_base64"),
    "lone surrogate": ("\ud800", 400, "not_base64"),
    "SVG": (data_url(b"<svg/>", "image/svg+xml"), 415, "unsupported_media_type"),
    "not encoded": ("data:image/png,abc", 400, "not_base64"),
} | {
    name: (data_url(data, media_type), status, code)
    for name, (data, media_type, status, code) in BAD_FILES.items()
}

# Unusual formats that show a digit clearly.
UNUSUAL_IMAGES: dict[str, bytes] = {
    "palette": encode(draw_digit(3).convert("P")),
    "16-bit": encode(Image.fromarray(np.asarray(draw_digit(3)).astype(np.uint16) * 257)),
    "1-bit": encode(draw_digit(3).convert("1")),
    "transparent background": encode(Image.merge("LA", (Image.new("L", (280, 280)), draw_digit(3)))),
    "dark ink on light": encode(draw_digit(3).point(lambda value: 255 - value)),
    "colour": encode(draw_digit(3).convert("RGB")),
    "JPEG": encode(draw_digit(3), "JPEG"),
    "WebP": encode(draw_digit(3), "WEBP"),
}
