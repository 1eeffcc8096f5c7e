"""Reasons for a rejection, from the shape of the ink: a dot, merged strokes, several parts, or a sign.

Only the 28x28 image counts, so each model, here or on a server, and the live guess give the same reason. That
strokes reach the edge is known from the whole picture alone, which `reason_in_picture` looks at.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistweb.recognition.types import SIDE, DigitImage, Ink

DOT = "That’s only a dot. Draw a digit, 0 to 9."
MERGED = "The strokes merge. Use a thinner brush, or write larger."
SEVERAL = "I read one digit at a time. Two of them? Draw just one. One? Close its gaps."
SIGN = "It looks like a letter or a sign. Is it a digit? Close its gaps, or write it larger."

EDGE = "It touches the edge. Is a part cut off? Leave some room around it."

INK = 128
"""Level of 255 from which a pixel is inked."""
MIN_DOT_ASPECT = 0.45
DOT_FILL = (0.65, 0.93)
"""Share of its box that a dot fills: a disc 0.79, a whole square 1."""
MIN_PART = 5
"""Pixels of the smallest part that may be a digit of its own."""
MIN_PART_HEIGHT = 0.5
"""Height of such a part, as a share of the whole ink's."""
MIN_STACKED_HEIGHT = 0.4
"""Height of a part above or below another one, as a share of the whole ink's, that may be a digit."""
MAX_OVERLAP = 0.25
"""Columns that two parts side by side may share, as a share of the narrower one; also rows, if stacked."""
MERGED_INK = 190
"""Pixels of ink, of the 400 in a digit's box, from which strokes have merged. A digit has about 100."""
SOLID_SIDE = 5
MERGED_SOLID = 0.25
"""Share of the ink in the middle of full squares of SOLID_SIDE pixels, from which strokes have merged.

A digit's strokes are 2 or 3 pixels wide.
"""
STRIDE = 32
"""Bits of a row with its margin, which keeps the rows apart: four bytes."""

Mask = NDArray[np.bool_]


class Box(NamedTuple):
    """The bounding box of ink; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """The width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.bottom - self.top

    @property
    def turned(self) -> "Box":
        """The box with its axes swapped."""
        return Box(self.top, self.left, self.bottom, self.right)

    def around(self, other: "Box") -> "Box":
        """Return the smallest box with this one and another."""
        return Box(*map(min, self[:2], other[:2]), *map(max, self[2:], other[2:]))


def rejection_reason(image: DigitImage) -> str:
    """Say in a sentence why `image`, uint8 [28, 28] with 255 for ink, may be no digit, and what to do."""
    mask = image >= INK
    if not mask.any():
        return SIGN
    if _is_dot(mask):
        return DOT
    if _is_several(mask):
        return SEVERAL
    return MERGED if _is_merged(mask) else SIGN


def _is_dot(mask: Mask) -> bool:
    """Return whether the ink is round: one run in each row and column, which leaves only corners free."""
    box = _box(mask)
    if min(box.height, box.width) < MIN_DOT_ASPECT * max(box.height, box.width):
        return False
    ink = mask[box.top : box.bottom, box.left : box.right]
    edges = [np.diff(ink, axis=axis, prepend=False, append=False).sum(axis=axis).max() for axis in (0, 1)]
    return bool(max(edges) <= 2 and DOT_FILL[0] <= ink.mean() <= DOT_FILL[1])


def reason_in_picture(reason: str | None, ink: Ink) -> str | None:
    """Return the reason for a rejection in view of the whole picture, ink uint8 [H, W].

    A sign that touches the picture's edge may be a digit that is cut off.
    """
    if reason != SIGN:
        return reason
    return EDGE if max(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()) >= INK else SIGN


def _is_several(mask: Mask) -> bool:
    """Return whether tall parts stand side by side, or two of similar height above each other."""
    parts = [_box(part) for part in _parts(mask) if part.sum() >= MIN_PART]
    height = _box(mask).height
    beside = sum(box.height >= MIN_PART_HEIGHT * height for box in _apart(parts))
    stacked = sum(box.width >= MIN_STACKED_HEIGHT * height for box in _apart([part.turned for part in parts]))
    return beside > 1 or stacked > 1


def _apart(parts: Sequence[Box]) -> list[Box]:
    """Join parts that share columns: such strokes belong to one digit."""
    columns: list[Box] = []
    for box in sorted(parts):
        last = columns[-1] if columns else None
        if last and last.right - box.left > MAX_OVERLAP * min(last.width, box.width):
            columns[-1] = last.around(box)
        else:
            columns.append(box)
    return columns


def _is_merged(mask: Mask) -> bool:
    solid: Any = mask
    for axis in (0, 1):
        solid = np.lib.stride_tricks.sliding_window_view(solid, SOLID_SIDE, axis).all(axis=-1)
    return bool(mask.sum() >= MERGED_INK or solid.sum() >= MERGED_SOLID * mask.sum())


def _parts(mask: Mask) -> Iterator[Mask]:
    """Yield the connected parts of a mask [28, 28], diagonal neighbours included.

    The pixels are the bits of one integer, so that a part grows to all sides by a few shifts.
    """
    padded = np.zeros((SIDE, STRIDE), bool)
    padded[:, :SIDE] = mask
    rest = int.from_bytes(np.packbits(padded).tobytes(), "big")
    while rest:
        part, grown = 0, rest & -rest
        while grown != part:
            part = grown
            wide = part | part << 1 | part >> 1
            grown = (wide | wide << STRIDE | wide >> STRIDE) & rest
        rest ^= part
        pixels = np.frombuffer(part.to_bytes(SIDE * STRIDE // 8, "big"), np.uint8)
        yield np.unpackbits(pixels).reshape(SIDE, STRIDE)[:, :SIDE].astype(bool)


def _box(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
