from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from mnistweb.extensions import db
from mnistweb.predictions import service as predictions
from mnistweb.predictions.service import NotFound, PredictionError
from tests.conftest import csrf_token, predict
from tests.support.drawings import data_url, digit_png
from tests.support.rows import NOON, add, row


@contextmanager
def broken_log() -> Iterator[None]:
    """A database that goes away when a prediction is to be inserted."""

    def fail(*given: Any) -> None:
        if "INTO prediction" in given[2]:
            raise OperationalError("INSERT", {}, Exception("the server closed the connection"))

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fail)


def test_what_could_not_be_saved_is_answered_and_said_to_be_unsaved(client: FlaskClient) -> None:
    with broken_log():
        response = client.post("/api/v1/predictions", json={"image": data_url(digit_png(3))})
    assert response.status_code == 200
    body = response.get_json()
    assert (body["id"], body["saved"], body["digit"]) == (None, False, 3)
    assert client.get("/api/v1/predictions").get_json()["items"] == []
    assert predict(client)["saved"] is True


@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "true"}])
def test_the_page_says_that_an_answer_was_not_saved(client: FlaskClient, headers: dict[str, str]) -> None:
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png(3))}
    with broken_log():
        response = client.post("/predictions", data=form, headers=headers)
    assert response.status_code == 200
    assert 'data-prediction="3"' in response.text
    assert "not saved" in response.text.lower()


def test_the_same_feedback_twice_is_one(app: Flask) -> None:
    with app.app_context():
        [prediction_id] = add(row())
        first = predictions.give_feedback(prediction_id, "someone", 3).labelled_at
        assert first is not None
        assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)
        assert predictions.give_feedback(prediction_id, "someone", 3).labelled_at == first
        later = predictions.give_feedback(prediction_id, "someone", None)
        assert later.label is None
        assert later.labelled_at is not None
        assert later.labelled_at > first
        again = predictions.give_feedback(prediction_id, "someone", None)
        assert again.labelled_at == later.labelled_at


@pytest.mark.parametrize("label", [-1, 10])
def test_feedback_is_a_digit(app: Flask, label: int) -> None:
    with app.app_context():
        [prediction_id] = add(row())
        with pytest.raises(PredictionError):
            predictions.give_feedback(prediction_id, "someone", label)


def test_feedback_is_the_authors(app: Flask) -> None:
    with app.app_context():
        [prediction_id] = add(row())
        with pytest.raises(NotFound):
            predictions.give_feedback(prediction_id, "another", 3)
        assert not predictions.get(prediction_id).labelled


def test_accuracy_counts_what_has_feedback(app: Flask) -> None:
    with app.app_context():
        assert predictions.accuracy("someone") == predictions.Accuracy(0, 0)
        assert predictions.accuracy("someone").share == 0
        add(
            row(digit=3, label=3, labelled_at=NOON),
            row(digit=3, label=8, labelled_at=NOON),
            row(digit=None, label=None, labelled_at=NOON),
            row(digit=3, label=None, labelled_at=NOON),
            row(digit=None, label=3, labelled_at=NOON),
            row(digit=3),
            row(digit=None),
            row(digit=3, label=3, labelled_at=NOON, visitor="another"),
        )
        found = predictions.accuracy("someone")
        assert (found.labelled, found.correct, found.share) == (5, 2, 0.4)


def test_a_naive_time_is_not_stored(app: Flask) -> None:
    with app.app_context():
        db.session.add(row(datetime(2026, 1, 1)))
        with pytest.raises(Exception, match="naive"):
            db.session.commit()
        db.session.rollback()
