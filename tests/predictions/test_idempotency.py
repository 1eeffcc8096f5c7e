"""Idempotency keys: a retried request is saved once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import service
from mnistweb.predictions.idempotency import IdempotencyKey, replay
from tests.support.clients import attribute, csrf_token
from tests.support.drawings import data_url, digit_png, strokes_json

PREDICTIONS = "/api/v1/predictions"
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def send(
    client: FlaskClient, key: str = KEY, digit: int = 3, address: str = "10.0.0.1", **fields: Any
) -> Any:
    return client.post(
        PREDICTIONS,
        json={"image": data_url(digit_png(digit)), **fields},
        headers={"Idempotency-Key": key},
        environ_base={"REMOTE_ADDR": address},
    )


def error_of(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_retry_returns_the_saved_prediction(client: FlaskClient, logged: Callable[[], int]) -> None:
    client.get("/")
    first, second = send(client), send(client)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json() == second.get_json()
    assert first.headers["Location"] == second.headers["Location"]
    assert logged() == 1


def test_retry_without_cookie_restores_visitor(app: Flask, client: FlaskClient) -> None:
    lost = app.test_client(use_cookies=False)
    first, again = send(lost), send(client)
    assert (again.status_code, again.get_json()["id"]) == (200, first.get_json()["id"])
    feedback = client.post(f"{PREDICTIONS}/{first.get_json()['id']}/feedback", json={"label": 3})
    assert feedback.status_code == 200
    assert send(client).get_json()["label"] == 3


def test_key_of_another_client_returns_nothing(
    app: Flask, client: FlaskClient, stranger: FlaskClient, logged: Callable[[], int]
) -> None:
    first = send(client)
    elsewhere = send(app.test_client(), address="10.0.0.2")
    stranger.get("/")
    known = send(stranger)
    assert [each.status_code for each in (first, elsewhere, known)] == [201] * 3
    assert logged() == 3
    for other in (elsewhere, known):
        assert other.get_json()["id"] != first.get_json()["id"]


@pytest.mark.parametrize("change", [{"digit": 7}, {"model": "cnn"}, {"strokes": strokes_json(3)}])
def test_key_is_rejected_for_another_request(
    client: FlaskClient, logged: Callable[[], int], change: dict[str, Any]
) -> None:
    assert send(client).status_code == 201
    assert error_of(send(client, **change)) == (422, "idempotency_key_reused")
    assert logged() == 1


def test_key_of_a_prediction_that_is_deleted_meanwhile_is_free(
    client: FlaskClient, logged: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replay_late(request: IdempotencyKey) -> Prediction:
        db.session.execute(db.delete(Prediction))
        db.session.commit()
        return replay(request)

    first = send(client)
    monkeypatch.setattr(service, "replay", replay_late)
    second = send(client)
    assert second.status_code == 201
    assert second.get_json()["id"] != first.get_json()["id"]
    assert logged() == 1


@pytest.mark.parametrize("key", ["", "a" * 15, "a" * 256, "é" * 20])
def test_short_long_or_non_ascii_key_is_rejected(
    client: FlaskClient, logged: Callable[[], int], key: str
) -> None:
    assert error_of(send(client, key)) == (400, "invalid_idempotency_key")
    assert logged() == 0


def test_requests_without_a_key_are_all_saved(client: FlaskClient, logged: Callable[[], int]) -> None:
    body = {"image": data_url(digit_png(3))}
    assert [client.post(PREDICTIONS, json=body).status_code for _ in range(2)] == [201, 201]
    assert logged() == 2


@pytest.mark.parametrize("known", [True, False])
def test_one_of_concurrent_requests_is_saved(
    app: Flask, client: FlaskClient, logged: Callable[[], int], known: bool
) -> None:
    cookies = []
    if known:
        client.get("/")
        cookie = client.get_cookie("visitor")
        assert cookie
        cookies = [cookie.value]

    def repeat(_: int) -> Any:
        each = app.test_client()
        for value in cookies:
            each.set_cookie("visitor", value)
        return send(each)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(repeat, range(8)))
    assert sorted(each.status_code for each in found) == [200] * 7 + [201]
    assert len({each.get_json()["id"] for each in found}) == 1
    assert logged() == 1


def test_key_of_a_deleted_prediction_can_be_used_again(
    client: FlaskClient, logged: Callable[[], int]
) -> None:
    first = send(client)
    assert client.delete(f"{PREDICTIONS}/{first.get_json()['id']}").status_code == 204
    assert send(client).status_code == 201
    assert logged() == 1


@pytest.mark.parametrize("fragment", [True, False])
def test_form_requests_can_be_retried(client: FlaskClient, logged: Callable[[], int], fragment: bool) -> None:
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png(3))}
    headers = {"Idempotency-Key": KEY} | ({"X-Fragment": "true"} if fragment else {})
    first, second = (client.post("/predictions", data=form, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == ((201, 200) if fragment else (303, 303))
    if fragment:
        assert attribute(first, "data-prediction-id") == attribute(second, "data-prediction-id")
    else:
        assert first.headers["Location"] == second.headers["Location"]
    assert logged() == 1
