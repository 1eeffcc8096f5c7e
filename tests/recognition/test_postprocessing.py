"""From logits to one of three answers."""

import dataclasses
import math

import numpy as np
import pytest

from mnistweb.config import PACKAGE
from mnistweb.recognition.boundaries import Boundaries, Certainty
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rejection import MERGED, SIGN
from mnistweb.recognition.types import DigitImage
from tests.support.drawings import draw_digit, encode

CARD = read_card(PACKAGE / "weights" / "cnn.json")
NOT_A_DIGIT_LOGITS = [0.0] * 10 + [30.0]
DIGIT_LOGITS = [0.0] * 3 + [30.0] + [0.0] * 7


def image(digit: int, width: int) -> DigitImage:
    return normalize(read_drawing(encode(draw_digit(digit, width)), 10**6))


@pytest.mark.parametrize(("width", "reason"), [(20, SIGN), (60, MERGED)])
def test_rejection_has_a_reason_from_the_image(width: int, reason: str) -> None:
    assert to_answer(NOT_A_DIGIT_LOGITS, CARD, image(3, width)).reason == reason


def test_digit_has_no_rejection_reason() -> None:
    assert to_answer(DIGIT_LOGITS, CARD, np.full((28, 28), 255, np.uint8)).reason is None


@pytest.mark.parametrize(
    ("digit", "none", "certainty"),
    [
        (0.81, 0.0, Certainty.SURE),
        (0.79, 0.0, Certainty.DOUBTFUL),
        (1.0, 0.19, Certainty.SURE),
        (1.0, 0.21, Certainty.DOUBTFUL),
        (1.0, 0.49, Certainty.DOUBTFUL),
        (1.0, 0.51, Certainty.NOT_A_DIGIT),
    ],
)
def test_boundaries_tell_the_three_answers_apart(digit: float, none: float, certainty: Certainty) -> None:
    shares = [digit * (1 - none), *[(1 - digit) * (1 - none) / 9] * 9, none]
    card = dataclasses.replace(CARD, temperature=1.0, boundaries=Boundaries(sure=0.8, not_a_digit=0.5))
    answer = to_answer([math.log(max(share, 1e-12)) for share in shares], card, image(0, 20))
    assert answer.certainty == certainty
    assert answer.digit == (None if certainty == "not_a_digit" else 0)
    assert answer.confidence == pytest.approx(none if answer.digit is None else shares[0])


def test_boundaries_belong_to_the_answer_above_them() -> None:
    boundaries = Boundaries(sure=0.75, not_a_digit=0.25)
    assert boundaries.certainty(0.75, 0.0) == "sure"
    assert boundaries.certainty(0.75, 0.25) == "not_a_digit"
    assert boundaries.certainty(0.74, 0.24) == "doubtful"
