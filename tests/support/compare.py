"""Distance of two 28x28 images."""

import numpy as np

from mnistweb.recognition.types import DigitImage


def unlike(image: DigitImage, other: DigitImage) -> float:
    """Return the mean difference, 0..255, at the best shift of up to one pixel, as from rounding."""
    shifts = [
        np.roll(image.astype(int), (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    return min(float(np.abs(shifted - other).mean()) for shifted in shifts)
