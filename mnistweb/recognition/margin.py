"""Drawings without a margin: digits as large as the slate, or larger.

Ink at the edge may be a digit's or that of something else: a bar, a page's edge, ruling, a neighbour. A digit
drawn has two clean levels. Its strokes meet the edge in a few places, along a small part of their outline.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.regions import COARSE_SIDE, NOISE, find_regions

CLEAN = 0.93
"""Share of the pixels that are clean in a drawing; the others are the strokes' soft edges."""
MAX_MEETINGS = 12
"""Places at which a drawing's strokes meet the edge. Squared paper has more."""
MAX_INKED = 0.35
"""Share of the edge that is inked. A page's corner covers nearly half."""
MAX_SOFT = 0.5
"""Soft pixels of the edge for each inked one. Thin, faint lines that meet it have more."""
MAX_ON_EDGE = 0.3
"""Share of a stroke's outline along the edge. A bar has nearly half."""
MIN_SHARE = 0.5
"""Share of the ink that a region at the edge has; a line or a fragment of a neighbour has less."""


def is_drawn_to_the_edge(contrast: NDArray[np.uint8]) -> bool:
    """Return whether the ink at the edge is the drawing's, in uint8 [H, W], the contrast with the ground."""
    strongest = int(contrast.max())
    frame = np.concatenate([contrast[0], contrast[:, -1], contrast[-1, ::-1], contrast[::-1, 0]])
    if _soft(contrast, strongest) > (1 - CLEAN) * contrast.size:
        return False
    inked = frame > strongest / 2
    count = np.count_nonzero(inked)
    meetings = np.count_nonzero(np.diff(inked, append=inked[0])) / 2
    few = meetings <= MAX_MEETINGS and 0 < count <= MAX_INKED * frame.size
    if not few or _soft(frame, strongest) > MAX_SOFT * count:
        return False
    picture = Image.fromarray(contrast).reduce(math.ceil(max(contrast.shape) / COARSE_SIDE))
    regions = find_regions(np.asarray(picture) > strongest / 2)
    at_edge: Any = regions.on_edge > 0
    share = regions.area / regions.area.sum()
    return bool(np.all((regions.on_edge < MAX_ON_EDGE)[at_edge] & (share >= MIN_SHARE)[at_edge]))


def _soft(levels: NDArray[np.uint8], strongest: int) -> int:
    """Count the levels that are neither the ground's nor those of full ink."""
    return int(np.count_nonzero((levels > NOISE) & (levels < strongest - NOISE)))
