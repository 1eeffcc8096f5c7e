"""While the database is away the site recognises, and says what it cannot do."""

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
from mnistweb.database import circuit_breaker as outage
from mnistweb.extensions import db
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png

IMAGE = data_url(digit_png(3))


@pytest.fixture(params=["sqlite", "postgresql"])
def away(request: pytest.FixtureRequest, unmigrated_settings: dict[str, Any], tmp_path: Path) -> FlaskClient:
    """A visitor of a site whose database cannot be reached."""
    url = {
        "sqlite": f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3",
        "postgresql": "postgresql://127.0.0.1:1/nothing",
    }[request.param]
    return create_app(unmigrated_settings | {"DATABASE_URL": url}).test_client()


@pytest.fixture
def silent(unmigrated_settings: dict[str, Any]) -> Iterator[Flask]:
    """A site whose database takes connections, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://127.0.0.1:{server.getsockname()[1]}/nothing"
        yield create_app(unmigrated_settings | {"DATABASE_URL": url})


def test_the_page_opens_and_says_that_nothing_is_saved(away: FlaskClient) -> None:
    for address in ("/", "/?answer=6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        page = away.get(address)
        assert page.status_code == 200
        assert '<canvas id="slate"' in page.text
        assert "data-away" in page.text
        assert "nothing is saved" in page.text
        assert "No drawings yet" not in page.text


@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "true"}])
def test_the_page_still_recognises(away: FlaskClient, headers: dict[str, str]) -> None:
    form = {"csrf_token": csrf_token(away), "image": IMAGE}
    page = away.post("/predictions", data=form, headers=headers | {"Idempotency-Key": "k" * 16})
    assert page.status_code == 200
    assert 'data-prediction="3"' in page.text
    assert "<strong>Not saved.</strong>" in page.text
    assert ("data-away" in page.text) == (not headers)
    # What it sees, and without a script what was sent, cannot be asked for again.
    assert page.text.count('src="data:image/png;base64,') == (1 if headers else 2)


def test_programs_get_an_answer_that_says_that_it_is_not_saved(away: FlaskClient) -> None:
    response = away.post("/api/v1/predictions", json={"image": IMAGE})
    assert response.status_code == 200
    assert {"id": None, "saved": False, "digit": 3}.items() <= response.get_json().items()


@pytest.mark.parametrize("address", ["/history", "/history.csv", "/insights", "/api/v1/predictions"])
def test_what_is_nothing_but_the_log_is_away_with_it(away: FlaskClient, address: str) -> None:
    response = away.get(address)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "database_unavailable" in response.text


def test_health_tells_them_apart(away: FlaskClient) -> None:
    assert away.get("/healthz").status_code == 200
    assert away.get("/readyz").status_code == 503


def test_nobody_waits_for_a_database_that_is_silent(
    silent: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "PAUSE", 60.0)
    client = silent.test_client()
    started = time.perf_counter()
    with caplog.at_level(logging.ERROR, "mnistweb.database.circuit_breaker"):
        assert client.get("/").status_code == 200
        first = time.perf_counter() - started
        for _ in range(5):
            assert client.post("/api/v1/predictions", json={"image": IMAGE}).get_json()["saved"] is False
    assert first < 10
    assert time.perf_counter() - started - first < 8  # each waiting by itself would take 10
    assert caplog.text.count("The database cannot be reached") == 1


def test_a_database_that_is_back_is_used_again(
    unmigrated_settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "later"
    app = create_app(unmigrated_settings | {"DATABASE_URL": f"sqlite:///{folder}/site.sqlite3"})
    client = app.test_client()
    assert "data-away" in client.get("/").text
    folder.mkdir()
    assert "data-away" in client.get("/").text
    monkeypatch.setattr(outage, "PAUSE", 0.0)
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now + 61)
    with app.app_context():
        flask_migrate.upgrade()
    assert "data-away" not in client.get("/").text
    assert predict(client)["saved"]
    with app.app_context():
        db.engine.dispose()
