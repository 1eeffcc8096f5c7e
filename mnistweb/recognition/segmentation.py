"""Separate ink from the ground it stands on, whatever their colours and whatever else is in the picture.

Most pictures have one ground all round, which is their frame's colour: then ink is what differs from it. In
others, `stroke.py` looks for the pen's stroke and asks what surrounds it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.stroke import MIN_CONTRAST, find_stroke
from mnistweb.recognition.types import Ink

FLAT = 12
"""Levels of 255 over which a frame of one colour spreads; paper in a photo spreads wider."""
NOISE_FLOOR = 16
"""Levels of 255. On a flat ground, less contrast is compression noise, not ink."""
FAINT, CLEAR = 0.1, 0.3
"""Shares of the strongest contrast. Faint ink counts only in rows and columns next to those with clear ink."""
PAGE_SHARE = 0.6
"""Share of the sides of its box that a page fills."""
MAX_SIDE = 360
"""Pixels on the longer side to which a picture is reduced in which a stroke is looked for."""

Pixels = NDArray[np.uint8]


def find_ink(pixels: Pixels) -> Ink:
    """Find ink, float32 [H, W] in 0..1, in uint8 [H, W] grey or [H, W, 4] red, green, blue and opacity.

    Ink differs from its ground: dark, light or coloured. On a transparent background, ink is the opacity.
    """
    if pixels.ndim == 2:
        return _find_in_opaque(pixels)
    if (grey := _opaque_grey(pixels)) is not None:
        return _find_in_opaque(grey)
    if np.ptp(pixels[..., 3]) > NOISE_FLOOR:
        if _opacity_is_ink(pixels):
            return _on_flat_ground(pixels[..., 3], 0)
        pixels = _fill_holes(pixels)
    return _find_in_opaque(pixels[..., :3])


def _opaque_grey(pixels: Pixels) -> Pixels | None:
    """Return the grey plane of an opaque picture without colour, and None for any other."""
    packed = np.ascontiguousarray(pixels).view("<u4")[..., 0]
    grey = packed & 0xFF
    return grey.astype(np.uint8) if np.array_equal(grey * 0x010101 + 0xFF000000, packed) else None


def _opacity_is_ink(pixels: Pixels) -> bool:
    """Return true for strokes on a transparent background, false for a picture with holes."""
    opaque = pixels[..., 3] > 127
    if opaque.mean() < 0.5:
        return True
    return bool(np.ptp(pixels[opaque][:, :3], axis=0).max() <= NOISE_FLOOR)


def _fill_holes(pixels: Pixels) -> Pixels:
    """Fill transparent pixels with the background's colour."""
    opacity = pixels[..., 3:].astype(np.float32) / 255
    background = np.median(pixels[pixels[..., 3] > 127][:, :3], axis=0)
    return (pixels[..., :3] * opacity + background * (1 - opacity)).astype(np.uint8)


def _find_in_opaque(colours: Pixels) -> Ink:
    """Find ink in uint8 [H, W] or [H, W, 3]."""
    frame = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    if int((frame.max(axis=0) - frame.min(axis=0)).max()) <= FLAT:
        ground = np.sort(frame, axis=0)[len(frame) // 2]
        contrast = np.maximum(colours, ground) - np.minimum(colours, ground)
        contrast = contrast if contrast.ndim == 2 else contrast.max(axis=2)
        if not _has_page(contrast):
            return _on_flat_ground(contrast, NOISE_FLOOR)
    picture = Image.fromarray(colours)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return find_stroke(np.asarray(_to_grey(picture), np.float32) / 255)


def _has_page(contrast: Pixels) -> bool:
    """Return whether what differs from the frame is a page: something wide with straight sides."""
    box = contrast[_extent(contrast.max(axis=1), NOISE_FLOOR / 2), _extent(contrast.max(axis=0), NOISE_FLOOR / 2)]
    if 3 * min(box.shape) < max(box.shape) or not box.size:
        return False
    inset = 2 if min(box.shape) > 20 else 0  # as a page's edge may be soft
    sides = ((box[at], box[-1 - at], box[:, at], box[:, -1 - at]) for at in {0, inset})
    return any(np.mean(np.concatenate(lines) > NOISE_FLOOR / 2) > PAGE_SHARE for lines in sides)


def _extent(profile: Pixels, least: float, clear: float | None = None) -> slice:
    """Return from where to where a profile exceeds `least` without a gap next to where it exceeds `clear`."""
    inked = np.flatnonzero(profile > (least if clear is None else clear))
    if not inked.size:
        return slice(0, 0)
    first, last = int(inked[0]), int(inked[-1]) + 1
    while first > 0 and profile[first - 1] > least:
        first -= 1
    while last < profile.size and profile[last] > least:
        last += 1
    return slice(first, last)


def _on_flat_ground(contrast: Pixels, floor: int) -> Ink:
    """Scale contrast 0..255 to a maximum of 1; what is faint and apart, and values up to `floor`, become 0."""
    ink = np.zeros(contrast.shape, np.float32)
    rows, columns = contrast.max(axis=1), contrast.max(axis=0)
    strongest = int(rows.max())
    if strongest < MIN_CONTRAST * 255:
        return ink
    box = tuple(_extent(side, max(FAINT * strongest, floor), CLEAR * strongest) for side in (rows, columns))
    levels = np.arange(256, dtype=np.float32) / np.float32(strongest)
    levels[: floor + 1] = 0
    ink[box] = levels[contrast[box]]
    return ink


def _to_grey(picture: Image.Image) -> Image.Image:
    """Return the one plane in which a picture's colours differ most: their first principal component."""
    if picture.mode == "L":
        return picture
    few = np.asarray(picture.resize((64, 64), Image.Resampling.NEAREST)).reshape(-1, 3)
    axis = np.linalg.eigh(np.cov(few, rowvar=False))[1][:, -1]
    axis /= np.abs(axis).sum() * (1 if axis.sum() > 0 else -1)
    return picture.convert("L", (*axis, -255 * float(np.minimum(axis, 0).sum())))
