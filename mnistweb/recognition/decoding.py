"""Decode untrusted image files, within limits that are checked before any pixel is decoded."""

import base64
import binascii
import io
import math
import string
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.file_kinds import unsupported
from mnistweb.recognition.image_file import JPEG, PNG, count_scans, read_orientation, strip_metadata
from mnistweb.recognition.segmentation import find_ink
from mnistweb.recognition.types import Ink

FORMATS = ("PNG", "JPEG", "WEBP")
"""The formats of pictures that are read. Each further decoder would be one more that can be attacked."""
MAX_DATA_URL_HEAD = 200
"""Characters of a data URL up to its comma."""
URL_SAFE = bytes.maketrans(b"-_", b"+/")
"""From the URL-safe alphabet of base64 to the other one."""
WHITESPACE = string.whitespace.encode()
MAX_SIDE = 1024
"""Pixels. A larger picture is reduced before segmentation; 28x28 needs no more."""
MAX_UNREDUCED_PIXELS = 2 * 1024**2
"""Pixels of a PNG or WebP file, which cannot be reduced while decoding. More would take over 0.1 seconds."""
MAX_USUAL_SCANS = 4
MAX_SCANNED_PIXELS = 48 * 1024**2
"""Pixels of all scans of a JPEG with more than MAX_USUAL_SCANS. A hostile file has 100,000 scans."""
PIXELS_PER_SCAN = 20_000
"""Fixed cost of a scan, in pixels that take as long to decode."""
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture of this Exif orientation upright."""


def decode_base64_image(text: str, max_bytes: int) -> bytes:
    """Decode a data URL or bare base64 (RFC 4648, both alphabets, padded or not) to the bytes of a file.

    The media type is ignored, because the bytes say what the file is.
    Raises DrawingError: missing_image, not_base64, image_too_large.
    """
    text = text.strip()
    if not text:
        raise _missing()
    if text[:5].lower() == "data:":
        text = _strip_data_url(text)
    if len(text) * 3 // 4 > max_bytes + 2:
        raise image_too_large(max_bytes)
    try:
        digits = text.encode("ascii").translate(URL_SAFE, WHITESPACE).rstrip(b"=")
        data = base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DrawingError("not_base64", "The image is not valid base64.") from error
    if not data:
        raise _missing()
    return data


def _strip_data_url(text: str) -> str:
    head, comma, _ = text[:MAX_DATA_URL_HEAD].partition(",")
    parameters = [parameter.strip().lower() for parameter in head.split(";")[1:]]
    if not comma or "base64" not in parameters:
        raise DrawingError("not_base64", "The image is not a base64 data URL.")
    return text[len(head) + 1 :]


def _missing() -> DrawingError:
    return DrawingError("missing_image", "There is no picture to read.")


def image_too_large(max_bytes: int) -> DrawingError:
    """Return the error for a file of more than `max_bytes`."""
    sentence = f"The picture is larger than {max_bytes / 1024**2:.3g} MiB. Make it smaller, or use a JPEG."
    return DrawingError("image_too_large", sentence)


def read_drawing(data: bytes, max_pixels: int) -> Ink:
    """Decode a PNG, JPEG or WebP picture and find its ink: uint8 [H, W], 255 being full ink.

    Checks format and size in the header first. A picture may have at most `max_pixels`. PNG, WebP and JPEG
    with many scans have lower limits, so that decoding takes about 0.1 seconds at most.

    Raises DrawingError: missing_image, unsupported_media_type, too_many_pixels, animated_image,
    unreadable_image.
    """
    if not data:
        raise _missing()
    return find_ink(_to_pixels(_decode(data, max_pixels)))


def _decode(data: bytes, max_pixels: int) -> Image.Image:
    try:
        drawn, exif = strip_metadata(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of harmless oddities
            picture = Image.open(io.BytesIO(drawn), formats=FORMATS)
            _check_limits(picture, drawn, max_pixels)
            _reduce_while_decoding(picture)
            picture.load()
        turned = TRANSPOSITIONS.get(read_orientation(exif or picture.info.get("exif", b"")))
        return picture if turned is None else picture.transpose(turned)
    except DrawingError:
        raise
    except UnidentifiedImageError as error:
        raise (_unreadable() if _claims_format(data) else unsupported(data)) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(max_pixels) from error
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise _unreadable() from error


def _claims_format(data: bytes) -> bool:
    return data.startswith((PNG, JPEG)) or (data.startswith(b"RIFF") and b"WEBP".startswith(data[8:12]))


def _unreadable() -> DrawingError:
    return DrawingError("unreadable_image", "The picture is damaged or incomplete.")


def _check_limits(picture: Image.Image, data: bytes, max_pixels: int) -> None:
    pixels, most, otherwise = picture.width * picture.height, max_pixels, ""
    if picture.format != "JPEG":
        most, otherwise = min(most, MAX_UNREDUCED_PIXELS), ", or use a JPEG"
    elif (scans := count_scans(data)) > MAX_USUAL_SCANS:
        most = min(most, max(MAX_SCANNED_PIXELS // scans - PIXELS_PER_SCAN, 0))
        otherwise = ", or save it without progressive encoding"
    if pixels > most:
        raise _too_many_pixels(most, otherwise if pixels <= max_pixels else "")
    if getattr(picture, "is_animated", False):
        raise DrawingError("animated_image", "The picture is animated. Please use a still one.")


def _too_many_pixels(most: int, otherwise: str = "") -> DrawingError:
    sentence = f"The picture has more than {most:,} pixels. Make it smaller{otherwise}."
    return DrawingError("too_many_pixels", sentence)


def _reduce_while_decoding(picture: Image.Image) -> None:
    # JPEG decoders can reduce while decoding, to an eighth at most.
    share = min(1.0, MAX_SIDE / max(picture.size))
    picture.draft("RGB", (math.ceil(picture.width * share), math.ceil(picture.height * share)))


def _to_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """Convert any mode to uint8 [H, W, 4], red, green, blue, opacity, or to [H, W] if it is opaque grey."""
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.asarray(picture, np.float32)
        picture = Image.fromarray(np.uint8(grey * (255 / max(float(grey.max()), 255.0))))
    if picture.mode != "RGBA" and (picture.mode != "L" or picture.has_transparency_data):
        picture = picture.convert("RGBA")
    if picture.mode == "RGBA" and _is_grey_and_opaque(picture):
        picture = picture.getchannel("R")
    if max(picture.size) > MAX_SIDE:
        picture = picture.reduce(math.ceil(max(picture.size) / MAX_SIDE))
    return np.asarray(picture)


def _is_grey_and_opaque(picture: Image.Image) -> bool:
    colours: Any = picture.getcolors(256)  # there are no more greys; it gives up at the next colour
    return colours is not None and all(
        red == green == blue and opacity == 255 for _, (red, green, blue, opacity) in colours
    )
