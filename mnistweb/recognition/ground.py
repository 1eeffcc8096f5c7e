"""The ground that a stroke stands on: the level that each pixel would have if nothing were drawn there."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.regions import Grey, Mask, grow

BINS = 128
MEDIAN_SIDE = 32
"""Pixels on the longer side, to which a picture is reduced for medians."""
MEDIAN_LEVELS = 24
BLUR_SHARE = 8
"""A wide blur averages over this part of the longer side."""
FALLBACK = 0.02
"""Weight of the wider estimate, which counts only where nothing near is free of ink."""


def otsu_threshold(values: Grey) -> float:
    """Return the threshold that splits values into the two classes that differ most (N. Otsu, 1979)."""
    return otsu_split(values)[0]


def otsu_split(values: Grey) -> tuple[float, float]:
    """Return Otsu's threshold, and the share of the variance that the two classes explain: 0.64 for noise."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return high, 0.0
    scale = (BINS - 1e-3) / (high - low)
    counts = np.bincount(((values - low) * scale).astype(np.intp).ravel(), minlength=BINS)
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * np.arange(BINS))
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / np.maximum(above, 1)) ** 2
    best = int(between.argmax())
    total = values.size * (counts @ np.arange(BINS) ** 2) - sums[-1] ** 2
    return low + (best + 1) / scale, float(between[best] / max(total, 1))


def general_ground(grey: Grey) -> Grey:
    """Estimate the ground of a picture before its ink is known: uneven light is ground, and so are shadows.

    It begins with the median of half the picture's side around each pixel. That keeps the edges of pages and
    shadows sharp. Then it is twice the average around of what differs little from it.
    """
    ground = _median_around(grey)
    for _ in range(2):
        difference = np.abs(grey - ground)
        ground = _average_of(difference < otsu_threshold(difference), grey, ground)
    return ground


def ground_around(grey: Grey, ink: Mask, reach: int) -> Grey:
    """Estimate the ground of dark ink from what is further than `reach` from it, and not another thing."""
    near = grow(ink, reach)
    ring = grow(near, 2) & ~near
    if not ring.any():
        ring = ~ink if not ink.all() else ink
    level = np.median(grey[ring])
    like = np.abs(grey - level) < (level - grey[ink].mean()) / 2
    return _average_of(like & ~near, grey, level)


def without_lines(grey: Grey, width: int) -> Grey:
    """Return the picture without its dark lines up to `width` pixels: their ground, whatever its shadows.

    It is the grey closing of mathematical morphology (J. Serra, 1982), with a square.
    """
    side = 2 * (width // 2) + 1
    if side >= min(grey.shape):
        return np.ones_like(grey)
    for extreme in (np.maximum, np.minimum):
        for _ in range(2):
            grey = _running(extreme, grey, side).T
    return grey


def _running(extreme: Any, grey: Grey, side: int) -> Grey:
    """Return the extreme of each pixel and those around it in its row, `side` in all, an odd number."""
    grey = np.pad(grey, ((0, 0), (side // 2, side // 2)), mode="edge")
    reach = 1
    while reach < side:  # the extreme of two overlapping stretches is that of both
        step = min(reach, side - reach)
        grey = extreme(grey[:, :-step], grey[:, step:])
        reach += step
    return grey


def _average_of(chosen: Mask, grey: Grey, wider: Any) -> Grey:
    weights = chosen.astype(np.float32)
    ground: Grey = (_blur(grey * weights) + FALLBACK * wider) / (_blur(weights) + FALLBACK)
    return ground


def _blur(grey: Grey) -> Grey:
    """Average widely, by scaling down and up again."""
    height, width = grey.shape
    side = max(height, width) / BLUR_SHARE
    small = (math.ceil(width / side) + 1, math.ceil(height / side) + 1)
    picture = Image.fromarray(grey).resize(small, Image.Resampling.BILINEAR)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def _median_around(grey: Grey) -> Grey:
    picture = Image.fromarray(grey)
    coarse = picture.copy()
    coarse.thumbnail((MEDIAN_SIDE, MEDIAN_SIDE), Image.Resampling.BOX)
    small = np.asarray(coarse)
    levels = np.sort(small, axis=None)[np.linspace(0, small.size - 1, MEDIAN_LEVELS).astype(int)]
    below = (small <= levels[:, None, None]).astype(np.float32)
    below = _window_mean(_window_mean(below).transpose(0, 2, 1)).transpose(0, 2, 1)
    median = levels[(below >= 0.5 - 1e-4).argmax(axis=0)]
    return np.asarray(Image.fromarray(median).resize(picture.size, Image.Resampling.BILINEAR))


def _window_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average [n, H, W] over half the width, as far as it lies inside."""
    side = values.shape[2]
    sums = np.zeros((*values.shape[:2], side + 1), np.float32)
    np.cumsum(values, axis=2, out=sums[:, :, 1:])
    places, reach = np.arange(side), max(side // 4, 1)
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach + 1, side)
    mean: NDArray[np.float32] = (sums[:, :, last] - sums[:, :, first]) / (last - first).astype(np.float32)
    return mean
