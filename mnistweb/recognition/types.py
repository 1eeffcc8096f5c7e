"""Types of recognition: ink, the 28x28 image, the answer, and the recognizer."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.model_card import Card

Ink: TypeAlias = NDArray[np.uint8]
"""uint8 [H, W]: 0 is background, 255 is full ink, whatever their colours were."""

DigitImage: TypeAlias = NDArray[np.uint8]
"""uint8 [28, 28] as MNIST stores a digit: 0 is background, 255 is full ink."""

SIDE = 28


def to_ink(shares: NDArray[np.floating[Any]]) -> Ink:
    """Return the ink of which each pixel has a share in 0..1."""
    ink: Ink = np.rint(shares * 255).astype(np.uint8)
    return ink


@dataclass(frozen=True, slots=True)
class Answer:
    """A recognizer's answer for one image.

    `probabilities` are those of the ten digits, given that the image is a digit, and sum to 1. `not_a_digit`
    is the probability 0..1 of the eleventh class. `digit` is None for "not a digit", and `reason` says why
    in words. `confidence` 0..1 is the probability of the answer, a digit or "not a digit". A network's
    confidence is calibrated; a language model states its own.
    """

    digit: int | None
    certainty: Certainty
    confidence: float
    probabilities: tuple[float, ...]
    not_a_digit: float
    reason: str | None
    model: str
    model_version: str


class Recognizer(Protocol):
    """Reads a preprocessed image: a network, or a language model."""

    @property
    def card(self) -> Card:
        """Name, version and description of the model."""

    def recognize(self, image: DigitImage) -> Answer:
        """Read uint8 [28, 28] with 255 for ink. May raise RecognitionError."""
