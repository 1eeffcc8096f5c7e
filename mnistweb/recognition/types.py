"""The types that flow through recognition: ink, the 28x28 image, the answer, and the recognizer itself."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mnistweb.recognition.model_card import Card

Ink: TypeAlias = NDArray[np.floating[Any]]
"""float32 [H, W] in 0..1: 0 is the ground, 1 is full ink, whatever their colours were."""

DigitImage: TypeAlias = NDArray[np.uint8]
"""uint8 [28, 28] as MNIST stores a digit: 0 is the ground, 255 is full ink."""

SIDE = 28


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recognizer says of one image.

    `probabilities` are those of the ten digits, given that it is one, and sum to 1; `not_a_digit` is the
    probability 0..1 that it is none. `digit` is None where it is refused, with the `reason` in words.
    `confidence` 0..1 is the probability of what is answered, the digit or "not a digit": calibrated where a
    network says it, its own word where a language model does.
    """

    digit: int | None
    confidence: float
    probabilities: tuple[float, ...]
    not_a_digit: float
    reason: str | None
    model: str
    model_version: str


class Recognizer(Protocol):
    """The object that reads a preprocessed image: a network, or a language model."""

    @property
    def card(self) -> Card:
        """What it is."""

    def recognize(self, image: DigitImage) -> Answer:
        """Read uint8 [28, 28] with 255 for ink. May raise RecognitionError."""
