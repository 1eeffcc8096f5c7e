"""The arrays that flow through the recogniser."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ink: TypeAlias = NDArray[np.floating[Any]]
"""float32 [H, W] in 0..1: 0 is the ground, 1 is full ink, whatever their colours were."""

DigitImage: TypeAlias = NDArray[np.uint8]
"""uint8 [28, 28] as MNIST stores a digit: 0 is the ground, 255 is full ink."""

SIDE = 28
