"""Things beside a drawing on a flat ground: specks, captions, frames.

Specks are dust of a scanner, or a pixel that was touched. One would shrink the digit beside it.
"""

import numpy as np

from mnistweb.recognition.regions import COARSE_SIDE, Regions, find_regions, grow
from mnistweb.recognition.shapes import ALIKE, framing, near_to, shapes
from mnistweb.recognition.types import Ink

SPECK = 0.01
"""Share of the largest part's ink. A part of a digit has more."""
BLOCK = 0.7
"""Share of its box that a stroke fills at most beside which something else stands."""


def without_specks(ink: Ink, clear: float) -> Ink | None:
    """Return ink uint8 [H, W] without specks. Ink stronger than the level `clear` makes its parts.

    Returns None if the largest part is a block, or if another is a frame around it, or a caption: small, and
    apart from it.
    """
    height, width = ink.shape
    step = max(1, max(height, width) // COARSE_SIDE)
    padded = np.pad(ink, ((0, -height % step), (0, -width % step)))
    blocks = padded.reshape(padded.shape[0] // step, step, -1, step)
    regions = find_regions(blocks.max(axis=(1, 3)) > clear)
    parts = regions.total(blocks.sum(axis=(1, 3)))
    main = int(parts.argmax())
    kept = parts >= SPECK * parts[main]
    near = near_to(regions, main, kept)
    captions = kept & ~near & (regions.height < ALIKE * regions.height[near].max())
    if _is_block(regions, main) or captions.any() or not framing(regions, shapes(regions)).all():
        return None
    specks = grow(regions.mask(~kept), 1) & ~regions.mask(kept)
    dropped = specks.repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
    return np.where(dropped, np.uint8(0), ink)


def _is_block(regions: Regions, main: int) -> bool:
    """Return whether a region fills its box, and is no bar or dot: a page, a button, a diagram."""
    sides = np.sort(regions.box[2:, main] - regions.box[:2, main])
    long = sides[1] > ALIKE * max(regions.box[2:].max(axis=1) - regions.box[:2].min(axis=1))
    return bool(long and 3 * sides[0] > sides[1] and regions.area[main] > BLOCK * sides.prod())
