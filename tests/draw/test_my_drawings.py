import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.database.models import Prediction, Tally
from mnistweb.extensions import db
from tests.support.clients import FRAGMENT, assert_refused, attribute, correct, csrf_token, predict
from tests.support.databases import run_on_both_databases
from tests.support.rows import add, row

DELETE_ALL = "/predictions/delete"
pytest_generate_tests = run_on_both_databases


def delete_address(prediction: dict[str, Any]) -> str:
    return f"/predictions/{prediction['id']}/delete"


def remaining(app: Flask) -> set[str]:
    with app.app_context():
        return {str(prediction_id) for prediction_id in db.session.scalars(db.select(Prediction.id))}


def test_deletion_removes_the_prediction_from_log_and_accuracy(app: Flask, client: FlaskClient) -> None:
    first, second = predict(client, 3), predict(client, 8)
    correct(client, first["id"], "3")
    correct(client, second["id"], "9")
    form = {"csrf_token": csrf_token(client)}
    response = client.post(delete_address(second), data=form, headers=FRAGMENT)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert second["id"] not in response.text
    assert (attribute(response, "data-labelled"), attribute(response, "data-accuracy")) == ("1", "1.0")
    assert remaining(app) == {first["id"]}
    assert client.get(f"/predictions/{second['id']}/drawing.png").status_code == 404
    assert 'data-prediction="' not in client.get(f"/?answer={second['id']}").text
    assert_refused(client.post(delete_address(second), data=form), 404, "not_found")


def test_delete_all_deletes_only_own_predictions(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    theirs = predict(stranger, 3)
    for digit in (3, 8):
        predict(client, digit)
    response = client.post(DELETE_ALL, data={"csrf_token": csrf_token(client)})
    assert response.status_code == 303
    assert response.headers["Location"] == "/#own"
    assert remaining(app) == {theirs["id"]}
    assert "data-prediction-row" not in client.get("/").text


def test_deletion_updates_the_aggregates(app: Flask, client: FlaskClient) -> None:
    first = predict(client, 3)
    correct(client, first["id"], "8")
    predict(client, 8)
    form = {"csrf_token": csrf_token(client)}
    for address in (delete_address(first), DELETE_ALL):
        assert client.post(address, data=form).status_code == 303
    with app.app_context():
        assert set(db.session.scalars(db.select(Tally.count))) <= {0}


def test_only_the_author_can_delete(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    mine = predict(client, 3)
    form = {"csrf_token": csrf_token(stranger)}
    assert_refused(stranger.post(delete_address(mine), data=form, headers=FRAGMENT), 404, "not_found")
    nothing = {"id": uuid.uuid4()}
    assert_refused(stranger.post(delete_address(nothing), data=form), 404, "not_found")
    assert stranger.post(DELETE_ALL, data=form).status_code == 303
    assert remaining(app) == {mine["id"]}


def test_deletion_needs_the_csrf_token_of_the_session(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    mine = predict(client, 3)
    for address in (delete_address(mine), DELETE_ALL):
        for token in ("", "nonsense", csrf_token(stranger)):
            assert_refused(client.post(address, data={"csrf_token": token}), 400, "csrf")
        assert client.get(address).status_code in (404, 405)
    assert remaining(app) == {mine["id"]}


def test_api_deletes_own_predictions(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    mine = predict(client, 3)
    address = f"/api/v1/predictions/{mine['id']}"
    for who, status in ((stranger, 404), (app.test_client(), 404), (client, 204), (client, 404)):
        assert who.delete(address).status_code == status
    assert remaining(app) == set()


@pytest.mark.parametrize("public_history", ["everyone", "own", "off"])
def test_many_drawings_are_paginated(app: Flask, client: FlaskClient, public_history: str) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    predict(client, 3)
    with app.app_context():
        visitor = db.session.query(Prediction.visitor).scalar()
        add(*(row(visitor=visitor) for _ in range(60)))
    page = client.get("/")
    assert page.text.count("data-prediction-row=") == 50
    following = re.search(r'rel="next" href="([^"#]+)', page.text)
    assert following
    page = client.get(following[1].replace("&amp;", "&"))
    assert page.text.count("data-prediction-row=") == 11
    # Deletion returns to the same page.
    delete = re.search(r'formaction="([^"]+)"', page.text)
    assert delete
    form = {"csrf_token": csrf_token(client)}
    response = client.post(delete[1].replace("&amp;", "&"), data=form)
    assert client.get(response.headers["Location"]).text.count("data-prediction-row=") == 10


def test_accuracy_has_counts_and_from_five_on_its_interval(client: FlaskClient) -> None:
    for label in ("3", "3", "8", "3"):
        response = correct(client, predict(client, 3)["id"], label)
    assert ">3 of 4 right</p>" in response.text
    response = correct(client, predict(client, 3)["id"], "3")
    assert "4 of 5 right: <strong>80.0 %</strong> <span>(95 % interval: 38 % to 96 %)</span>" in response.text
