import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.bad_images import BAD_TEXTS, UNUSUAL_IMAGES
from tests.support.clients import predict
from tests.support.databases import on_both_databases
from tests.support.drawings import STROKES, data_url, digit_png, draw_digit, encode, strokes_json

PREDICTIONS = "/api/v1/predictions"


def assert_refused(response: TestResponse, status: int, code: str) -> None:
    body = response.get_json()
    assert (response.status_code, body["error"]["code"]) == (status, code), response.text
    message = body["error"]["message"]
    assert message.endswith(".")
    assert len(message) < 200
    assert "Traceback" not in response.text


@on_both_databases
def test_prediction_is_returned_and_saved(client: FlaskClient, logged: Callable[[], int]) -> None:
    body = predict(client, 3)
    assert body["digit"] == 3
    assert 0.5 < body["confidence"] <= 1
    assert len(body["probabilities"]) == 10
    assert sum(body["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert body["probabilities"][3] == max(body["probabilities"])
    assert 0 <= body["not_a_digit"] < 0.5
    assert body["reason"] is None
    assert body["saved"] is True
    assert body["source"] == "api"
    assert body["label"] is None
    assert body["labelled"] is False
    assert body["correct"] is None
    assert isinstance(body["model"], str)
    assert isinstance(body["model_version"], str)
    assert datetime.fromisoformat(body["created_at"]).utcoffset() == timedelta(0)
    assert logged() == 1


def test_plain_digits_are_read(client: FlaskClient) -> None:
    assert [predict(client, digit)["digit"] for digit in STROKES] == list(STROKES)


def test_bare_base64_is_accepted(client: FlaskClient) -> None:
    response = client.post(PREDICTIONS, json={"image": base64.b64encode(digit_png(7)).decode()})
    assert response.get_json()["digit"] == 7


@pytest.mark.parametrize("name", UNUSUAL_IMAGES)
def test_unusual_images_are_read(client: FlaskClient, name: str) -> None:
    kind = {"JPEG": "image/jpeg", "WebP": "image/webp"}.get(name, "image/png")
    response = client.post(PREDICTIONS, json={"image": data_url(UNUSUAL_IMAGES[name], kind)})
    assert response.status_code == 201, response.text
    assert response.get_json()["digit"] == 3
    drawing = client.get(f"/predictions/{response.get_json()['id']}/drawing.png")
    assert drawing.data.startswith(b"\x89PNG")


def test_location_leads_to_the_prediction(client: FlaskClient) -> None:
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png())})
    found = client.get(response.headers["Location"])
    assert found.status_code == 200
    assert found.get_json() == {key: value for key, value in response.get_json().items() if key != "saved"}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_image_is_refused_and_not_saved(
    app: Flask, client: FlaskClient, logged: Callable[[], int], name: str
) -> None:
    app.config["MAX_IMAGE_BYTES"] = 200 * 1024
    text, status, code = BAD_TEXTS[name]
    assert_refused(client.post(PREDICTIONS, json={"image": text}), status, code)
    assert logged() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"null", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"{}", "missing_image"),
        (b'{"image": null}', "missing_image"),
        (b'{"image": ["a"]}', "missing_image"),
    ],
)
def test_bad_body_is_refused(client: FlaskClient, body: bytes, code: str) -> None:
    assert_refused(client.post(PREDICTIONS, data=body, content_type="application/json"), 400, code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_other_content_type_is_refused(client: FlaskClient, content_type: str | None) -> None:
    response = client.post(PREDICTIONS, data=b"{}", content_type=content_type)
    assert_refused(response, 415, "unsupported_media_type")


def test_large_body_is_refused_unread(app: Flask, client: FlaskClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    assert_refused(client.post(PREDICTIONS, json={"image": "A" * 1000}), 413, "image_too_large")


@pytest.mark.parametrize("media_type", ["image/jpg", "image/png", "application/octet-stream", "text/html"])
def test_picture_is_judged_by_its_bytes(client: FlaskClient, media_type: str) -> None:
    image = data_url(encode(draw_digit(3), "JPEG"), media_type)
    response = client.post(PREDICTIONS, json={"image": image})
    assert (response.status_code, response.get_json()["digit"]) == (201, 3)


def test_refusal_names_the_kind_of_file(client: FlaskClient) -> None:
    response = client.post(PREDICTIONS, json={"image": data_url(encode(draw_digit(3), "GIF"))})
    assert_refused(response, 415, "unsupported_media_type")
    sentence = "This is a GIF picture. Please use a PNG, JPEG or WebP picture."
    assert response.get_json()["error"]["message"] == sentence


@pytest.mark.parametrize("model", ["", "nothing", "../cnn", 5, True, ["cnn"], "\ud800"])
def test_unknown_model_is_refused(client: FlaskClient, logged: Callable[[], int], model: object) -> None:
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png()), "model": model})
    assert_refused(response, 422, "unknown_model")
    assert logged() == 0


def test_every_listed_model_answers(client: FlaskClient) -> None:
    models = client.get("/api/v1/models").get_json()["items"]
    assert [model["name"] for model in models if model["default"]] == ["cnn"]
    for model in models:
        assert model["parameters"] > 0
        body = predict(client, 0, model=model["name"])
        assert (body["model"], body["model_version"]) == (model["name"], model["version"])


def test_strokes_are_accepted(client: FlaskClient) -> None:
    assert predict(client, 3, strokes=strokes_json(3))["saved"]
    assert predict(client, 3, strokes=None)["saved"]


@pytest.mark.parametrize("strokes", ["", [], {"size": 280}, {"size": 280, "strokes": [{}]}])
def test_invalid_strokes_are_refused(client: FlaskClient, logged: Callable[[], int], strokes: object) -> None:
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png()), "strokes": strokes})
    assert_refused(response, 422, "invalid_strokes")
    assert logged() == 0


def give_feedback(client: FlaskClient, prediction_id: str, label: object) -> TestResponse:
    return client.post(f"{PREDICTIONS}/{prediction_id}/feedback", json={"label": label})


@pytest.mark.parametrize(("label", "correct"), [(3, True), (3.0, True), (8, False), (None, False)])
def test_feedback_is_saved(
    client: FlaskClient, predicted: dict[str, Any], label: float | None, correct: bool
) -> None:
    response = give_feedback(client, predicted["id"], label)
    assert response.status_code == 200
    found = client.get(f"{PREDICTIONS}/{predicted['id']}").get_json()
    assert response.get_json() == found
    assert (found["label"], found["labelled"], found["correct"]) == (label, True, correct)


def test_feedback_can_be_changed(client: FlaskClient, predicted: dict[str, Any]) -> None:
    for label in (3, None, 5, 5):
        assert give_feedback(client, predicted["id"], label).get_json()["label"] == label


@pytest.mark.parametrize("label", [10, -1, 10**30, 1e300, 3.5, True, False, "3", "", [], {}])
def test_label_other_than_a_digit_is_refused(
    client: FlaskClient, predicted: dict[str, Any], label: object
) -> None:
    assert_refused(give_feedback(client, predicted["id"], label), 422, "invalid_label")
    assert client.get(f"{PREDICTIONS}/{predicted['id']}").get_json()["labelled"] is False


def test_feedback_without_a_label_is_refused(client: FlaskClient, predicted: dict[str, Any]) -> None:
    response = client.post(f"{PREDICTIONS}/{predicted['id']}/feedback", json={})
    assert_refused(response, 422, "invalid_label")


def test_only_the_author_can_give_feedback(
    client: FlaskClient, stranger: FlaskClient, predicted: dict[str, Any]
) -> None:
    assert_refused(give_feedback(stranger, predicted["id"], 3), 404, "not_found")
    assert client.get(f"{PREDICTIONS}/{predicted['id']}").get_json()["labelled"] is False


@pytest.mark.parametrize("prediction_id", ["7d3d3b5e-2d0a-4c53-a0a3-6b1d5c2f0b9e", "1", "%00", "a/b"])
def test_unknown_prediction_is_not_found(client: FlaskClient, prediction_id: str) -> None:
    assert_refused(give_feedback(client, prediction_id, 3), 404, "not_found")
    assert_refused(client.get(f"{PREDICTIONS}/{prediction_id}"), 404, "not_found")


@on_both_databases
def test_listing_is_newest_first_and_names_no_visitor(client: FlaskClient, stranger: FlaskClient) -> None:
    ids = [predict(visitor, digit)["id"] for digit, visitor in enumerate([client, stranger, client])]
    body = client.get(PREDICTIONS).get_json()
    assert [item["id"] for item in body["items"]] == ids[::-1]
    assert body["next"] is None
    assert "visitor" not in json.dumps(body)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5", "", "٣", "9" * 5000])
def test_limit_out_of_range_is_refused(client: FlaskClient, limit: str) -> None:
    assert_refused(client.get(PREDICTIONS, query_string={"limit": limit}), 400, "invalid_limit")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "A" * 31, "A" * 36, "\x00"])
def test_invalid_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    response = client.get(PREDICTIONS, query_string={"cursor": cursor})
    assert_refused(response, 400, "invalid_cursor")


def test_errors_are_json_for_every_accept_header(client: FlaskClient) -> None:
    html = {"Accept": "text/html"}
    assert_refused(client.get("/api/v1/nothing", headers=html), 404, "not_found")
    response = client.put(PREDICTIONS, headers=html)
    assert_refused(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]
