"""Telling ink from ground, whatever their colours: a slate, a transparent canvas, a photo of paper."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnistweb.recognition.types import Ink

FLAT = 6
"""Levels of 255 within which most of a drawn picture's ground lies; a photo's spreads wider."""
FLOOR = 16
"""Levels of 255 under which a drawn picture's contrast is what compression left, not ink."""
LEAST_CONTRAST = 0.1
"""Ink that differs from its ground by less than this share of the range is not taken for ink."""
PHOTO_SIDE = 360

Colours = NDArray[np.uint8]
Grey = NDArray[np.floating[Any]]


def find_ink(colours: Colours) -> Ink:
    """Ink float32 [H, W] in 0..1 of uint8 [H, W, 4] red, green, blue and opacity.

    Dark ink on a light ground, light ink on a dark one and coloured ink are told by their distance from the
    ground's colour; ink on a transparent ground by its opacity; a photo's uneven ground is evened out first.
    """
    opacity = colours[..., 3]
    if np.ptp(opacity) > FLOOR:
        if _opacity_is_ink(colours):
            return _stretch(opacity.astype(np.float32) / 255, 0)
        colours = _fill_holes(colours)
    return _of_opaque(colours[..., :3])


def _opacity_is_ink(colours: Colours) -> bool:
    """True for strokes on a transparent ground, False for a picture with holes or rounded corners."""
    opaque = colours[..., 3] > 127
    if opaque.mean() < 0.5:
        return True
    return bool(np.ptp(colours[opaque][:, :3], axis=0).max() <= FLOOR)


def _fill_holes(colours: Colours) -> Colours:
    """Lay the picture on its own ground's colour."""
    opacity = colours[..., 3:].astype(np.float32) / 255
    ground = np.median(colours[colours[..., 3] > 127][:, :3], axis=0)
    filled = colours.astype(np.float32)
    filled[..., :3] = filled[..., :3] * opacity + ground * (1 - opacity)
    return filled.astype(np.uint8)


def _of_opaque(colours: Colours) -> Ink:
    """Ink of uint8 [H, W, 3]."""
    frame = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    ground = np.median(frame, axis=0).astype(np.int16)
    if _is_grey(colours):
        levels, level = np.ascontiguousarray(colours[..., 0]), int(ground[0])
    else:
        levels, level = np.abs(colours.astype(np.int16) - ground).max(axis=2).astype(np.uint8), 0
    near = (levels >= max(level - FLAT, 0)) & (levels <= min(level + FLAT, 255))
    if np.count_nonzero(near) <= levels.size / 2:
        return _of_photo(colours)
    # What each of the 256 levels stands for is worked out once, not for each pixel.
    present = np.arange(256).clip(levels.min(), levels.max())
    contrast = np.abs(present - level).astype(np.float32) / 255
    return np.take(_stretch(contrast, FLOOR / 255), levels)


def _is_grey(colours: Colours) -> bool:
    red = colours[..., 0]
    return np.array_equal(red, colours[..., 1]) and np.array_equal(red, colours[..., 2])


def _stretch(contrast: Ink, floor: float) -> Ink:
    """Contrast 0..1 so that the strongest is 1 and what stays under the floor is 0."""
    strongest = float(contrast.max())
    if strongest < LEAST_CONTRAST:
        return np.zeros_like(contrast)
    return np.where(contrast > floor, contrast / strongest, 0).astype(np.float32)


def _of_photo(colours: Colours) -> Ink:
    """Ink of a picture whose ground is no single colour: noise, shadow, ruled paper.

    The ground is what a wide blur makes of the pixels that are not ink, found in two rounds; the threshold
    between ink and ground is N. Otsu's (1979), and once more above it, so that pen stands out from ruling.
    """
    picture = Image.fromarray(colours).convert("L")
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    picture = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 280))
    grey = np.asarray(picture, np.float32) / 255
    contrast = grey - _wide_blur(grey)
    dark = -np.percentile(contrast, 0.5) > np.percentile(contrast, 99.5)
    contrast = -contrast if dark else contrast
    for _ in range(2):
        paper = (contrast < otsu(contrast)).astype(np.float32)
        ground = _wide_blur(grey * paper) / np.maximum(_wide_blur(paper), 1e-3)
        # Dark ink takes its share of whatever light there is, in the shadow too.
        contrast = np.maximum(1 - grey / np.maximum(ground, 0.05) if dark else grey - ground, 0)
    threshold = _pen_threshold(contrast)
    pen = contrast >= threshold
    if not pen.any() or float(contrast[pen].mean()) < LEAST_CONTRAST:
        return np.zeros_like(grey)
    full = float(contrast[pen].mean())
    ink = np.clip((contrast - threshold / 2) / max(full - threshold / 2, 1e-6), 0, 1)
    return _without_specks(ink)


def _wide_blur(grey: Grey) -> Grey:
    """Mean over about an eighth of the picture: made small, and large again."""
    height, width = grey.shape
    side = max(height, width) / 8
    small = (math.ceil(width / side) + 1, math.ceil(height / side) + 1)
    picture = Image.fromarray(grey).resize(small, Image.Resampling.BILINEAR)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def otsu(values: Grey) -> float:
    """The threshold that splits values into the two classes that differ most (Otsu 1979)."""
    counts, edges = np.histogram(values, 128)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    best: float = edges[1:][np.nanargmax(between[:-1])]
    return float(best)


def _pen_threshold(contrast: Grey) -> float:
    threshold = otsu(contrast)
    marked = contrast[contrast >= threshold]
    if marked.size < 20:
        return threshold
    higher = otsu(marked)
    pen, ruling = marked[marked >= higher], marked[marked < higher]
    separate = pen.size and ruling.size and float(np.median(pen)) > 2 * float(np.median(ruling))
    return higher if separate else threshold


def _without_specks(ink: Ink) -> Ink:
    """Drop what is a pixel or two either way: noise, not a stroke."""
    cleaned = Image.fromarray(np.uint8(ink * 255)).filter(ImageFilter.MedianFilter(3))
    kept = cleaned.filter(ImageFilter.MaxFilter(7))
    return np.where(np.asarray(kept) > 64, ink, 0).astype(np.float32)
