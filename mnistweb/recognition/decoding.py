"""Untrusted bytes to a picture, within limits that are checked before anything is decoded."""

import base64
import binascii
import io
import math
import re
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.image_file import essence, orientation, scans
from mnistweb.recognition.segmentation import find_ink
from mnistweb.recognition.types import Ink

MEDIA_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?:;[^;,]*)*?(?P<base64>;base64)?,", re.IGNORECASE)
LARGEST_SIDE = 1024
"""Pixels; a larger picture is reduced before its ink is looked for. 28x28 needs no more."""
MOST_FULL_PIXELS = 2 * 1024**2
"""Of a PNG or WebP, which can't be reduced while it is decoded: more would take over a tenth of a second."""
USUAL_SCANS = 4
MOST_SCANNED = 48 * 1024**2
"""Pixels of all scans of a JPEG of more than the usual four; a hostile one has a hundred thousand scans."""
SCAN_PIXELS = 20_000
"""A scan takes as long as this many pixels, however few it has."""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a picture of that Exif orientation upright."""


def decode_base64_image(text: str, max_bytes: int) -> bytes:
    """The bytes of a data URL (PNG, JPEG or WebP) or of bare base64.

    Raises DrawingError: missing_image, unsupported_media_type, not_base64, image_too_large.
    """
    text = text.strip()
    if not text:
        raise DrawingError("missing_image", "There is no picture to read.")
    if text[:5].lower() == "data:":
        text = _strip_data_url(text)
    if len(text) * 3 // 4 > max_bytes + 2:
        raise too_large(max_bytes)
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DrawingError("not_base64", "The image is not valid base64.") from error
    if not data:
        raise DrawingError("missing_image", "There is no picture to read.")
    return data


def _strip_data_url(text: str) -> str:
    match = DATA_URL.match(text[:200])
    if match is None or not match["base64"]:
        raise DrawingError("not_base64", "The image is not a base64 data URL.")
    if match["type"].lower() not in MEDIA_TYPES:
        raise DrawingError("unsupported_media_type", "Can’t read this file. Please use a PNG, JPEG or WebP picture.")
    return text[match.end() :]


def too_large(max_bytes: int) -> DrawingError:
    """The refusal of a file of more than `max_bytes`."""
    sentence = f"The picture is larger than {max_bytes / 1024**2:.3g} MiB. Make it smaller, or use a JPEG."
    return DrawingError("image_too_large", sentence)


def read_drawing(data: bytes, max_pixels: int) -> Ink:
    """Decode a PNG, JPEG or WebP picture and find its ink: float32 [H, W] in 0..1.

    Size and format are read from the header and checked first: at most `max_pixels`, and of a PNG, a
    WebP and a JPEG of many scans at most what is decoded in about a tenth of a second. Raises DrawingError:
    missing_image, unsupported_media_type, too_many_pixels, animated_image, unreadable_image.
    """
    if not data:
        raise DrawingError("missing_image", "There is no picture to read.")
    return find_ink(_colours(_open(data, max_pixels)))


def _open(data: bytes, max_pixels: int) -> Image.Image:
    try:
        drawn, exif = essence(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about a file is no news
            picture = Image.open(io.BytesIO(drawn), formats=list(MEDIA_TYPES.values()))
            _check(picture, drawn, max_pixels)
            _reduce_while_decoding(picture)
            picture.load()
        turned = UPRIGHT.get(orientation(exif or picture.info.get("exif", b"")))
        return picture if turned is None else picture.transpose(turned)
    except DrawingError:
        raise
    except UnidentifiedImageError as error:
        if data.startswith(SIGNATURES):
            raise _unreadable() from error
        raise DrawingError(
            "unsupported_media_type", "Can’t read this file. Please use a PNG, JPEG or WebP picture."
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(max_pixels) from error
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files; all mean the same
        raise _unreadable() from error


def _unreadable() -> DrawingError:
    return DrawingError("unreadable_image", "The picture is damaged or incomplete.")


def _check(picture: Image.Image, data: bytes, max_pixels: int) -> None:
    most = max_pixels if picture.format == "JPEG" else min(max_pixels, MOST_FULL_PIXELS)
    if picture.format == "JPEG" and (passes := scans(data)) > USUAL_SCANS:
        most = min(most, max(MOST_SCANNED // passes - SCAN_PIXELS, 0))
    if picture.width * picture.height > most:
        raise _too_many_pixels(most)
    if getattr(picture, "is_animated", False):
        raise DrawingError("animated_image", "The picture is animated. Please use a still one.")


def _too_many_pixels(most: int) -> DrawingError:
    return DrawingError(
        "too_many_pixels", f"The picture has more than {most:,} pixels. Make it smaller, or use a JPEG."
    )


def _reduce_while_decoding(picture: Image.Image) -> None:
    # What a JPEG decoder can do, to an eighth at most.
    share = min(1.0, LARGEST_SIDE / max(picture.size))
    picture.draft("RGB", (math.ceil(picture.width * share), math.ceil(picture.height * share)))


def _colours(picture: Image.Image) -> NDArray[np.uint8]:
    """uint8 [H, W, 4]: red, green, blue, opacity; of 16-bit, palette and grey pictures too."""
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.asarray(picture, np.float32)
        picture = Image.fromarray(np.uint8(grey * (255 / max(float(grey.max()), 255.0))))
    grey_and_opaque = picture.mode == "L" and not picture.has_transparency_data
    if not grey_and_opaque:
        picture = picture.convert("RGBA")
    if max(picture.size) > LARGEST_SIDE:
        picture = picture.reduce(math.ceil(max(picture.size) / LARGEST_SIDE))
    pixels = np.asarray(picture)
    planes = [pixels] * 3 + [np.full_like(pixels, 255)] if grey_and_opaque else [*np.moveaxis(pixels, 2, 0)]
    # Plane by plane in memory, since they are looked at one by one.
    return np.moveaxis(np.stack(planes), 0, 2)
