"""Logs: request ids, one line for each request, tracebacks, and nothing about visitors."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from mnistweb.app import create_app
from mnistweb.database import outage_log
from mnistweb.extensions import db
from mnistweb.observability.log_format import FORMATS, RequestIdFilter
from tests.support.clients import predict
from tests.support.drawings import data_url, digit_png

GIVEN = "proxy-2f6d.41"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    """The JSON lines so far."""
    path = tmp_path / "log"
    handler = logging.FileHandler(path)
    handler.setFormatter(FORMATS["json"]())
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in path.read_text().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)
    handler.close()


@pytest.fixture
def failing(unmigrated_settings: dict[str, Any]) -> Iterator[Flask]:
    """A site with a bug at /bug and /api/v1/bug."""
    app = create_app(unmigrated_settings | {"TESTING": False})

    def fail() -> str:
        raise LookupError("a detail of the inside")

    app.add_url_rule("/bug", view_func=fail)
    app.add_url_rule("/api/v1/bug", endpoint="bug", view_func=fail)
    yield app
    with app.app_context():
        db.engine.dispose()


def test_every_response_has_a_unique_id(client: FlaskClient) -> None:
    paths = ["/", "/healthz", "/nothing", "/api/v1/nothing", "/static/nothing.css"]
    ids = [client.get(path).headers["X-Request-ID"] for path in paths]
    assert len(set(ids)) == len(paths)
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in ids)


def test_id_of_a_proxy_is_kept(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": GIVEN}).headers["X-Request-ID"] == GIVEN


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with a space in it", "<script>alert</script>", "é" * 9]
)
def test_malformed_id_is_replaced(client: FlaskClient, given: str) -> None:
    found = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", found)


def test_errors_show_the_id(failing: Flask) -> None:
    client = failing.test_client()
    headers = {"X-Request-ID": GIVEN}
    assert GIVEN not in client.get("/nothing", headers=headers).text
    assert f"<code>{GIVEN}</code>" in client.get("/bug", headers=headers).text
    assert f"<code>{GIVEN}</code>" in client.get("/bug", headers=headers | {"X-Fragment": "true"}).text
    assert client.get("/api/v1/bug", headers=headers).get_json()["error"]["request_id"] == GIVEN
    assert set(client.get("/api/v1/nothing").get_json()["error"]) == {"code", "message"}


def test_each_request_is_one_line(client: FlaskClient, lines: Lines) -> None:
    response = client.get("/models/cnn?private=1", headers={"X-Request-ID": GIVEN})
    (line,) = lines()
    assert line.pop("milliseconds") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", line.pop("time"))
    assert line.pop("message").startswith("GET /models/<name> 200, ")
    assert line == {
        "level": "INFO",
        "logger": "mnistweb.observability.access_log",
        "request_id": GIVEN,
        "method": "GET",
        "route": "/models/<name>",
        "status": 200,
        "bytes": len(response.data),
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (None, 404, "not_found")),
        ("DELETE", "/api/v1/models", (None, 405, "method_not_allowed")),
        ("POST", "/api/v1/predictions", ("/api/v1/predictions", 415, "unsupported_media_type")),
    ],
)
def test_line_has_the_error_code(
    client: FlaskClient, lines: Lines, method: str, path: str, expected: tuple[str | None, int, str]
) -> None:
    client.open(path, method=method)
    (line,) = lines()
    assert (line["route"], line["status"], line["error"]) == expected


@pytest.mark.parametrize("path", ["/history.csv", "/history.jsonl", "/api/v1/predictions"])
@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_bytes_are_those_of_the_body(client: FlaskClient, lines: Lines, path: str, accepted: str) -> None:
    predict(client)
    with client.get(path, headers={"Accept-Encoding": accepted}) as response:
        assert response.status_code == 200
        travelled = len(response.data)
    assert lines()[-1]["bytes"] == travelled > 0
    with client.head(path):
        assert lines()[-1]["bytes"] == 0


def test_static_files_are_not_logged(client: FlaskClient, lines: Lines) -> None:
    assert client.get("/static/css/base.css").status_code == 200
    assert lines() == []


def test_unexpected_exception_is_logged_with_traceback_and_id(failing: Flask, lines: Lines) -> None:
    response = failing.test_client().get("/bug", headers={"X-Request-ID": GIVEN})
    trace, line = lines()
    assert "detail of the inside" not in response.text
    assert "Traceback" not in response.text
    assert (trace["level"], trace["request_id"]) == ("ERROR", GIVEN)
    assert trace["trace"].startswith("Traceback")
    assert trace["trace"].endswith("LookupError: a detail of the inside")
    assert (line["status"], line["error"], line["request_id"]) == (500, "internal_error", GIVEN)


def test_log_contains_no_visitor_and_no_drawing(
    app: Flask, client: FlaskClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = predict(client)
    client.post(f"/api/v1/predictions/{body['id']}/feedback", json={"label": 3})
    with app.app_context():
        visitor = db.session.scalar(text("SELECT visitor FROM prediction"))
        # A failure to save is logged with the database's message.
        app.extensions.pop(outage_log.EXTENSION, None)
        db.session.execute(text("ALTER TABLE tally RENAME TO away"))
        db.session.commit()
    try:
        answer = client.post("/api/v1/predictions", json={"image": data_url(digit_png())})
    finally:
        with app.app_context():
            db.session.execute(text("ALTER TABLE away RENAME TO tally"))
            db.session.commit()
    assert answer.get_json()["saved"] is False
    assert "tally" in lines()[-2]["message"]
    cookie = client.get_cookie("visitor")
    assert cookie
    for secret in (visitor, cookie.value, "PNG", data_url(digit_png())[40:80], "b'"):
        assert secret not in json.dumps(lines())


def test_row_in_an_error_of_postgresql_is_not_logged() -> None:
    try:
        raise ValueError(
            "new row violates a constraint\nDETAIL:  Failing row contains (visitor, x89504e47).\n"
        )
    except ValueError as error:
        info = (ValueError, error, None)
    record = logging.LogRecord("mnistweb", logging.ERROR, __file__, 1, "failed", (), info)
    for kind in FORMATS.values():
        record.exc_text, record.request_id = None, None
        text_of_it = kind().format(record)
        assert "violates a constraint" in text_of_it
        assert "Failing row" not in text_of_it


def test_text_line_has_time_level_id_and_message() -> None:
    record = logging.LogRecord("mnistweb", logging.WARNING, __file__, 1, "%s failed", ("It",), None)
    RequestIdFilter().filter(record)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING None It failed", FORMATS["text"]().format(record)
    )
