"""The description of the API is of all of it, of nothing else, and true: schemathesis tries to refute it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import flask_migrate
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from mnistweb.app import create_app
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.pagination import encode_cursor
from tests.support.clients import predict
from tests.support.drawings import STROKES, data_url, digit_png

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
DESCRIPTION = "/api/v1/openapi.json"

schemathesis.openapi.format("drawing", st.sampled_from([data_url(digit_png(digit)) for digit in STROKES]))
schemathesis.openapi.format(
    "cursor",
    st.builds(
        lambda name, seconds: encode_cursor(
            Prediction(id=name, created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
        ),
        st.uuids(),
        st.integers(-(10**9), 10**9),
    ),
)


def _uncompressed(app: Flask) -> WSGIApplication:
    # What travels compressed is not unpacked on this way.
    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        return app(environ, start_response)

    return call


def refutations(app: Flask, examples: int) -> tuple[int, list[str]]:
    """How many requests were made, and what in their answers is not as described."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"max-examples": examples, "database": "none"},
            "phases": {"stateful": {"enabled": False}},
        }
    )
    asked, found = 0, []
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, _uncompressed(app), config=config)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.interactions)
            for name, checks in event.recorder.checks.items():
                answer = event.recorder.interactions[name].response
                if answer is not None and b"idempotency_key_reused" in answer.content:
                    continue  # no schema says that a key may not come twice
                for check in checks:
                    if check.failure_info:
                        failure = check.failure_info.failure
                        said = answer.content[:200] if answer else b""
                        found.append(f"{event.recorder.label}: {failure.title}\n{failure.message}\n{said!r}")
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
    return asked, found


def test_the_api_does_as_it_is_described(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(unmigrated_settings | {"RATELIMIT_ENABLED": "false", "TESTING": False})
    with app.app_context():
        flask_migrate.upgrade()
    predict(app.test_client())
    asked, found = refutations(app, EXAMPLES)
    with app.app_context():
        db.engine.dispose()
    print(f"{asked} requests")
    assert asked > 100
    assert not found, "\n\n".join(found)


def described(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(DESCRIPTION).get_json()
    return found


def test_every_route_is_described_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    routes = {
        (method.lower(), rule.rule.replace("<uuid:", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = described(client)["paths"]
    assert {(method, path) for path, operations in paths.items() for method in operations} == routes


def test_every_error_of_the_api_is_among_those_of_its_route(client: FlaskClient) -> None:
    listing = described(client)["paths"]["/api/v1/predictions"]
    assert set(listing["post"]["responses"]) == {
        "200",
        "201",
        "400",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }
    assert set(listing["get"]["responses"]) == {"200", "400", "404", "429", "500", "503"}
    assert "invalid_cursor" in listing["get"]["responses"]["400"]["description"]


def test_the_page_says_what_the_description_says(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for path, operations in described(client)["paths"].items():
        for method in operations:
            assert f'data-operation="{method.upper()} {path}"' in page
    links = set(re.findall(r'href="#([^"]+)"', page))
    names = re.findall(r' id="([^"]+)"', page)
    assert len(set(names)) == len(names)
    assert links <= set(names)
    assert "<code>empty_drawing</code>" in page
    assert "`" not in page
    for name in described(client)["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "http://localhost/api/v1/predictions" in page
