"""Separate ink from the ground it stands on, in any colours and beside other things.

Most pictures have one ground all round, which is their frame's colour. Then ink is all that differs from it.
In others, beside captions and in frames, `stroke.py` looks for the pen's stroke and asks what surrounds it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.margin import is_drawn_to_the_edge
from mnistweb.recognition.regions import COARSE_SIDE, NOISE, Grey, Mask
from mnistweb.recognition.specks import without_specks
from mnistweb.recognition.stroke import find_stroke
from mnistweb.recognition.types import Ink, to_ink

FLAT = 12
"""Levels of 255 over which a frame of one colour spreads; paper in a photo spreads wider."""
MIN_CONTRAST = 0.1
"""Share of the range. A picture on a flat ground with less contrast has no ink."""
FAINT, CLEAR = 0.1, 0.3
"""Shares of the strongest contrast. Faint ink counts in rows and columns next to those with clear ink."""
PAGE_SHARE = 0.6
"""Share of the sides of its box that a page fills."""
SHEET_SHARE = 0.7
"""Share of its box that opaque strokes of several colours fill at most. A page or a badge fills more."""
MIN_VARIANCE = 0.05
"""Share of the first plane's variance that another plane has in which a stroke is looked for."""
MAX_SIDE = 360
"""Pixels on the longer side to which a picture is reduced in which a stroke is looked for."""

Pixels = NDArray[np.uint8]


def find_ink(pixels: Pixels) -> Ink:
    """Find ink, uint8 [H, W], in uint8 [H, W] grey or [H, W, 4] red, green, blue and opacity.

    Ink differs from its ground: dark, light or coloured. On a transparent background, ink is the opacity.
    """
    if pixels.ndim == 2:
        return _find_in_opaque(pixels)
    if np.ptp(pixels[..., 3]) > NOISE:
        if _opacity_is_ink(pixels):
            return _scale_opacity(pixels[..., 3])
        pixels = _fill_holes(pixels)
    return _find_in_opaque(pixels[..., :3])


def _opacity_is_ink(pixels: Pixels) -> bool:
    """Return true for strokes on a transparent background, false for a picture with holes."""
    opaque = pixels[..., 3] > 127
    if not opaque.any() or np.ptp(pixels[opaque][:, :3], axis=0).max() <= NOISE:
        return True
    rows, columns = (np.flatnonzero(opaque.any(axis=axis)) for axis in (1, 0))
    return bool(opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() <= SHEET_SHARE)


def _scale_opacity(opacity: Pixels) -> Ink:
    strongest = int(opacity.max())
    return np.zeros_like(opacity) if strongest < MIN_CONTRAST * 255 else _scale(opacity, strongest)


def _scale(levels: Pixels, strongest: int) -> Ink:
    """Scale levels to full ink for the strongest."""
    return levels if strongest == 255 else to_ink(levels / np.float32(strongest))


def _fill_holes(pixels: Pixels) -> Pixels:
    """Fill transparent pixels with the background's colour."""
    opacity = pixels[..., 3:].astype(np.float32) / 255
    background = np.median(pixels[pixels[..., 3] > 127][:, :3], axis=0)
    filled: Pixels = (pixels[..., :3] * opacity + background * (1 - opacity)).astype(np.uint8)
    return filled


def _find_in_opaque(colours: Pixels) -> Ink:
    """Find ink in uint8 [H, W] or [H, W, 3]."""
    frame = np.sort(np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]]), axis=0)
    ground = frame[len(frame) // 2]
    flat = int((frame[-1] - frame[0]).max()) <= FLAT
    levels, level = _as_levels(colours, ground)
    if flat or is_drawn_to_the_edge(_contrast(levels, level)):
        ink = _on_flat_ground(levels, level)
        if ink is not None:
            return ink
    picture = Image.fromarray(colours)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return find_stroke(_to_planes(picture))


def _as_levels(colours: Pixels, ground: Pixels) -> tuple[Pixels, int]:
    """Return one level for each pixel, and the ground's; for colours, how far they are from the ground's."""
    if colours.ndim == 2:
        return colours, int(ground)
    planes = np.ascontiguousarray(np.moveaxis(colours, 2, 0))  # one by one they are four times as fast
    return _contrast(planes, ground[:, None, None]).max(axis=0), 0


def _on_flat_ground(levels: Pixels, ground: int) -> Ink | None:
    """Scale the contrast with the ground to full ink for the strongest.

    Noise becomes 0, and so does faint ink that is apart. Returns None if a page stands on the ground, or
    captions or a frame.
    """
    rows, columns = _profile(levels, ground, 1), _profile(levels, ground, 0)
    strongest = int(rows.max())
    ink = np.zeros_like(levels)
    if strongest < MIN_CONTRAST * 255:
        return ink
    box = _extent(rows, strongest), _extent(columns, strongest)
    contrast = _contrast(np.ascontiguousarray(levels[box]), ground)
    if _is_page(contrast):
        return None
    ink[box] = _scale(contrast * (contrast > NOISE), strongest)
    apart = any(_has_gap(each, strongest) for each in (rows, columns)) or _may_have_frame(contrast, strongest)
    if apart and max(levels.shape) >= COARSE_SIDE:
        return without_specks(ink, CLEAR * 255)
    return ink


def _profile(levels: Pixels, ground: int, axis: int) -> Pixels:
    """Return the strongest contrast of each row or column."""
    if ground <= NOISE:
        return _contrast(levels.max(axis=axis), ground)
    if ground >= 255 - NOISE:
        return _contrast(levels.min(axis=axis), ground)
    return np.maximum(*(_contrast(extreme(axis=axis), ground) for extreme in (levels.min, levels.max)))


def _contrast(levels: Pixels, ground: int | Pixels) -> Pixels:
    if isinstance(ground, int) and ground == 0:
        return levels
    level = np.uint8(ground)
    return np.maximum(levels, level) - np.minimum(levels, level)


def _extent(profile: Pixels, strongest: int) -> slice:
    """Return from where to where there is clear ink, and faint ink without a gap next to it."""
    clear = (profile > CLEAR * strongest).tobytes()
    faint = (profile > FAINT * strongest).tobytes()
    first, last = clear.find(1), clear.rfind(1)
    return slice(faint.rfind(0, 0, first) + 1, faint.find(0, last) % (len(faint) + 1))


def _has_gap(profile: Pixels, strongest: int) -> bool:
    """Return whether something clear stands apart."""
    clear = (profile > CLEAR * strongest).tobytes()
    return clear.find(0, clear.find(1), clear.rfind(1)) >= 0


def _may_have_frame(contrast: Pixels, strongest: int) -> bool:
    """Return whether three things lie beside and above each other: a frame's sides, and a stroke in it."""
    clear = contrast > int(CLEAR * strongest)
    return all(_three_runs(clear)) and any(_three_runs(clear.T))


def _three_runs(mask: Mask) -> Iterator[bool]:
    """Say of some rows of the middle third whether they have three runs."""
    for line in mask[len(mask) // 3 : 2 * len(mask) // 3 : 1 + len(mask) // 16]:
        yield (b"\0" + line.tobytes()).count(b"\0\1") > 2


def _is_page(contrast: Pixels) -> bool:
    """Return whether a box is filled along its sides, as a page fills its own and a narrow bar does."""
    height, width = contrast.shape
    if 3 * min(height, width) < max(height, width):
        return False
    for inset in (0, 2) if min(height, width) > 20 else (0,):  # a page's edge may be soft
        sides = contrast[inset], contrast[-1 - inset], contrast[:, inset], contrast[:, -1 - inset]
        if np.count_nonzero(np.concatenate(sides) > NOISE // 2) > PAGE_SHARE * 2 * (height + width):
            return True
    return False


def _to_planes(picture: Image.Image) -> Iterator[Grey]:
    """Yield planes in which a picture's colours differ: their principal components, the first one first."""
    if picture.mode == "L":
        yield np.asarray(picture, np.float32) / 255
        return
    few = np.asarray(picture.resize((64, 64), Image.Resampling.NEAREST)).reshape(-1, 3)
    variances, axes = np.linalg.eigh(np.cov(few, rowvar=False))
    for axis in axes.T[::-1][: np.count_nonzero(variances >= MIN_VARIANCE * variances[-1])]:
        weights = axis / (np.abs(axis).sum() * (1 if axis.sum() > 0 else -1))
        plane = picture.convert("L", (*weights, -255 * float(np.minimum(weights, 0).sum())))
        yield np.asarray(plane, np.float32) / 255
