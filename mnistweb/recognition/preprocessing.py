"""Ink to 28x28, the way MNIST was made.

Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits": the digits "were size
normalized to fit in a 20x20 pixel box while preserving their aspect ratio", the anti-aliasing of which
gives grey levels, and were "centered in a 28x28 image by computing the center of mass of the pixels, and
translating the image so as to position this point at the center of the 28x28 field". In the published
files that point is pixel (14, 14), hit to the nearest whole pixel; so it is here, and an MNIST image
passes through unchanged.
"""

import numpy as np
from PIL import Image

from mnistweb.recognition.errors import EmptyDrawing
from mnistweb.recognition.types import SIDE, DigitImage, Ink

BOX = 20
CENTRE = 14
FAINTEST_INK = 0.1


def normalize(ink: Ink) -> DigitImage:
    """Crop the ink, fit it into a 20x20 box, centre its mass in 28x28.

    Takes float32 [H, W] in 0..1, 1 being ink, of any size; returns uint8 [28, 28], 255 being ink.
    The answer does not depend on where on the slate, or how large, the digit was drawn.
    Raises EmptyDrawing where there is no ink.
    """
    return centre(fit(crop(ink)))


def crop(ink: Ink) -> Ink:
    """The smallest rectangle that holds all ink."""
    inked = ink > FAINTEST_INK
    rows = np.flatnonzero(inked.any(axis=1))
    columns = np.flatnonzero(inked.any(axis=0))
    if rows.size == 0:
        raise EmptyDrawing
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Ink) -> Ink:
    """Scale to 20 pixels on the longer side, antialiased; the strongest ink becomes 1."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != (width, height):
        # The bilinear kernel widens with the reduction, so every source pixel counts.
        ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
    strongest: float = ink.max()
    return ink / strongest


def centre(ink: Ink) -> DigitImage:
    """Place the ink (at most 20x20) in 28x28 with its centre of mass at pixel (14, 14)."""
    height, width = ink.shape
    mass = ink.sum()
    row = float(ink.sum(axis=1) @ np.arange(height)) / mass
    column = float(ink.sum(axis=0) @ np.arange(width)) / mass
    top = min(max(round(CENTRE - row), 0), SIDE - height)
    left = min(max(round(CENTRE - column), 0), SIDE - width)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.rint(ink * 255)
    return image
