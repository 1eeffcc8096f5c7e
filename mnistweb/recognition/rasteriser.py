"""Rasterise pen strokes, as the slate's canvas does.

The slate (static/js/slate) strokes a polyline with round caps and round joins. Such a stroke is the union of
capsules, one for each segment: the points closer to the segment than half the pen's width. A pixel's coverage
falls from one to zero over one pixel at that edge, as on an antialiasing canvas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Coverage = NDArray[np.floating[Any]]
"""float32 [H, W] in 0..1: the share of each pixel that strokes cover."""
SLATE = 280


@dataclass(frozen=True, slots=True)
class Stroke:
    """One touch of the pen: float64 [n, 2] points (x right, y down, slate units) and the pen's width."""

    points: Points
    width: float


def rasterise(strokes: Sequence[Stroke], size: int = SLATE, slate: float = SLATE) -> Coverage:
    """Draw strokes given on a `slate` x `slate` square: float32 [size, size] in 0..1."""
    covered = np.zeros((size, size), np.float32)
    scale = size / slate
    for stroke in strokes:
        points = stroke.points * scale
        radius = stroke.width * scale / 2
        starts, ends = (points, points) if len(points) == 1 else (points[:-1], points[1:])
        for start, end in zip(starts, ends, strict=True):
            draw_capsule(covered, start, end, radius)
    return covered


def draw_capsule(covered: Coverage, start: Points, end: Points, radius: float) -> None:
    """Draw a capsule into float32 [n, n], from `start` to `end`, float64 [2]; all in pixels."""
    reach = radius + 1
    left, top = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(np.maximum(start, end) + reach), covered.shape[1]).astype(int)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - start[0])
    y = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - start[1]))[:, None]
    dx, dy = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
    length2 = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / length2, 0, 1) if length2 > 0 else np.float32(0)
    distance = np.hypot(x - along * dx, y - along * dy)
    # A line thinner than a pixel never covers more of it than its own width.
    coverage = np.clip(np.float32(radius + 0.5) - distance, 0, np.float32(min(1, 2 * radius)))
    window = covered[top:bottom, left:right]
    np.maximum(window, coverage, out=window)
