"""Access to each route for the author, another visitor, and a client without cookies."""

import uuid
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import ColumnElement
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from tests.support.clients import assert_refused, csrf_token, predict
from tests.support.drawings import data_url, digit_png


class Access(NamedTuple):
    """Expected status of a route for each client, on the author's prediction, and the request body."""

    author: int
    other: int
    anonymous: int
    form: dict[str, str] | None = None
    json: dict[str, Any] | None = None
    data: bytes | None = None


IMAGE = {"image": data_url(digit_png(3))}
PUBLIC, ABSENT = Access(200, 200, 200), Access(404, 404, 404)
ROUTES = {
    "GET static": PUBLIC,
    "GET health.live": PUBLIC,
    "GET health.ready": PUBLIC,
    "GET docs.as_page": PUBLIC,
    "GET docs.as_json": PUBLIC,
    "GET registry.index": PUBLIC,
    "GET registry.show": PUBLIC,
    "GET registry.comparison": ABSENT,  # of a promotion; here are none
    "GET insights.index": PUBLIC,
    "GET draw.index": PUBLIC,
    "POST live_guess.guess": Access(200, 200, 200, data=b"\0" * 60 + b"\xff" * 60 + b"\0" * 60),
    # Public, unless PUBLIC_HISTORY is own or off; the author is never disclosed.
    "GET history.index": PUBLIC,
    "GET history.as_csv": PUBLIC,
    "GET history.as_json_lines": PUBLIC,
    "GET history.as_training_file": PUBLIC,
    "GET prediction.show": PUBLIC,
    "GET prediction.strokes": PUBLIC,
    "GET prediction.film": PUBLIC,
    "GET media.drawing": PUBLIC,
    "GET media.input_image": PUBLIC,
    "GET media.preview": PUBLIC,
    "GET explain.show": PUBLIC,
    "POST draw.comparison": Access(200, 200, 400, form={}),
    "POST api.comparison": Access(200, 200, 200, json={}),
    "GET api.listing": PUBLIC,
    "GET api.show": PUBLIC,
    "GET api.models": PUBLIC,
    # For every visitor, on their own predictions.
    "POST draw.predict": Access(303, 303, 400, form=IMAGE),
    "GET my_drawings.download_all": PUBLIC,
    "GET my_drawings.confirm_deletion": PUBLIC,
    "POST my_drawings.delete_all": Access(303, 303, 400, form={}),
    "DELETE api.delete_all": PUBLIC,
    "POST api.predict": Access(201, 201, 201, json=IMAGE),
    "GET challenge.index": PUBLIC,
    "POST challenge.start": Access(201, 201, 400, form={}),
    # Of a round of one's own; here are none (tests/challenge/test_rounds.py).
    "POST challenge.draw": Access(404, 404, 400, form={"prompt": "3"} | IMAGE),
    "POST challenge.finish": Access(404, 404, 400, form={}),
    "GET challenge.show": ABSENT,
    "POST challenge.delete": Access(404, 404, 400, form={}),
    # For the author only.
    "POST draw.feedback": Access(303, 404, 400, form={"label": "3"}),
    "POST my_drawings.delete": Access(303, 404, 400, form={}),
    "POST api.feedback": Access(200, 404, 404, json={"label": 3}),
    "DELETE api.delete": Access(204, 404, 404),
    # For reviewers only, and absent without their password (tests/review/test_login.py).
    "GET review.index": ABSENT,
    "GET review.drawing": ABSENT,
    "POST review.decide": Access(404, 404, 400, form={}),
    "POST review.undo": Access(404, 404, 400, form={}),
    "GET review_decisions.index": ABSENT,
    "POST review_decisions.undo": Access(404, 404, 400, form={}),
    "GET review_login.form": ABSENT,
    "POST review_login.log_in": Access(404, 404, 400, form={}),
    "POST review_login.log_out": Access(404, 404, 400, form={}),
}
PREDICTION_ENDPOINTS = (
    "prediction.show",
    "prediction.strokes",
    "prediction.film",
    "media.drawing",
    "media.input_image",
    "media.preview",
    "explain.show",
    "api.show",
)
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def rules(app: Flask) -> dict[str, Rule]:
    """Return the URL rules by method and endpoint."""
    return {
        f"{method} {rule.endpoint}": rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
    }


def address(app: Flask, route: str, prediction_id: str) -> str:
    drawing = uuid.UUID(prediction_id)
    ids = dict.fromkeys(("prediction_id", "decision_id", "challenge_id"), drawing)
    values = ids | {"promotion_id": 1, "place": 0, "name": "cnn", "filename": "css/base.css"}
    rule = rules(app)[route]
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(
            rule.endpoint, {name: values[name] for name in rule.arguments}, method=route.split()[0]
        )
    return built + {"POST live_guess.guess": "?width=10", "DELETE api.delete_all": "?mine=1"}.get(route, "")


def call(app: Flask, client: FlaskClient, route: str, prediction_id: str, token: str = "") -> TestResponse:
    sent = ROUTES[route]
    options: dict[str, Any] = {}
    if sent.form is not None:
        options["data"] = sent.form | {"csrf_token": token}
    elif sent.json is not None:
        options["json"] = sent.json
    elif sent.data is not None:
        options |= {"data": sent.data, "content_type": "application/octet-stream"}
    response = client.open(address(app, route, prediction_id), method=route.split()[0], **options)
    response.get_data()
    response.close()
    return response


def stored(app: Flask, prediction_id: str) -> Prediction | None:
    with app.app_context():
        return db.session.get(Prediction, uuid.UUID(prediction_id))


def test_table_contains_every_route(app: Flask) -> None:
    assert set(rules(app)) == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_routes_answer_by_authorship(
    app: Flask, client: FlaskClient, stranger: FlaskClient, route: str
) -> None:
    prediction_id = predict(client)["id"]
    anonymous = app.test_client(use_cookies=False)
    assert call(app, anonymous, route, prediction_id).status_code == ROUTES[route].anonymous
    token = csrf_token(stranger)
    assert call(app, stranger, route, prediction_id, token).status_code == ROUTES[route].other
    prediction = stored(app, prediction_id)
    assert prediction
    assert not prediction.labelled
    answer = call(app, client, route, prediction_id, csrf_token(client))
    assert answer.status_code == ROUTES[route].author, answer.text


@pytest.mark.parametrize("route", [f"GET {endpoint}" for endpoint in PREDICTION_ENDPOINTS])
def test_private_history_hides_single_predictions(
    app: Flask, client: FlaskClient, stranger: FlaskClient, route: str
) -> None:
    prediction_id = predict(client)["id"]
    app.config["PUBLIC_HISTORY"] = "own"
    stranger.get("/")
    for other in (stranger, app.test_client(use_cookies=False)):
        assert call(app, other, route, prediction_id).status_code == 404
    assert call(app, client, route, prediction_id).status_code == 200


@pytest.mark.parametrize("path", ["/history", "/history.csv", "/history.jsonl", "/api/v1/predictions"])
def test_private_history_hides_listed_predictions(
    app: Flask, client: FlaskClient, stranger: FlaskClient, path: str
) -> None:
    prediction_id = predict(client)["id"]
    app.config["PUBLIC_HISTORY"] = "own"
    stranger.get("/")
    for other in (stranger, app.test_client(use_cookies=False)):
        assert prediction_id not in other.get(path).text
    assert prediction_id in client.get(path).text


@pytest.mark.parametrize("route", [route for route, access in ROUTES.items() if access.form is not None])
def test_forms_need_the_csrf_token_of_their_visitor(
    app: Flask, client: FlaskClient, stranger: FlaskClient, route: str
) -> None:
    prediction_id = predict(client)["id"]
    csrf_token(client)
    for token in ("", csrf_token(stranger)):
        response = call(app, client, route, prediction_id, token)
        assert response.status_code == 400
        assert 'data-error="csrf"' in response.text
    prediction = stored(app, prediction_id)
    assert prediction
    assert not prediction.labelled


@pytest.mark.parametrize("route", [route for route, access in ROUTES.items() if access.json is not None])
def test_api_rejects_media_types_of_forms(app: Flask, client: FlaskClient, route: str) -> None:
    prediction_id = predict(client)["id"]
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
        response = client.post(address(app, route, prediction_id), data=b"{}", content_type=kind)
        assert response.status_code == 415
    prediction = stored(app, prediction_id)
    assert prediction
    assert not prediction.labelled


def test_routes_reject_other_methods(app: Flask, client: FlaskClient) -> None:
    prediction_id = predict(client)["id"]
    allowed: dict[str, set[str]] = {}
    for route in ROUTES:
        path = address(app, route, prediction_id).partition("?")[0]
        allowed.setdefault(path, set()).add(route.split()[0])
    for path, methods in allowed.items():
        for method in METHODS - methods:
            response = client.open(path, method=method)
            assert response.status_code == 405, (method, path)
            assert set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == methods
    assert stored(app, prediction_id)


@pytest.mark.parametrize("address", ["drawing.png", "input.png", "preview.png", "inside"])
def test_drawing_that_is_deleted_meanwhile_is_not_found(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def find_then_delete(prediction_id: uuid.UUID, *conditions: ColumnElement[bool]) -> Prediction:
        prediction = find(prediction_id, *conditions)
        with db.engine.begin() as connection:
            connection.execute(db.delete(Prediction))
        return prediction

    find = queries.find
    prediction_id = predict(client)["id"]
    monkeypatch.setattr(queries, "find", find_then_delete)
    response = client.get(f"/predictions/{prediction_id}/{address}")
    assert_refused(response, 404, "not_found")
