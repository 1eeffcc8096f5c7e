from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import event
from werkzeug.test import TestResponse

from mnistweb.extensions import db
from tests.support.clients import predict
from tests.support.drawings import draw_digit

INK = "application/octet-stream"


def cropped(digit: int, side: int = 80) -> Image.Image:
    """Crop a drawn digit to its ink, as the page does."""
    picture = draw_digit(digit)
    box = picture.getbbox()
    assert box
    picture = picture.crop(box)
    scale = side / max(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def ask(client: FlaskClient, ink: Image.Image, **options: Any) -> TestResponse:
    options = {"query_string": {"width": ink.width}, "content_type": INK, **options}
    return client.post("/guess", data=ink.tobytes(), headers={"Accept": "application/json"}, **options)


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """SQL statements sent during a test."""
    seen: list[str] = []

    def record(*arguments: Any) -> None:
        seen.append(arguments[2])

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", record)
    yield seen
    event.remove(engine, "before_cursor_execute", record)


@pytest.mark.parametrize("digit", [1, 3, 4, 7])
def test_guess_equals_the_prediction(client: FlaskClient, digit: int) -> None:
    guess = ask(client, cropped(digit)).get_json()
    predicted = predict(client, digit)
    assert guess["digit"] == predicted["digit"] == digit
    assert guess["certainty"] == predicted["certainty"] != "not_a_digit"
    assert guess["probabilities"] == pytest.approx(predicted["probabilities"], abs=0.02)
    assert guess["confidence"] == pytest.approx(predicted["confidence"], abs=0.02)
    assert guess["not_a_digit"] == pytest.approx(predicted["not_a_digit"], abs=0.02)
    assert guess["words"]["sign"] == str(digit)
    assert sum(guess["shares"]) == pytest.approx(1, abs=0.001)
    assert len(guess["bars"]) == len(guess["shares"]) == 11
    assert guess["bars"][digit] in (">99", "100", str(round(100 * guess["shares"][digit])))
    assert 0 < guess["threshold"] < 1
    assert guess["seen"].startswith("data:image/png;base64,")
    assert guess["words"]["guess"].startswith(f"{guess['words']['guess_short']} · ")


def test_guess_sets_no_cookie_and_uses_no_database(
    client: FlaskClient, logged: Callable[[], int], statements: list[str]
) -> None:
    response = ask(client, cropped(3))
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert statements == []
    assert logged() == 0


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"query_string": {}}, 400, "unreadable_image"),
        ({"query_string": {"width": "x"}}, 400, "unreadable_image"),
        ({"query_string": {"width": 0}}, 400, "unreadable_image"),
        ({"query_string": {"width": 7919}}, 400, "unreadable_image"),
        ({"query_string": {"width": 1}}, 400, "unreadable_image"),
        ({"query_string": {"width": 80, "model": "none such"}}, 422, "unknown_model"),
    ],
)
def test_invalid_requests_are_rejected(client: FlaskClient, options: Any, status: int, code: str) -> None:
    response = ask(client, Image.new("L", (80, 80), 255), **options)
    assert response.status_code == status
    assert response.get_json()["error"]["code"] == code


def test_image_without_ink_is_rejected(client: FlaskClient) -> None:
    assert ask(client, Image.new("L", (80, 80))).get_json()["error"]["code"] == "empty_drawing"
    empty = client.post("/guess?width=80", content_type=INK, headers={"Accept": "application/json"})
    assert empty.status_code == 400


def test_too_large_body_is_rejected(client: FlaskClient) -> None:
    assert ask(client, Image.new("L", (129, 128), 255)).status_code == 413


def test_requests_from_other_sites_are_rejected(client: FlaskClient) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site, "Accept": "application/json"}
        ink = cropped(3)
        response = client.post(
            f"/guess?width={ink.width}", data=ink.tobytes(), content_type=INK, headers=headers
        )
        assert response.status_code == status
