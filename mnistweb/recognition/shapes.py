"""Shapes of regions: a pen's stroke, and what is drawn around it or lies beside it."""

import numpy as np

from mnistweb.recognition.regions import STAIRCASE, Grey, Mask, Regions

SPANNING = 0.4
"""Factor for what reaches from edge to opposite edge but not across, as ruling does."""
MIN_SHAPE = 0.1
"""Less is a part of the ground, such as a shadow."""
FRAME = 0.8
"""Share of the sides of its box that a frame fills, or share of a part of a frame that lies along them."""
NEAR = 0.3
"""Share of the stroke's length, up to which a smaller part of the same drawing is apart from it."""
FRAMED = 3
"""Factor for a stroke in a frame: the frame is there for it."""
BENT = 1.3
"""Factor of the diagonal of its box, from which a line is no slash."""
SURROUNDED = 0.9
"""Share of each of a stroke's four sides on which a frame lies."""
DOTS = 1.5
"""Share of a part's own thickness, up to which it is near: dots and dashes make a line."""
ALIKE = 0.5
"""Share of a stroke's height that another sign has at least which is no caption, however far away."""
FLAT = 3
"""A digit is at most as many times as wide as it is high: no bar is one that lies."""
BESIDE = 0.2
"""Factor for what meets the picture's edge, and does not reach its middle."""


def shapes(regions: Regions) -> Grey:
    """Say in 0..1 how far each region has a stroke's shape: thin, free of the edge, and no page or line.

    A region that fills a narrow picture is a bar without a margin, though it lies along most of the edge.
    """
    height, width = regions.shape
    left, top, right, bottom = regions.box
    across = (left == 0) & (right == width)
    down = (top == 0) & (bottom == height)
    thin = np.clip(1 - 2 * regions.width / regions.length, 0.02, 1)
    free = np.clip(1 - regions.on_edge, 0.1, 1)
    alone = (1 - 0.5 * regions.on_box) * np.where(across != down, SPANNING, 1)
    upright = np.clip(FLAT * (bottom - top) / (right - left), 0.1, 1)
    shape = thin * free**2 * alone * upright
    filling = across & down & (2 * min(height, width) < max(height, width))
    ground = (shape < MIN_SHAPE) | (regions.on_edge > thin)
    shape = np.where(ground & ~filling, 0, shape)
    middle = (2 * left < width) & (width < 2 * right) & (2 * top < height) & (height < 2 * bottom)
    beside = (regions.on_edge > 0) & ~filling & ~(middle & (regions.on_edge < 0.2))
    return shape * framing(regions, shape) * np.where(beside, BESIDE, 1)


def framing(regions: Regions, shape: Grey) -> Grey:
    """Return a factor for each region: 0 if it is drawn around a stroke, FRAMED if it is that stroke.

    A frame is a circle, the box of a form, the border of a canvas, the lines of a table.
    """
    factor = np.ones(regions.count)
    large = regions.length > max(regions.shape) / 8
    if np.count_nonzero(large) < 2:
        return factor
    left, top, right, bottom = regions.box
    width, height = right - left, bottom - top
    on_box = regions.on_box * 2 * (width + height)
    along = (regions.on_box > FRAME) | (on_box > FRAME * regions.area)
    lattice = (width == regions.shape[1]) & (height == regions.shape[0])
    # A ring around a line is a zero with a slash, as a narrow one is. One around something small is the loop
    # of an outlined digit.
    bent = STAIRCASE * regions.outline / 2 > BENT * np.hypot(width, height)
    least = np.where(along | lattice, np.minimum(width, height) / 4, 0.4 * np.maximum(width, height))
    hollow = large & (regions.area < width * height / 2)
    for frame in np.flatnonzero(hollow & (along | lattice | (width > 0.75 * height))):
        within = (
            (left > left[frame])
            & (top > top[frame])
            & (right < right[frame])
            & (bottom < bottom[frame])
            & (regions.length > least[frame])
            & (shape > 0.3)
            & (bent | along[frame] | lattice[frame])
        )
        sides = 2 if lattice[frame] else 4
        if within.any() and (along[frame] or _surrounds(regions, int(frame), within, sides)):
            factor[within] = FRAMED
            factor[frame] = 0
    return factor


def _surrounds(regions: Regions, frame: int, within: Mask, sides: int) -> bool:
    """Return whether a region lies on so many sides of the longest one within its box."""
    left, top, right, bottom = regions.box[:, (regions.length * within).argmax()]
    mask = regions.mask(np.arange(regions.count) == frame)
    beside = mask[top:bottom, :left].any(axis=1), mask[top:bottom, right:].any(axis=1)
    above = mask[:top, left:right].any(axis=0), mask[bottom:, left:right].any(axis=0)
    return sum(float(side.mean()) > SURROUNDED for side in beside + above) >= sides


def near_to(regions: Regions, main: int, parts: Mask) -> Mask:
    """Return which of the parts are near the main region, or near others that are: one sign's parts."""
    box = regions.box
    near: Mask = np.arange(regions.count) == main
    own = DOTS * (box[2:] - box[:2]).min(axis=0)
    while True:
        low, high = box[:2, near].min(axis=1, keepdims=True), box[2:, near].max(axis=1, keepdims=True)
        gap = np.maximum(box[:2] - high, low - box[2:]).max(axis=0)
        grown: Mask = near | (parts & (gap < np.maximum(own, NEAR * (high - low).max())))
        if np.array_equal(near, grown):
            return near
        near = grown
