"""Who asks too much in a minute is told to wait; whoever did not is served."""

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.app import create_app
from mnistweb.config import ConfigError
from mnistweb.extensions import db
from mnistweb.web import rate_limits as limits
from mnistweb.web.rate_limits import ENDPOINTS, Memory
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png

PREDICTIONS = "/api/v1/predictions"
BODY = {"image": data_url(digit_png(3))}


def limited_app(settings: dict[str, Any], **limited: str) -> Flask:
    app = create_app(settings | {"RATELIMIT_ENABLED": "true"} | limited)
    with app.app_context():
        flask_migrate.upgrade()
    return app


@pytest.fixture
def limited(unmigrated_settings: dict[str, Any]) -> Iterator[Flask]:
    """A site where a visitor may predict twice a minute, and four may from one address."""
    app = limited_app(unmigrated_settings, RATELIMIT_PREDICT="2,4", RATELIMIT_DELETE="1,1", PROXY_HOPS="1")
    yield app
    with app.app_context():
        db.engine.dispose()


def status(client: FlaskClient, address: str = "10.0.0.1", **options: Any) -> int:
    headers = {"X-Forwarded-For": address}
    return client.post(PREDICTIONS, json=BODY, headers=headers, **options).status_code


def test_a_visitor_who_asks_too_much_is_told_when_to_go_on(limited: Flask) -> None:
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


def test_an_address_is_counted_whatever_cookie_comes_from_it(limited: Flask) -> None:
    fresh = limited.test_client(use_cookies=False)
    assert [status(fresh) for _ in range(3)] == [201] * 3
    visitor = limited.test_client()
    visitor.get("/")
    assert status(visitor) == 201
    for client in (fresh, visitor, limited.test_client()):
        assert status(client) == 429
    assert status(limited.test_client(), "10.0.0.2") == 201


def test_only_the_proxys_word_about_the_address_counts(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    found = [status(client, f"192.0.2.{number}, 10.0.0.1") for number in range(5)]
    assert found == [201] * 4 + [429]


def test_an_ipv6_network_counts_as_one_address(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    found = [status(client, f"2001:db8:0:1::{number}") for number in range(1, 6)]
    assert found == [201] * 4 + [429]
    assert status(client, "2001:db8:0:2::1") == 201
    assert status(client, "fe80::1%eth0") == 201
    assert status(client, "no:address") == 201


def test_what_is_not_let_in_is_not_even_read(limited: Flask) -> None:
    client = limited.test_client(use_cookies=False)
    for _ in range(4):
        status(client)
    broken = client.post(PREDICTIONS, data=b"{", headers={"X-Forwarded-For": "10.0.0.1"})
    assert broken.status_code == 429


def test_each_kind_of_request_is_counted_by_itself(limited: Flask) -> None:
    client = limited.test_client()
    prediction = predict(client)
    form = {"csrf_token": csrf_token(client)}
    assert client.post("/predictions/delete", data=form).status_code == 303
    assert client.delete(f"{PREDICTIONS}/{prediction['id']}").status_code == 429
    assert predict(client)["saved"]


def test_pages_that_look_back_are_counted_together(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_READ="3,9", RATELIMIT_DOWNLOAD="1,9")
    client = app.test_client()
    client.get("/")
    addresses = ("/history", "/insights", PREDICTIONS, "/history?digit=3", "/insights", PREDICTIONS)
    assert [client.get(address).status_code for address in addresses] == [200] * 3 + [429] * 3
    assert [client.get("/history.csv").status_code for _ in range(2)] == [200, 429]
    assert client.get("/").status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_a_new_minute_is_a_new_beginning(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = limited.test_client(use_cookies=False)
    assert [status(client) for _ in range(5)][-1] == 429
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert status(client) == 201


def test_limits_can_be_switched_off(unmigrated_settings: dict[str, Any]) -> None:
    app = limited_app(unmigrated_settings, RATELIMIT_ENABLED="false", RATELIMIT_PREDICT="1,1")
    client = app.test_client()
    assert [status(client) for _ in range(3)] == [201] * 3


def test_every_limited_route_exists(limited: Flask) -> None:
    named = [endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints]
    assert len(set(named)) == len(named)
    assert set(named) <= set(limited.view_functions)


def test_without_its_storage_the_site_goes_on_and_says_so_once(
    unmigrated_settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
        app = limited_app(unmigrated_settings, RATELIMIT_STORAGE_URI=nobody, RATELIMIT_PREDICT="1,1")
        client = app.test_client()
        with caplog.at_level(logging.ERROR, "mnistweb.web.rate_limits"):
            assert [status(client) for _ in range(3)] == [201] * 3
    assert caplog.text.count("nothing is limited") == 1


def test_a_storage_that_cannot_be_used_stops_the_start(
    unmigrated_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no client")

    monkeypatch.setattr(limits, "storage_from_string", fail)
    with pytest.raises(ConfigError, match=r"^RATELIMIT_STORAGE_URI cannot .*mnistweb\[scale\]"):
        limited_app(unmigrated_settings, RATELIMIT_STORAGE_URI="redis://localhost:6379/0")


def test_what_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)
    assert [memory.incr("a", 60), memory.incr("a", 60), memory.incr("b", 60)] == [1, 2, 1]
    assert (memory.get("a"), memory.get_expiry("a"), memory.get("c")) == (2, now + 60, 0)
    memory.clear("a")
    assert memory.get("a") == 0
    now += 60
    assert memory.get("b") == 0
    assert memory.incr("c", 60) == 1
    assert memory.reset() == 1
    assert memory.check()
