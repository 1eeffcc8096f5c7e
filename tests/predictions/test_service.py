from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from mnistweb.extensions import db
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.rejection import EDGE, SIGN
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png, encode
from tests.support.faults import broken_log
from tests.support.networks import nine, with_second
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


def test_digit_in_doubt_is_answered_saved_and_counted(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine()):
        made = predict(client, 3, model="second")
        assert (made["digit"], made["certainty"], made["reason"]) == (9, "doubtful", None)
        judged = client.post(f"/api/v1/predictions/{made['id']}/feedback", json={"label": 9}).get_json()
        assert (judged["certainty"], judged["correct"]) == ("doubtful", True)
        compared = client.post(f"/api/v1/predictions/{made['id']}/comparison", json={}).get_json()["items"]
        assert [each["certainty"] for each in compared] == ["sure", "doubtful"]
    page = client.get("/").text
    assert 'title="In doubt"' in page
    assert "1 of 1 right" in page


@pytest.mark.parametrize(("x", "reason"), [(40, SIGN), (0, EDGE)])
def test_refused_drawing_at_the_edge_may_be_cut_off(
    app: Flask, client: FlaskClient, x: int, reason: str
) -> None:
    picture = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(picture)
    pen.line([(x, 70), (x, 210)], 255, 20)
    pen.line([(x, 75), (x + 120, 200), (x, 140)], 255, 20)
    refused = replace(nine(), digit=None, certainty=Certainty.NOT_A_DIGIT, reason=SIGN)
    with with_second(app, refused):
        sent = {"image": data_url(encode(picture)), "model": "second"}
        assert client.post("/api/v1/predictions", json=sent).get_json()["reason"] == reason


def test_naive_datetime_is_rejected(app: Flask) -> None:
    with app.app_context():
        db.session.add(row(datetime(2026, 1, 1)))
        with pytest.raises(Exception, match="naive"):
            db.session.commit()
        db.session.rollback()
