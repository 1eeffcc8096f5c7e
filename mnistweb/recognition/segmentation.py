"""Separate ink from background, whatever their colours: a slate, a transparent canvas, a photo of paper."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnistweb.recognition.types import Ink

BACKGROUND_SPREAD = 6
"""Levels of 255 around the median, within which a drawn picture's background is; a photo's spreads wider."""
NOISE_FLOOR = 16
"""Levels of 255. In a drawn picture, less contrast is compression noise, not ink."""
MIN_CONTRAST = 0.1
"""Share of the range. A picture with less contrast has no ink."""
PHOTO_SIDE = 360
"""Pixels on the longer side to which a photo is reduced."""

Colours = NDArray[np.uint8]
Grey = NDArray[np.floating[Any]]


def find_ink(colours: Colours) -> Ink:
    """Find ink, float32 [H, W] in 0..1, in uint8 [H, W, 4] red, green, blue and opacity.

    Ink differs from the background's colour: dark, light or coloured. On a transparent background,
    ink is the opacity. A photo's uneven background is evened out first.
    """
    opacity = colours[..., 3]
    if np.ptp(opacity) > NOISE_FLOOR:
        if _opacity_is_ink(colours):
            return _scale_contrast(opacity.astype(np.float32) / 255, 0)
        colours = _fill_holes(colours)
    return _segment_opaque(colours[..., :3])


def _opacity_is_ink(colours: Colours) -> bool:
    """Return true for strokes on a transparent background, false for a picture with holes."""
    opaque = colours[..., 3] > 127
    if opaque.mean() < 0.5:
        return True
    return bool(np.ptp(colours[opaque][:, :3], axis=0).max() <= NOISE_FLOOR)


def _fill_holes(colours: Colours) -> Colours:
    """Fill transparent pixels with the background's colour."""
    opacity = colours[..., 3:].astype(np.float32) / 255
    background = np.median(colours[colours[..., 3] > 127][:, :3], axis=0)
    filled = colours.astype(np.float32)
    filled[..., :3] = filled[..., :3] * opacity + background * (1 - opacity)
    return filled.astype(np.uint8)


def _segment_opaque(colours: Colours) -> Ink:
    """Find ink in uint8 [H, W, 3]."""
    frame = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    background = np.median(frame, axis=0).astype(np.int16)
    if _is_grey(colours):
        levels, level = np.ascontiguousarray(colours[..., 0]), int(background[0])
    else:
        levels, level = np.abs(colours.astype(np.int16) - background).max(axis=2).astype(np.uint8), 0
    near = (levels >= max(level - BACKGROUND_SPREAD, 0)) & (levels <= min(level + BACKGROUND_SPREAD, 255))
    if np.count_nonzero(near) <= levels.size / 2:
        return _segment_photo(colours)
    # Contrast is computed once for each of the 256 levels, not for each pixel.
    present = np.arange(256).clip(levels.min(), levels.max())
    contrast = np.abs(present - level).astype(np.float32) / 255
    return np.take(_scale_contrast(contrast, NOISE_FLOOR / 255), levels)


def _is_grey(colours: Colours) -> bool:
    red = colours[..., 0]
    return np.array_equal(red, colours[..., 1]) and np.array_equal(red, colours[..., 2])


def _scale_contrast(contrast: Ink, floor: float) -> Ink:
    """Scale contrast 0..1 to a maximum of 1, and set values up to `floor` to 0."""
    strongest = float(contrast.max())
    if strongest < MIN_CONTRAST:
        return np.zeros_like(contrast)
    return np.where(contrast > floor, contrast / strongest, 0).astype(np.float32)


def _segment_photo(colours: Colours) -> Ink:
    """Find ink in a picture with an uneven background: noise, shadow, ruled paper.

    The background is a wide blur of the pixels that are not ink, estimated in two rounds. Otsu's threshold
    (1979) separates ink from background. A second threshold above it separates pen from ruling.
    """
    picture = Image.fromarray(colours).convert("L")
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    picture = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 280))
    grey = np.asarray(picture, np.float32) / 255
    contrast = grey - _blur_widely(grey)
    dark = -np.percentile(contrast, 0.5) > np.percentile(contrast, 99.5)
    contrast = -contrast if dark else contrast
    for _ in range(2):
        paper = (contrast < otsu_threshold(contrast)).astype(np.float32)
        background = _blur_widely(grey * paper) / np.maximum(_blur_widely(paper), 1e-3)
        # Dark ink absorbs the same share of the light, in a shadow too.
        contrast = np.maximum(1 - grey / np.maximum(background, 0.05) if dark else grey - background, 0)
    threshold = _pen_threshold(contrast)
    pen = contrast >= threshold
    if not pen.any() or float(contrast[pen].mean()) < MIN_CONTRAST:
        return np.zeros_like(grey)
    full = float(contrast[pen].mean())
    ink = np.clip((contrast - threshold / 2) / max(full - threshold / 2, 1e-6), 0, 1)
    return _remove_specks(ink)


def _blur_widely(grey: Grey) -> Grey:
    """Average over about an eighth of the picture, by scaling it down and up again."""
    height, width = grey.shape
    side = max(height, width) / 8
    small = (math.ceil(width / side) + 1, math.ceil(height / side) + 1)
    picture = Image.fromarray(grey).resize(small, Image.Resampling.BILINEAR)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def otsu_threshold(values: Grey) -> float:
    """Return the threshold that splits values into the two classes that differ most (N. Otsu, 1979)."""
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
    threshold = otsu_threshold(contrast)
    marked = contrast[contrast >= threshold]
    if marked.size < 20:
        return threshold
    higher = otsu_threshold(marked)
    pen, ruling = marked[marked >= higher], marked[marked < higher]
    separate = pen.size and ruling.size and float(np.median(pen)) > 2 * float(np.median(ruling))
    return higher if separate else threshold


def _remove_specks(ink: Ink) -> Ink:
    """Remove specks of one or two pixels: noise, not strokes."""
    cleaned = Image.fromarray(np.uint8(ink * 255)).filter(ImageFilter.MedianFilter(3))
    kept = cleaned.filter(ImageFilter.MaxFilter(7))
    return np.where(np.asarray(kept) > 64, ink, 0).astype(np.float32)
