import io
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.web import form_tokens
from tests.support.bad_images import BAD_FILES, BAD_TEXTS
from tests.support.clients import FRAGMENT, assert_refused, attribute, correct, csrf_token, predict
from tests.support.drawings import data_url, digit_png, draw_digit, encode, pixels, strokes_json


def draw(client: FlaskClient, digit: int = 3, fragment: bool = True, **fields: Any) -> TestResponse:
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png(digit)), **fields}
    return client.post("/predictions", data=form, headers=FRAGMENT if fragment else {})


def assert_gone(page: TestResponse) -> None:
    assert page.status_code == 200
    assert "That drawing was deleted, or it isn’t public." in page.text
    assert 'data-prediction="' not in page.text


def test_page_has_the_attributes_for_automation(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert '<canvas id="slate"' in page.text
    assert "data-labelled" in page.text


def test_fragment_request_gets_the_changed_parts(client: FlaskClient) -> None:
    response = draw(client)
    assert response.status_code == 201
    assert "<html" not in response.text
    assert attribute(response, "data-prediction") == "3"
    prediction_id = attribute(response, "data-prediction-id")
    assert f'data-prediction-row="{prediction_id}"' in response.text
    uuid.UUID(prediction_id)


def send_json(client: FlaskClient, fields: Any, token: str | None = None) -> TestResponse:
    """Send a drawing as the page's script does."""
    headers = FRAGMENT | {"X-CSRFToken": csrf_token(client) if token is None else token}
    body = fields if isinstance(fields, str) else json.dumps(fields)
    return client.post("/predictions", data=body, content_type="application/json", headers=headers)


def test_script_sends_json(client: FlaskClient) -> None:
    sent = {"image": data_url(digit_png(3)), "model": "lenet5", "strokes": json.dumps(strokes_json(3))}
    response = send_json(client, sent)
    assert response.status_code == 201
    assert attribute(response, "data-prediction") == "3"
    assert attribute(response, "data-model") == "lenet5"
    prediction_id = attribute(response, "data-prediction-id")
    strokes = client.get(f"/predictions/{prediction_id}/strokes.json").get_json()
    assert len(strokes["strokes"]) == len(strokes_json(3)["strokes"])


@pytest.mark.parametrize("body", ["{", "[" * 100_000, "[]", '"text"', {"image": 5}, {"image": None}, {}])
def test_json_without_a_drawing_is_refused(client: FlaskClient, body: Any) -> None:
    assert send_json(client, body).status_code == 400


def test_json_needs_the_token(client: FlaskClient) -> None:
    assert send_json(client, {"image": data_url(digit_png(3))}, token="").status_code == 400


def test_fragment_has_only_what_changed(client: FlaskClient) -> None:
    for digit in (1, 2, 3):
        predict(client, digit)
    response = draw(client)
    assert response.text.count("data-prediction-row") == 1
    assert len(response.data) <= 8 * 1024
    assert 'src="data:image/png;base64,' in response.text
    assert "/input.png" not in response.text
    assert 'id="accuracy"' not in response.text  # an answer without feedback leaves it as it is


def test_fragment_of_an_answer_has_it_alone(client: FlaskClient, stranger: FlaskClient) -> None:
    first = predict(client, 4)["id"]
    predict(client, 8)
    response = client.get(f"/?answer={first}", headers=FRAGMENT)
    assert attribute(response, "data-prediction-id") == first
    assert response.text.count("data-prediction-row") == 1
    for who, name in ((stranger, first), (client, str(uuid.uuid4())), (client, "nonsense"), (client, "")):
        assert_refused(who.get(f"/?answer={name}", headers=FRAGMENT), 404, "not_found")


def test_form_without_javascript_redirects_to_the_answer(client: FlaskClient) -> None:
    response = draw(client, 7, fragment=False)
    assert response.status_code == 303
    page = client.get(response.headers["Location"])
    assert attribute(page, "data-prediction") == "7"
    assert f'data-prediction-row="{attribute(page, "data-prediction-id")}"' in page.text


def test_table_survives_reload_and_shows_only_own_drawings(
    client: FlaskClient, stranger: FlaskClient
) -> None:
    prediction_id = attribute(draw(client), "data-prediction-id")
    assert f'data-prediction-row="{prediction_id}"' in client.get("/").text
    assert "data-prediction-row" not in stranger.get("/").text
    assert f'data-prediction-row="{prediction_id}"' in stranger.get("/history").text


def test_answer_of_another_visitor_has_its_own_page(client: FlaskClient, stranger: FlaskClient) -> None:
    location = draw(client, fragment=False).headers["Location"]
    response = stranger.get(location)
    assert response.status_code == 302
    assert response.headers["Cache-Control"] == "no-store"
    page = stranger.get(response.headers["Location"])
    assert attribute(page, "data-prediction") == "3"
    assert "Only its author can rate it." in page.text
    page = client.get(location)
    assert page.status_code == 200
    assert "data-gone" not in page.text


@pytest.mark.parametrize("public_history", ["own", "off"])
def test_private_answer_of_another_visitor_is_not_shown(
    app: Flask, client: FlaskClient, stranger: FlaskClient, public_history: str
) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    location = draw(client, fragment=False).headers["Location"]
    assert_gone(stranger.get(location))
    assert attribute(client.get(location), "data-prediction") == "3"


def test_unknown_answer_is_said_to_be_gone(client: FlaskClient) -> None:
    for answer in ("nonsense", str(uuid.uuid4())):
        assert_gone(client.get(f"/?answer={answer}"))
    for address in ("/", "/?answer="):
        assert "data-gone" not in client.get(address).text


def test_answer_is_not_said_to_be_gone_without_a_database(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(Engine, "connect", fail)
    page = client.get(f"/?answer={uuid.uuid4()}")
    assert page.status_code == 200
    assert "data-gone" not in page.text


def test_upload_is_recognized_and_stored_as_upload(app: Flask, client: FlaskClient) -> None:
    form = {
        "csrf_token": csrf_token(client),
        "file": (io.BytesIO(encode(draw_digit(0), "JPEG")), "photo.jpg", "image/jpeg"),
    }
    response = client.post("/predictions", data=form, headers=FRAGMENT)
    assert attribute(response, "data-prediction") == "0"
    with app.app_context():
        row = db.session.query(Prediction).one()
        assert row.source == "upload"
        assert row.drawing.startswith(b"\x89PNG")


def test_prediction_is_stored_with_all_fields(app: Flask, client: FlaskClient) -> None:
    assert draw(client, 3, strokes=json.dumps(strokes_json(3)), model="cnn").status_code == 201
    with app.app_context():
        row = db.session.query(Prediction).one()
        assert row.source == "slate"
        assert pixels(row.drawing) == pixels(digit_png(3))
        assert row.strokes == strokes_json(3)
        assert len(row.input) == 28 * 28
        assert row.recognition_ms > 0
        assert row.created_at.utcoffset() is not None


def test_feedback_updates_table_and_accuracy(client: FlaskClient) -> None:
    first, second = (attribute(draw(client, digit), "data-prediction-id") for digit in (3, 7))
    response = correct(client, first, "3")
    assert response.status_code == 200
    assert (attribute(response, "data-labelled"), attribute(response, "data-accuracy")) == ("1", "1.0")
    response = correct(client, second, "1")
    assert (attribute(response, "data-labelled"), attribute(response, "data-accuracy")) == ("2", "0.5")
    page = client.get("/")
    assert (attribute(page, "data-labelled"), attribute(page, "data-accuracy")) == ("2", "0.5")


def test_feedback_can_be_no_digit(client: FlaskClient) -> None:
    response = correct(client, attribute(draw(client), "data-prediction-id"), "none", fragment=False)
    assert response.status_code == 303
    page = client.get(response.headers["Location"])
    assert (attribute(page, "data-labelled"), attribute(page, "data-accuracy")) == ("1", "0.0")


@pytest.mark.parametrize("label", ["", "10", "-1", "3.0", "three", "٣", "None"])
def test_invalid_label_is_rejected(client: FlaskClient, label: str) -> None:
    prediction_id = attribute(draw(client), "data-prediction-id")
    assert_refused(correct(client, prediction_id, label), 422, "invalid_label")
    assert attribute(client.get("/"), "data-labelled") == "0"


def test_feedback_that_judges_another_drawing_is_refused(client: FlaskClient) -> None:
    first, second = (attribute(draw(client, digit), "data-prediction-id") for digit in (3, 7))
    form = {"csrf_token": csrf_token(client), "label": "3"}
    address = f"/predictions/{first}/feedback"
    for judged in (second, "", "nonsense"):
        response = client.post(address, data=form | {"prediction": judged}, headers=FRAGMENT)
        assert_refused(response, 409, "feedback_mismatch")
    assert attribute(client.get("/"), "data-labelled") == "0"
    assert client.post(address, data=form | {"prediction": first}, headers=FRAGMENT).status_code == 200
    assert attribute(client.get("/"), "data-labelled") == "1"


def test_forms_of_an_answer_name_what_they_judge(client: FlaskClient) -> None:
    response = draw(client)
    name = attribute(response, "data-prediction-id")
    assert response.text.count(f'name="prediction" value="{name}"') == 2


def test_only_the_author_can_give_feedback(client: FlaskClient, stranger: FlaskClient) -> None:
    prediction_id = attribute(draw(client), "data-prediction-id")
    assert_refused(correct(stranger, prediction_id, "3"), 404, "not_found")
    assert_refused(correct(client, str(uuid.uuid4()), "3"), 404, "not_found")
    assert attribute(client.get("/"), "data-labelled") == "0"


def test_refusal_shows_the_newest_drawings_whatever_the_address_asks_for(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client), "image": ""}
    response = client.post("/predictions?older=bad", data=form)
    assert response.status_code == 400
    assert "There is no picture to read." in response.text
    assert client.get("/?older=bad").status_code == 400


@pytest.mark.parametrize("fragment", [True, False])
@pytest.mark.parametrize("name", sorted(BAD_TEXTS.keys() - {"lone surrogate"}))
def test_bad_images_are_rejected_and_not_logged(
    app: Flask, client: FlaskClient, logged: Callable[[], int], name: str, fragment: bool
) -> None:
    app.config["MAX_IMAGE_BYTES"] = 200 * 1024
    text, status, code = BAD_TEXTS[name]
    assert_refused(draw(client, image=text, fragment=fragment), status, code)
    assert logged() == 0


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_uploads_are_rejected_and_not_logged(
    app: Flask, client: FlaskClient, logged: Callable[[], int], name: str
) -> None:
    app.config["MAX_IMAGE_BYTES"] = 200 * 1024
    data, media_type, status, code = BAD_FILES[name]
    assert_refused(draw(client, file=(io.BytesIO(data), "file", media_type)), status, code)
    assert logged() == 0


def test_form_without_an_image_is_rejected(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client)}
    assert_refused(client.post("/predictions", data=form), 400, "missing_image")


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", 400, "There is no picture to read."),
        (b"not a picture", 415, "This is a text. Please use a PNG, JPEG or WebP picture."),
        (digit_png()[:200], 400, "The picture is damaged or incomplete."),
        (encode(Image.new("L", (9, 9))), 422, "This picture looks empty."),
    ],
)
def test_form_comes_back_with_the_error_of_a_picture(
    app: Flask, client: FlaskClient, data: bytes, status: int, sentence: str
) -> None:
    form = {
        "csrf_token": csrf_token(client),
        "model": "lenet5",
        "file": (io.BytesIO(data), "3.png" if data else ""),
    }
    page = client.post("/predictions", data=form)
    assert page.status_code == status
    assert sentence in page.text
    assert 'action="/predictions"' in page.text
    assert '<option value="lenet5" selected>' in page.text
    assert page.headers["X-Request-ID"] not in page.text


def test_refused_picture_is_json_on_request(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client)}
    response = client.post("/predictions", data=form, headers={"Accept": "application/json"})
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, "missing_image")


@pytest.mark.parametrize("strokes", ["{", "[]", "[" * 10_000, '{"size": NaN, "strokes": []}'])
def test_invalid_strokes_are_rejected(client: FlaskClient, strokes: str) -> None:
    assert_refused(draw(client, strokes=strokes), 422, "invalid_strokes")


def test_unknown_model_is_rejected(client: FlaskClient) -> None:
    assert_refused(draw(client, model="nothing"), 422, "unknown_model")
    assert draw(client, model="").status_code == 201


@pytest.mark.parametrize("fragment", [True, False])
def test_forms_need_the_csrf_token_of_the_session(
    client: FlaskClient, stranger: FlaskClient, logged: Callable[[], int], fragment: bool
) -> None:
    for token in ("", "nonsense", csrf_token(stranger)):
        assert_refused(draw(client, csrf_token=token, fragment=fragment), 400, "csrf")
    prediction = predict(client)
    form = {"label": "3"}
    assert_refused(client.post(f"/predictions/{prediction['id']}/feedback", data=form), 400, "csrf")
    assert logged() == 1


def test_csrf_token_expires(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    token = csrf_token(client)
    monkeypatch.setattr(form_tokens, "MAX_AGE", -1)
    assert_refused(draw(client, csrf_token=token), 400, "csrf")


def test_errors_are_json_on_request(client: FlaskClient) -> None:
    response = client.get("/nothing", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert response.get_json()["error"]["code"] == "not_found"


def test_unknown_addresses_and_methods_get_an_error_page(client: FlaskClient) -> None:
    assert_refused(client.get("/nothing"), 404, "not_found")
    assert_refused(client.get(f"/predictions/{uuid.uuid4()}/drawing.png"), 404, "not_found")
    response = client.get("/predictions")
    assert_refused(response, 405, "method_not_allowed")
    assert response.headers["Allow"]


def test_images_are_cacheable_pngs(client: FlaskClient, predicted: dict[str, Any]) -> None:
    drawing = client.get(f"/predictions/{predicted['id']}/drawing.png")
    assert pixels(drawing.data) == pixels(digit_png(3))
    seen = client.get(f"/predictions/{predicted['id']}/input.png")
    for response in (drawing, seen):
        assert response.mimetype == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in response.headers["Cache-Control"]
    image = np.asarray(Image.open(io.BytesIO(seen.data)))
    assert image.shape == (28, 28)
    assert image.max() > 200


def test_history_is_paginated(client: FlaskClient) -> None:
    ids = [predict(client, digit)["id"] for digit in (1, 2, 3)]
    page = client.get("/history?limit=2")
    assert re.findall(r'data-prediction-row="([^"]+)"', page.text) == ids[:0:-1]
    following = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert following
    page = client.get(following[1].replace("&amp;", "&"))
    assert re.findall(r'data-prediction-row="([^"]+)"', page.text) == ids[:1]
    assert 'rel="next"' not in page.text
    assert_refused(client.get("/history?cursor=x"), 400, "invalid_cursor")
    assert_refused(client.get("/history?limit=0"), 400, "invalid_limit")


@pytest.mark.parametrize("address", ["/", "/history", "/nothing", "/healthz", "/api/v1/predictions"])
def test_responses_have_security_headers(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in headers["Cache-Control"]


def test_pages_have_no_inline_script_or_style(client: FlaskClient) -> None:
    draw(client)
    for address in ("/", "/history", "/nothing"):
        text = client.get(address).text
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
