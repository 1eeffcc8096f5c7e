"""What every recogniser gives, whatever it is made of: an answer, or the reason why there is none."""

from dataclasses import dataclass
from typing import Protocol

from mnistweb.recognition.ink import DigitImage
from mnistweb.recognition.model_card import Card


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recogniser says of one image.

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


class RecognitionError(RuntimeError):
    """There is no answer: `code` for programs, the message one sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Reader(Protocol):
    """Whatever reads a preprocessed image: a network, or a language model."""

    @property
    def card(self) -> Card:
        """What it is."""

    def recognise(self, image: DigitImage) -> Answer:
        """Read uint8 [28, 28] with 255 for ink. May raise RecognitionError."""
