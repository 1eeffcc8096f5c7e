import io
import re
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image

from mnistweb.database.models import Prediction
from mnistweb.history.preview import BARS_BOTTOM, BARS_TOP, LEFT, MARGIN, RIGHT, preview_png
from tests.support.clients import predict
from tests.support.drawings import digit_png, draw_digit, encode

BLUE, CHALK, SLATE = (0x1F, 0x4E, 0x9E), (0xF5, 0xF2, 0xEA), (0x23, 0x29, 0x2C)


def reading(digit: int | None, share: float, none: float = 0.0, **fields: Any) -> Prediction:
    """A prediction of `digit` (or a refused 4) that shares the rest with 9."""
    probabilities = [0.0] * 10
    probabilities[4 if digit is None else digit] += share
    probabilities[9] += 1 - none - share
    values = {
        "drawing": digit_png(4),
        "digit": digit,
        "confidence": none if digit is None else share,
        "not_a_digit": none,
        "probabilities": [value / (1 - none) for value in probabilities],
        "reason": None,
    }
    return Prediction(**(values | fields))


def pixels(png: bytes) -> NDArray[np.uint8]:
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (1200, 630))
    return np.asarray(picture)


def count(area: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((area == np.array(colour, np.uint8)).all(-1).sum())


def bar_heights(picture: NDArray[np.uint8]) -> list[int]:
    """The heights of the eleven bars, from left to right."""
    blue = (picture[BARS_TOP:BARS_BOTTOM, LEFT:RIGHT] == np.array(BLUE, np.uint8)).all(-1)
    edges = [45 * number + 20 for number in range(10)] + [RIGHT - LEFT - 20]
    return [int(blue[:, x].sum()) for x in edges]


def meta(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]+)"', page))


def test_preview_has_the_drawing_in_chalk_and_a_bar_for_each_probability() -> None:
    picture = pixels(preview_png(reading(4, 0.75, 0.0)))
    board = picture[MARGIN:-MARGIN, MARGIN : LEFT - 60]
    assert count(board, SLATE) > 100_000
    assert 10_000 < count(board, CHALK) < 100_000
    height = BARS_BOTTOM - BARS_TOP
    heights = bar_heights(picture)
    assert (heights[4], heights[9]) == pytest.approx((0.75 * height, 0.25 * height), abs=1)
    assert sum(heights) == pytest.approx(height, abs=1)


@pytest.mark.parametrize(
    "prediction",
    [
        reading(4, 0.999),
        reading(4, 0.6),
        reading(4, 0.6, 0.35),
        reading(None, 0.73, 0.27),
        reading(None, 0.03, 0.94, reason="It looks more like a letter or a drawing. " * 3),
        reading(8, 1.0, drawing=encode(draw_digit(8).resize((28, 28)))),
        reading(8, 1.0, drawing=encode(draw_digit(8).crop((60, 20, 220, 260)))),
    ],
    ids=["certain", "two digits", "digit or none", "refused in doubt", "refused", "tiny", "upright"],
)
def test_words_stay_in_their_place(prediction: Prediction) -> None:
    picture = pixels(preview_png(prediction))
    paper = picture[5, 5]
    for edge in (
        picture[:, RIGHT + 1 :],
        picture[: MARGIN - 10],
        picture[-MARGIN + 10 :],
        picture[:, 590:630],
    ):
        assert (edge == paper).all()
    assert (picture[428:436, LEFT:] == paper).all()


def test_drawing_on_paper_becomes_chalk_on_slate() -> None:
    dark_on_light = Image.eval(draw_digit(4), lambda level: 255 - level)
    picture = pixels(preview_png(reading(4, 1.0, drawing=encode(dark_on_light))))
    assert np.array_equal(picture, pixels(preview_png(reading(4, 1.0))))


def test_preview_is_an_image_that_other_sites_may_show(client: FlaskClient) -> None:
    made = predict(client, 3)
    response = client.get(f"/predictions/{made['id']}/preview.png")
    assert response.mimetype == "image/png"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(response.data) < 100_000


def test_page_of_a_prediction_names_its_own_preview(client: FlaskClient, stranger: FlaskClient) -> None:
    made = predict(client, 3)
    address = f"http://localhost/predictions/{made['id']}/preview.png"
    named = meta(stranger.get(f"/predictions/{made['id']}").text)
    assert named["og:image"] == address
    assert "a three" in named["og:title"]
    assert "a three" in named["og:image:alt"]
    assert "drawing" in named["og:description"]
    assert named["twitter:card"] == "summary_large_image"
    assert stranger.get(address).status_code == 200
    assert meta(client.get("/history").text)["og:image"].endswith("/img/preview.png")


@pytest.mark.parametrize("drawing", [encode(draw_digit(1).resize((900, 900))), b"damaged"])
def test_preview_of_a_drawing_that_cannot_be_read_has_the_input(drawing: bytes) -> None:
    seen = np.zeros((28, 28), np.uint8)
    seen[4:24, 12:16] = 255
    picture = pixels(preview_png(reading(4, 0.75, drawing=drawing, input=seen.tobytes())))
    assert 10_000 < count(picture[MARGIN:-MARGIN, MARGIN : LEFT - 60], CHALK) < 30_000
