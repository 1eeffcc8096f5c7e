"""The site without its database: it recognises, and reports what it cannot save."""

import functools
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.app import create_app
from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.database import engine, timeouts
from mnistweb.extensions import db
from tests.support.clients import csrf_token, predict
from tests.support.clock import Clock
from tests.support.drawings import data_url, digit_png

IMAGE = data_url(digit_png(3))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the circuit breaker."""
    clock = Clock()
    monkeypatch.setattr(engine, "CircuitBreaker", functools.partial(CircuitBreaker, clock=clock))
    return clock


@pytest.fixture(params=["sqlite", "postgresql"])
def away(request: pytest.FixtureRequest, unmigrated_settings: dict[str, Any], tmp_path: Path) -> FlaskClient:
    """Client of a site whose database cannot be reached."""
    url = {
        "sqlite": f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3",
        "postgresql": "postgresql://127.0.0.1:1/nothing",
    }[request.param]
    return create_app(unmigrated_settings | {"DATABASE_URL": url}).test_client()


@pytest.fixture
def silent(
    unmigrated_settings: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """A site whose database accepts connections, but never answers."""
    monkeypatch.setattr(timeouts, "QUERY_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://127.0.0.1:{server.getsockname()[1]}/nothing"
        yield create_app(unmigrated_settings | {"DATABASE_URL": url})


def test_page_opens_and_says_that_nothing_is_saved(away: FlaskClient) -> None:
    for address in ("/", "/?answer=6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        page = away.get(address)
        assert page.status_code == 200
        assert '<canvas id="slate"' in page.text
        assert "data-away" in page.text
        assert "nothing is saved" in page.text
        assert "No drawings yet" not in page.text


@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "true"}])
def test_page_still_recognises(away: FlaskClient, headers: dict[str, str]) -> None:
    form = {"csrf_token": csrf_token(away), "image": IMAGE}
    page = away.post("/predictions", data=form, headers=headers | {"Idempotency-Key": "k" * 16})
    assert page.status_code == 200
    assert 'data-prediction="3"' in page.text
    assert "<strong>Not saved.</strong>" in page.text
    assert ("data-away" in page.text) == (not headers)
    # Its input, and without a script the drawing, cannot be requested later.
    assert page.text.count('src="data:image/png;base64,') == (1 if headers else 2)


def test_api_answer_says_that_it_is_not_saved(away: FlaskClient) -> None:
    response = away.post("/api/v1/predictions", json={"image": IMAGE})
    assert response.status_code == 200
    assert {"id": None, "saved": False, "digit": 3}.items() <= response.get_json().items()


@pytest.mark.parametrize("address", ["/history", "/history.csv", "/insights", "/api/v1/predictions"])
def test_pages_of_saved_predictions_are_unavailable(away: FlaskClient, address: str) -> None:
    response = away.get(address)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "database_unavailable" in response.text


def test_site_is_live_but_not_ready(away: FlaskClient) -> None:
    assert away.get("/healthz").status_code == 200
    assert away.get("/readyz").status_code == 503


def test_only_the_first_request_waits_for_a_silent_database(
    silent: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    client = silent.test_client()
    started = time.perf_counter()
    with caplog.at_level(logging.ERROR, "mnistweb.database.engine"):
        assert client.get("/").status_code == 200
        first = time.perf_counter() - started
        for _ in range(20):
            assert client.post("/api/v1/predictions", json={"image": IMAGE}).get_json()["saved"] is False
    assert 0.5 <= first < 5
    assert time.perf_counter() - started - first < 8  # each waiting by itself would take 10
    assert caplog.text.count("The database cannot be reached") == 1


def test_database_is_used_again_after_an_outage(
    unmigrated_settings: dict[str, Any], tmp_path: Path, clock: Clock
) -> None:
    folder = tmp_path / "later"
    app = create_app(unmigrated_settings | {"DATABASE_URL": f"sqlite:///{folder}/site.sqlite3"})
    client = app.test_client()
    assert "data-away" in client.get("/").text
    folder.mkdir()
    assert "data-away" in client.get("/").text
    clock.now += engine.BREAKER_PAUSE
    with app.app_context():
        flask_migrate.upgrade()
    assert "data-away" not in client.get("/").text
    assert predict(client)["saved"]
    with app.app_context():
        db.engine.dispose()
