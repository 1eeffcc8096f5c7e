"""How far two 28x28 images are apart."""

import numpy as np

from mnistweb.recognition.types import DigitImage


def unlike(image: DigitImage, other: DigitImage) -> float:
    """Mean difference in levels, 0..255; one pixel's shift, which rounding makes, is allowed."""
    shifts = [
        np.roll(image.astype(int), (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    return min(float(np.abs(shifted - other).mean()) for shifted in shifts)
