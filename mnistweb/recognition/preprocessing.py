"""From ink to 28x28, as MNIST was made.

Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits": the digits "were size
normalized to fit in a 20x20 pixel box while preserving their aspect ratio". Antialiasing gave them grey
levels.

They were "centered in a 28x28 image by computing the center of mass of the pixels". The image was translated
"so as to position this point at the center of the 28x28 field". In the published files that point is pixel
(14, 14), rounded to whole pixels. So it is here, and an MNIST image passes unchanged.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.errors import EmptyDrawing
from mnistweb.recognition.types import SIDE, DigitImage, Ink, to_ink

Shares = NDArray[np.float32]

BOX = 20
CENTRE = 14
MIN_INK = 25
"""Level of 255 up to which ink is too faint to belong to a digit's box."""


def normalize(ink: Ink) -> DigitImage:
    """Crop the ink, fit it into a 20x20 box, and centre its mass in 28x28.

    Takes uint8 [H, W] of any size and returns uint8 [28, 28], 255 being ink in both. The result does not
    depend on the digit's place or size on the slate. Raises EmptyDrawing.
    """
    return centre(fit(crop(ink)))


def crop(ink: Ink) -> Ink:
    """Cut out the smallest rectangle with all ink. Raises EmptyDrawing."""
    inked = ink > MIN_INK
    rows = np.flatnonzero(inked.any(axis=1))
    columns = np.flatnonzero(inked.any(axis=0))
    if rows.size == 0:
        raise EmptyDrawing
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Ink) -> Shares:
    """Scale to 20 pixels on the longer side, antialiased, and to a maximum of 1: float32."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(ink).convert("F")
    if size != (width, height):
        # The bilinear kernel widens with the reduction, so every source pixel counts.
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    levels: Shares = np.asarray(picture)
    return levels / np.float32(levels.max())


def centre(ink: Shares) -> DigitImage:
    """Place ink in 0..1, at most 20x20, in 28x28 with its centre of mass at pixel (14, 14)."""
    height, width = ink.shape
    mass = ink.sum()
    row = float(ink.sum(axis=1) @ np.arange(height)) / mass
    column = float(ink.sum(axis=0) @ np.arange(width)) / mass
    top = min(max(round(CENTRE - row), 0), SIDE - height)
    left = min(max(round(CENTRE - column), 0), SIDE - width)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = to_ink(ink)
    return image
