"""The application as a whole: start, proxies, errors, imports and compression."""

import subprocess
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.routing import MapAdapter
from werkzeug.test import EnvironBuilder

from mnistweb.app import Site, create_app
from mnistweb.config import ConfigError
from mnistweb.formatting import percent
from tests.support.drawings import data_url, draw_digit, encode


def test_invalid_setting_stops_the_start(unmigrated_settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="PROXY_HOPS"):
        create_app(unmigrated_settings | {"PROXY_HOPS": "all"})


@pytest.mark.parametrize(("hops", "address", "scheme"), [(0, "127.0.0.1", "http"), (1, "10.0.0.9", "https")])
def test_forwarded_headers_need_proxy_hops(
    unmigrated_settings: dict[str, Any], hops: int, address: str, scheme: str
) -> None:
    app = create_app(unmigrated_settings | {"PROXY_HOPS": hops})
    app.add_url_rule("/who", view_func=lambda: f"{request.remote_addr} {request.scheme}")
    headers = {"X-Forwarded-For": "10.0.0.1, 10.0.0.9", "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/who", headers=headers).text == f"{address} {scheme}"


def test_routes_are_bound_as_flask_binds_them(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(unmigrated_settings | {"TRUSTED_HOSTS": "digits.example,.digits.example"})

    def bound(create: Callable[..., MapAdapter | None], given: dict[str, str]) -> object:
        environ = EnvironBuilder(query_string="a=1&b=ü").get_environ()
        environ |= {key: text.encode().decode("latin1") for key, text in given.items()}
        asked = app.request_class(environ)
        try:
            adapter = create(app, asked)
        except SecurityError:
            return SecurityError
        assert adapter
        try:
            found = str(adapter.match(return_rule=True))
        except HTTPException as error:
            found = f"{error} {getattr(error, 'new_url', '')}"
        return found, asked.host, {**vars(adapter), "map": None, "path_info": None}

    paths = ("", "/", "//history", "/history/", "/models/cnn", "/models//cnn", "/größe?", "/predictions")
    hosts = ("digits.example", "www.digits.example:8000", "elsewhere.example", "[::1]:80", "")
    for path, prefix, host in product(paths, ("", "/below", "/über/"), hosts):
        given = {"SCRIPT_NAME": prefix, "PATH_INFO": path, "HTTP_HOST": host}
        assert bound(Site.create_url_adapter, given) == bound(Flask.create_url_adapter, given), given


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, 'data-error="internal_error"'),
        ({"X-Fragment": "true"}, 'data-error="internal_error"'),
        ({"Accept": "application/json"}, '"code":"internal_error"'),
    ],
)
def test_exception_discloses_no_details(
    unmigrated_settings: dict[str, Any], headers: dict[str, str], text: str
) -> None:
    app: Flask = create_app(unmigrated_settings | {"TESTING": False})

    def fail() -> str:
        raise LookupError("a detail of the inside")

    app.add_url_rule("/bug", view_func=fail)
    response = app.test_client().get("/bug", headers=headers)
    assert response.status_code == 500
    assert text in response.text
    assert "detail of the inside" not in response.text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.00001, "< 0.1 %"),
        (0.9931, "99.3 %"),
        (0.99999, "> 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_percentages_reach_0_and_100_only_exactly(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.process
@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import mnistweb.recognition.zoo", {"flask", "sqlalchemy", "torchvision", "mnistweb.training"}),
        ("import mnistweb.database.models", {"flask", "torch", "mnistweb.recognition"}),
        ("import mnistweb.app; mnistweb.app.create_database_app({})", {"torch"}),
        ("import mnistweb.recognition.remote.client", {"flask", "sqlalchemy", "torch", "PIL"}),
        ("import mnistweb.app; mnistweb.app.create_app({})", {"torchvision", "mnistweb.training"}),
        ("import mnistweb.cli.training", {"flask", "sqlalchemy"}),
    ],
)
def test_imports_point_one_way(statement: str, absent: set[str]) -> None:
    check = f"{statement}; import sys; print(*(set(sys.modules) & {absent!r}))"
    command = [sys.executable, "-W", "ignore", "-c", check]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("path", ["/", "/static/css/base.css"])
@pytest.mark.parametrize("accepted", ["gzip, deflate", "gzip, deflate, br"])
def test_text_is_compressed(client: FlaskClient, path: str, accepted: str) -> None:
    with client.get(path) as plain, client.get(path, headers={"Accept-Encoding": accepted}) as small:
        assert small.headers["Content-Encoding"] in accepted
        assert len(small.data) < len(plain.data) / 2
    etag = small.headers.get("ETag", "")
    with client.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": etag}) as again:
        assert again.status_code == (304 if etag else 200)


def test_answer_that_fits_a_packet_is_not_compressed(client: FlaskClient) -> None:
    drawing = {"image": data_url(encode(draw_digit(4)))}
    answer = client.post("/api/v1/predictions", json=drawing, headers={"Accept-Encoding": "gzip"})
    assert 500 < len(answer.data) < 1000
    assert "Content-Encoding" not in answer.headers
