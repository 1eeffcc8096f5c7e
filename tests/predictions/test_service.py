from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.extensions import db
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png
from tests.support.faults import broken_log
from tests.support.rows import row


def test_answer_is_returned_unsaved_if_the_database_fails(client: FlaskClient) -> None:
    with broken_log():
        response = client.post("/api/v1/predictions", json={"image": data_url(digit_png(3))})
    assert response.status_code == 200
    body = response.get_json()
    assert (body["id"], body["saved"], body["digit"]) == (None, False, 3)
    assert client.get("/api/v1/predictions").get_json()["items"] == []
    assert predict(client)["saved"] is True


@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "true"}])
def test_page_marks_an_unsaved_answer(client: FlaskClient, headers: dict[str, str]) -> None:
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png(3))}
    with broken_log():
        response = client.post("/predictions", data=form, headers=headers)
    assert response.status_code == 200
    assert 'data-prediction="3"' in response.text
    assert "not saved" in response.text.lower()


def test_naive_datetime_is_rejected(app: Flask) -> None:
    with app.app_context():
        db.session.add(row(datetime(2026, 1, 1)))
        with pytest.raises(Exception, match="naive"):
            db.session.commit()
        db.session.rollback()
