import numpy as np
import pytest

from mnistweb.config import PACKAGE
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
