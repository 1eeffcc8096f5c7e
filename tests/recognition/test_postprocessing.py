import numpy as np
import pytest

from mnistweb.config import PACKAGE
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import DigitImage
from tests.support.drawings import draw_digit, encode

CARD = read_card(PACKAGE / "weights" / "cnn.json")
NO_DIGIT = [0.0] * 10 + [30.0]
A_DIGIT = [0.0] * 3 + [30.0] + [0.0] * 7


def seen(digit: int, width: int) -> DigitImage:
    return normalize(read_drawing(encode(draw_digit(digit, width)), 10**6))


@pytest.mark.parametrize(("width", "reason"), [(20, "does not look like"), (60, "draw it larger")])
def test_a_refusal_says_whether_the_pen_was_too_thick(width: int, reason: str) -> None:
    assert reason in (to_answer(NO_DIGIT, CARD, seen(3, width)).reason or "")


def test_what_is_read_needs_no_reason() -> None:
    assert to_answer(A_DIGIT, CARD, np.full((28, 28), 255, np.uint8)).reason is None
