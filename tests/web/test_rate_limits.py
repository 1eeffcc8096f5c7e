"""Rate limits of visitors and addresses."""

import functools
import logging
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.app import create_app
from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.config import ConfigError
from mnistweb.database.outage_log import INTERVAL, OutageLog
from mnistweb.extensions import db
from mnistweb.web import rate_limits
from mnistweb.web.rate_limit_storage import MemoryStorage
from mnistweb.web.rate_limits import ENDPOINTS
from tests.support.challenges import play
from tests.support.clients import csrf_token, predict
from tests.support.clock import Clock
from tests.support.drawings import data_url, digit_png
from tests.support.sites import make_tables

PREDICTIONS = "/api/v1/predictions"
BODY = {"image": data_url(digit_png(3))}


def limited_app(settings: dict[str, Any], **limited: str) -> Flask:
    app = create_app(settings | {"RATELIMIT_ENABLED": "true"} | limited)
    make_tables(app)
    return app


@pytest.fixture
def clock() -> Clock:
    """The clock of the storage."""
    return Clock(time.time())


@pytest.fixture
def limited(
    unmigrated_settings: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """A site that allows two predictions a minute for a visitor, and four for an address."""
    monkeypatch.setattr(rate_limits, "MemoryStorage", functools.partial(MemoryStorage, clock))
    app = limited_app(unmigrated_settings, RATELIMIT_PREDICT="2,4", RATELIMIT_DELETE="1,1", PROXY_HOPS="1")
    yield app
    with app.app_context():
        db.engine.dispose()


def status(client: FlaskClient, address: str = "10.0.0.1", **options: Any) -> int:
    headers = {"X-Forwarded-For": address}
    return client.post(PREDICTIONS, json=BODY, headers=headers, **options).status_code


def test_a_challenge_counts_with_the_predictions(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_PREDICT="12,100", RATELIMIT_PREDICT_DAY="13,100")
    client = app.test_client()
    play(client)
    headers = {"X-CSRFToken": csrf_token(client)}
    assert client.post("/challenge", json={}, headers=headers).status_code == 429
    assert client.post(PREDICTIONS, json=BODY).status_code == 429
    with app.app_context():
        db.engine.dispose()


def test_visitor_over_the_limit_gets_429_and_retry_after(limited: Flask) -> None:
    client = limited.test_client()
    client.get("/")
    assert [status(client) for _ in range(2)] == [201, 201]
    response = client.post(PREDICTIONS, json=BODY, headers={"X-Forwarded-For": "10.0.0.1"})
    assert response.status_code == 429
    assert response.get_json()["error"]["code"] == "rate_limited"
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    page = client.post("/predictions", headers={"X-Forwarded-For": "10.0.0.2"})
    assert page.status_code == 429
    assert page.mimetype == "text/html"
    assert 'data-error="rate_limited"' in page.text
    fragment = client.post("/predictions", headers={"X-Fragment": "true"})
    assert fragment.status_code == 429
    assert "<html" not in fragment.text
    assert client.get("/history").status_code == 200


def test_after_the_seconds_of_retry_after_a_request_is_within_the_limit(
    limited: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(time=clock))
    client = limited.test_client(use_cookies=False)
    assert [status(client) for _ in range(4)] == [201] * 4
    clock.now += 0.5
    refused = client.post(PREDICTIONS, json=BODY, headers={"X-Forwarded-For": "10.0.0.1"})
    assert refused.headers["Retry-After"] == "60"  # of 59.5 seconds
    clock.now += 59
    assert status(client) == 429
    clock.now += 1
    assert status(client) == 201


def test_address_is_counted_with_any_cookie(limited: Flask) -> None:
    fresh = limited.test_client(use_cookies=False)
    assert [status(fresh) for _ in range(3)] == [201] * 3
    visitor = limited.test_client()
    visitor.get("/")
    assert status(visitor) == 201
    for client in (fresh, visitor, limited.test_client()):
        assert status(client) == 429
    assert status(limited.test_client(), "10.0.0.2") == 201


def test_only_the_proxys_forwarded_address_counts(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    found = [status(client, f"192.0.2.{number}, 10.0.0.1") for number in range(5)]
    assert found == [201] * 4 + [429]


def test_ipv6_network_counts_as_one_address(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    found = [status(client, f"2001:db8:0:1::{number}") for number in range(1, 6)]
    assert found == [201] * 4 + [429]
    assert status(client, "2001:db8:0:2::1") == 201
    assert status(client, "fe80::1%eth0") == 201
    assert status(client, "no:address") == 201


def test_body_of_a_refused_request_is_not_read(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    for _ in range(4):
        status(client)
    broken = client.post(PREDICTIONS, data=b"{", headers={"X-Forwarded-For": "10.0.0.1"})
    assert broken.status_code == 429


def test_each_limit_has_its_own_count(limited: Flask) -> None:
    client = limited.test_client()
    prediction = predict(client)
    form = {"csrf_token": csrf_token(client)}
    assert client.post("/predictions/delete", data=form).status_code == 303
    assert client.delete(f"{PREDICTIONS}/{prediction['id']}").status_code == 429
    assert predict(client)["saved"]


def test_pages_that_look_back_are_counted_together(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_READ="4,9", RATELIMIT_DOWNLOAD="1,9")
    client = app.test_client()
    preview = f"/predictions/{predict(client)['id']}/preview.png"
    addresses = ("/history", "/insights", PREDICTIONS, preview, "/history?digit=3", PREDICTIONS, preview)
    assert [client.get(address).status_code for address in addresses] == [200] * 4 + [429] * 3
    downloads = ("/history.csv", "/history.csv", "/history.jsonl", "/history.strokes.json.gz")
    assert [client.get(address).status_code for address in downloads] == [200, 429, 429, 429]
    assert client.get("/").status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_pages_of_drawings_and_models_are_counted_together(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_READ="5,9")
    client = app.test_client()
    prediction = f"/predictions/{predict(client)['id']}"
    addresses = (prediction, f"{prediction}/strokes.json", "/models", "/models/cnn", "/api/v1/docs")
    assert [client.get(address).status_code for address in addresses] == [200] * 5
    assert {client.get(address).status_code for address in (*addresses, "/models/cnn/compare/1")} == {429}
    assert client.get(f"{prediction}/drawing.png").status_code == 200  # a gallery has sixty of them
    with app.app_context():
        db.engine.dispose()


def test_forms_of_the_review_are_limited_even_without_one(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_FEEDBACK="2,2")
    client = app.test_client()
    form = {"csrf_token": csrf_token(client)}
    addresses = ("/review/logout", "/review/decide", "/review/undo", "/review/logout")
    assert [client.post(address, data=form).status_code for address in addresses] == [404, 404, 429, 429]
    with app.app_context():
        db.engine.dispose()


def test_count_starts_anew_after_a_minute(limited: Flask, clock: Clock) -> None:
    client = limited.test_client(use_cookies=False)
    assert [status(client) for _ in range(5)][-1] == 429
    clock.now += 61
    assert status(client) == 201


def test_predictions_of_a_day_are_counted_too(
    unmigrated_settings: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MemoryStorage", functools.partial(MemoryStorage, clock))
    app = limited_app(unmigrated_settings, RATELIMIT_PREDICT="2,9", RATELIMIT_PREDICT_DAY="3,5")
    one, other = app.test_client(), app.test_client()
    one.get("/")
    assert [status(one) for _ in range(3)] == [201, 201, 429]  # what a minute refuses is not of the day
    clock.now += 61
    assert status(one) == 201
    assert int(one.post(PREDICTIONS, json=BODY).headers["Retry-After"]) > 80_000
    assert [status(other, address="127.0.0.1") for _ in range(2)] == [201, 429]  # the sixth of the address
    clock.now += rate_limits.DAY
    assert [status(each) for each in (one, other)] == [201, 201]
    with app.app_context():
        db.engine.dispose()


def test_windows_that_are_over_are_forgotten(clock: Clock) -> None:
    storage = MemoryStorage(clock)
    storage.incr("of a day", rate_limits.DAY)
    storage.incr("of a minute", rate_limits.MINUTE)
    clock.now += 120
    storage.incr("another", rate_limits.MINUTE)
    assert set(storage._windows) == {"of a day", "another"}


def test_limits_can_be_switched_off(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_ENABLED="false", RATELIMIT_PREDICT="1,1")
    client = app.test_client()
    assert [status(client) for _ in range(3)] == [201] * 3


def test_every_limited_route_exists(limited: Flask) -> None:
    named = [endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints]
    assert len(set(named)) == len(named)
    assert set(named) <= set(limited.view_functions)


def test_failing_storage_is_logged_once_and_limits_nothing(
    unmigrated_settings: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("redis")
    clock = Clock()
    monkeypatch.setattr(rate_limits, "CircuitBreaker", functools.partial(CircuitBreaker, clock=clock))
    monkeypatch.setattr(rate_limits, "OutageLog", functools.partial(OutageLog, clock=clock))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
        app = limited_app(unmigrated_settings, RATELIMIT_STORAGE_URI=nobody, RATELIMIT_PREDICT="1,1")
        client = app.test_client()
        with caplog.at_level(logging.ERROR):
            assert [status(client) for _ in range(3)] == [201] * 3
            assert caplog.text.count("nothing is limited") == 1
            for _ in range(3):
                clock.now += rate_limits.BREAKER_PAUSE
                assert status(client) == 201
            assert caplog.text.count("nothing is limited") == 1
            clock.now += INTERVAL
            assert status(client) == 201
    assert caplog.text.count("nothing is limited") == 2
    assert "(3 more failures since the last line.)" in caplog.text
    assert "Traceback" not in caplog.text


def test_unusable_storage_stops_the_start(
    unmigrated_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no client")

    pytest.importorskip("limits.storage")
    monkeypatch.setattr("limits.storage.RedisStorage", fail)
    with pytest.raises(ConfigError, match=r"^RATELIMIT_STORAGE_URI cannot .*mnistweb\[scale\]"):
        limited_app(unmigrated_settings, RATELIMIT_STORAGE_URI="redis://localhost:6379/0")


def test_storage_drops_windows_that_are_over() -> None:
    clock = Clock()
    memory = MemoryStorage(clock)
    assert [memory.incr("a", 60), memory.incr("a", 60), memory.incr("b", 60)] == [1, 2, 1]
    assert (memory.get_expiry("a"), memory.get_expiry("c")) == (clock.now + 60, clock.now)
    clock.now += 60
    assert [memory.incr("a", 60), memory.incr("c", 60)] == [1, 1]
    assert set(memory._windows) == {"a", "c"}
