"""Connected regions of a mask, and the measures that tell a pen's stroke from everything else.

A region is kept as horizontal runs of pixels: some hundred, where there are thousands of pixels.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Grey = NDArray[np.floating[Any]]
Numbers = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]

COARSE_SIDE = 112
"""Pixels on the longer side, to which a picture is reduced to find its regions."""
NOISE = 16
"""Levels of 255. Less contrast is noise, of compression or of a camera, and not ink."""
STAIRCASE = np.pi / 4
"""The outline of a disc over that of the pixels it is made of."""
REACH = (2, 6)
"""Pixels beyond a run's end where the ground is looked for: half the run's length, within these limits."""
BEYOND = 2.0
"""Brighter than any ground: there is none beyond the picture's edge."""


@dataclass(frozen=True)
class Regions:
    """The regions of a mask [H, W], diagonal neighbours included.

    `rows`, `starts` and `ends` (exclusive) say where each run is, `labels` to which region it belongs. The
    measures have one entry for each region, and are in pixels.
    """

    shape: tuple[int, int]
    rows: Indices
    starts: Indices
    ends: Indices
    labels: Indices
    count: int
    outline: Numbers

    @cached_property
    def area(self) -> Numbers:
        """The number of pixels."""
        return self._sum(self.ends - self.starts)

    @cached_property
    def box(self) -> Indices:
        """Left, top, right and bottom [4, n]; right and bottom are exclusive."""
        box = np.zeros((4, self.count), np.intp)
        box[:2] = max(self.shape)
        np.minimum.at(box[0], self.labels, self.starts)
        np.minimum.at(box[1], self.labels, self.rows)
        np.maximum.at(box[2], self.labels, self.ends)
        np.maximum.at(box[3], self.labels, self.rows + 1)
        return box

    @cached_property
    def length(self) -> Indices:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        length: Indices = np.maximum(right - left, bottom - top)
        return length

    @cached_property
    def height(self) -> Indices:
        """The height of the box."""
        height: Indices = self.box[3] - self.box[1]
        return height

    @cached_property
    def width(self) -> Numbers:
        """The mean width of the stroke, if the region is one."""
        return 2 * self.area / (STAIRCASE * self.outline)

    @cached_property
    def on_edge(self) -> Numbers:
        """The share of the outline that is the picture's edge."""
        height, width = self.shape
        return self._along(*np.broadcast_arrays([0], [0], [width], [height], self.box[0])[:4]) / self.outline

    @cached_property
    def on_box(self) -> Numbers:
        """The share of the sides of its box that a region fills: all for a page or a bar, else little."""
        share: Numbers = self._along(*self.box) / (2 * (self.box[2:] - self.box[:2]).sum(axis=0))
        return share

    def depth(self, grey: Grey) -> Numbers:
        """Return by how much each region is darker than the darker of its two sides, in `grey` [H, W].

        It is less for a region whose own levels spread, such as strokes that join with fainter lines.
        """
        width = grey.shape[1]
        flat = np.append(grey, 0)
        line = self.rows * width
        reach = np.clip((self.ends - self.starts) // 2, *REACH)
        left = np.where(self.starts > 0, flat[line + np.maximum(self.starts - reach, 0)], BEYOND)
        right = np.where(self.ends < width, flat[line + np.minimum(self.ends - 1 + reach, width - 1)], BEYOND)
        beside = np.minimum(left, right)
        seen = beside < BEYOND
        outside = self._sum(np.where(seen, beside, 0)) / np.maximum(self._sum(seen), 1)
        inside, squares = self.total(grey) / self.area, self.total(grey**2) / self.area
        return outside - inside - np.sqrt(np.maximum(squares - inside**2, 0))

    def total(self, plane: Grey) -> Numbers:
        """Return the sum of a plane [H, W] over each region."""
        return self._sum(np.add.reduceat(np.append(plane, 0), self._bounds)[::2])

    def mask(self, kept: Mask) -> Mask:
        """Return the pixels of the regions that are kept, a mask [n] of regions."""
        height, width = self.shape
        steps = np.zeros(height * (width + 1), np.int8)
        chosen = kept[self.labels]
        steps[(self.rows * (width + 1) + self.starts)[chosen]] = 1
        steps[(self.rows * (width + 1) + self.ends)[chosen]] = -1
        return np.cumsum(steps, dtype=np.int8).reshape(height, width + 1)[:, :width].astype(bool)

    def meeting(self, mask: Mask) -> Mask:
        """Return which regions have a pixel in `mask` [H, W]."""
        return self._sum(np.logical_or.reduceat(np.append(mask, False), self._bounds)[::2]) > 0

    @cached_property
    def _bounds(self) -> Indices:
        """Start and end of each run in the picture's pixels [H * W], as `reduceat` takes them."""
        line = self.rows * self.shape[1]
        bounds: Indices = np.column_stack([line + self.starts, line + self.ends]).ravel()
        return bounds

    def _along(self, left: Indices, top: Indices, right: Indices, bottom: Indices) -> Numbers:
        """Return how many pixels of each region lie along the sides of a box of its own [n]."""
        at = self.labels
        level = np.add(self.rows == top[at], self.rows == bottom[at] - 1, dtype=np.intp)
        upright = np.add(self.starts == left[at], self.ends == right[at], dtype=np.intp)
        return self._sum(level * (self.ends - self.starts) + upright)

    def _sum(self, values: NDArray[Any]) -> Numbers:
        return np.bincount(self.labels, values, self.count).astype(np.float64)


def find_regions(mask: Mask) -> Regions:
    """Find the connected regions of a mask [H, W]."""
    height, width = mask.shape
    stride = width + 1  # a free column, so that no run goes on in the next row
    padded = np.zeros((height, stride), np.int8)
    padded[:, :width] = mask
    steps = np.diff(padded.ravel(), prepend=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    first, second = _touching(starts, ends, stride)
    labels, count = _join(len(starts), first, second)
    shared = np.minimum(ends[first] + stride, ends[second]) - np.maximum(
        starts[first] + stride, starts[second]
    )
    outline = np.bincount(labels, 2.0 * (ends - starts) + 2, count).astype(np.float64)
    outline -= np.bincount(labels[first], 2.0 * np.maximum(shared, 0), count)
    rows = starts // stride
    return Regions(
        (height, width), rows, starts - rows * stride, ends - rows * stride, labels, count, outline
    )


def _touching(starts: Indices, ends: Indices, stride: int) -> tuple[Indices, Indices]:
    """Return the pairs of runs that touch, the second one row below the first."""
    low = np.searchsorted(ends, starts + stride)
    counts = np.maximum(np.searchsorted(starts, ends + stride, "right") - low, 0)
    first = np.repeat(np.arange(len(starts)), counts)
    return first, np.arange(len(first)) + np.repeat(low - np.cumsum(counts) + counts, counts)


def _join(count: int, first: Indices, second: Indices) -> tuple[Indices, int]:
    """Return the number of each run's group, as pairs join them, and how many groups there are."""
    parent = np.arange(count)
    while True:
        one, other = parent[first], parent[second]
        if np.array_equal(one, other):
            roots, labels = np.unique(parent, return_inverse=True)
            return labels, len(roots)
        np.minimum.at(parent, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(parent, above := parent[parent]):
            parent = above


def grow(mask: Mask, reach: int) -> Mask:
    """Return the pixels of a mask [H, W] and all around them up to `reach`, in a square."""
    padded = np.pad(mask, ((reach + 1, reach), (0, 0)))
    counts = np.cumsum(padded, axis=0, dtype=np.int32)
    padded = np.pad(counts[2 * reach + 1 :] > counts[: -2 * reach - 1], ((0, 0), (reach + 1, reach)))
    counts = np.cumsum(padded, axis=1, dtype=np.int32)
    grown: Mask = counts[:, 2 * reach + 1 :] > counts[:, : -2 * reach - 1]
    return grown
