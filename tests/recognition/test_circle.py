"""The default network reads a circle, a common way to draw a zero."""

import pytest
from PIL import Image, ImageDraw

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.zoo import Zoo
from tests.support.drawings import SIDE, encode


@pytest.mark.parametrize("radius", [30, 60, 100])
@pytest.mark.parametrize("width", [12, 20, 28])
def test_circle_is_read_as_zero(radius: int, width: int) -> None:
    picture = Image.new("L", (SIDE * 2, SIDE * 2))
    ImageDraw.Draw(picture).circle(
        (SIDE, SIDE), 2 * radius, outline=255, width=2 * width if radius > 30 else 24
    )
    ink = read_drawing(encode(picture.resize((SIDE, SIDE))), 10**6)
    assert Zoo.load().get("cnn").recognize(normalize(ink)).digit == 0
