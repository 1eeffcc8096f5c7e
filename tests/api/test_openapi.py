"""The OpenAPI description is complete and correct: schemathesis looks for requests that contradict it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from mnistweb.api.openapi import description
from mnistweb.app import create_app
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.pagination import encode_cursor
from tests.support.clients import predict
from tests.support.drawings import STROKES, data_url, digit_png
from tests.support.quick import QUICK
from tests.support.sites import make_tables

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
DESCRIPTION = "/api/v1/openapi.json"

schemathesis.openapi.format("drawing", st.sampled_from([data_url(digit_png(digit)) for digit in STROKES]))
schemathesis.openapi.format(
    "printable", st.text(st.characters(codec="utf-8").filter(str.isprintable), max_size=64)
)
schemathesis.openapi.format(
    "cursor",
    st.builds(
        lambda name, seconds, confidence: encode_cursor(
            Prediction(
                id=name,
                created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
                confidence=confidence,
            )
        ),
        st.uuids(),
        st.integers(-(10**9), 10**9),
        st.floats(0, 1),
    ),
)


def _uncompressed(app: Flask) -> WSGIApplication:
    # Schemathesis does not decompress responses of a WSGI application.
    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        return app(environ, start_response)

    return call


def find_contradictions(app: Flask, examples: int) -> tuple[int, list[str]]:
    """Return the number of requests, and the contradictions between their responses and the description."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"max-examples": examples, "database": "none"},
            # The limits of every parameter, one by one, take ten times as long as the rest.
            "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": not QUICK}},
        }
    )
    requests, found = 0, []
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, _uncompressed(app), config=config)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.interactions)
            for name, checks in event.recorder.checks.items():
                answer = event.recorder.interactions[name].response
                if answer is not None and b"idempotency_key_reused" in answer.content:
                    continue  # no schema can say that a key must be new
                for check in checks:
                    if check.failure_info:
                        failure = check.failure_info.failure
                        content = answer.content[:200] if answer else b""
                        found.append(
                            f"{event.recorder.label}: {failure.title}\n{failure.message}\n{content!r}"
                        )
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
    return requests, found


def test_responses_agree_with_description(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(unmigrated_settings | {"RATELIMIT_ENABLED": "false", "TESTING": False})
    make_tables(app)
    predict(app.test_client())
    requests, found = find_contradictions(app, EXAMPLES)
    with app.app_context():
        db.engine.dispose()
    print(f"{requests} requests")
    assert requests > (20 if QUICK else 100)
    assert not found, "\n\n".join(found)


def get_description(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(DESCRIPTION).get_json()
    return found


def test_description_has_every_route_and_no_other(app: Flask, client: FlaskClient) -> None:
    routes = {
        (method.lower(), rule.rule.replace("<uuid:", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = get_description(client)["paths"]
    assert {(method, path) for path, operations in paths.items() for method in operations} == routes


def test_operations_list_their_errors(client: FlaskClient) -> None:
    listing = get_description(client)["paths"]["/api/v1/predictions"]
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


def test_errors_of_a_response_are_listed_by_code(client: FlaskClient) -> None:
    feedback = get_description(client)["paths"]["/api/v1/predictions/{prediction_id}/feedback"]["post"]
    schema = feedback["responses"]["422"]["content"]["application/json"]["schema"]
    assert schema["properties"]["error"]["properties"]["code"] == {"enum": ["invalid_label"]}


def test_description_refuses_a_view_without_responses(app: Flask) -> None:
    bare = Flask("bare")
    bare.add_url_rule("/api/v1/bare", view_func=lambda: "")
    with app.app_context(), pytest.raises(LookupError, match="declares no response"):
        description(bare)


def test_every_json_operation_has_a_valid_sample_answer(client: FlaskClient) -> None:
    found = get_description(client)
    for operations in found["paths"].values():
        for operation in operations.values():
            contents = [
                answer["content"]["application/json"]
                for status, answer in operation["responses"].items()
                if status < "300" and "application/json" in answer.get("content", {})
            ]
            assert contents or operation["operationId"] in {"delete", "as_page"}
            if "requestBody" in operation:
                contents.append(operation["requestBody"]["content"]["application/json"])
            for content in contents:
                schema = {**content["schema"], "components": found["components"]}
                jsonschema_rs.validate(schema, content["example"], validate_formats=True)


def test_sample_drawing_is_read_as_in_the_sample_answer(client: FlaskClient) -> None:
    operation = get_description(client)["paths"]["/api/v1/predictions"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    expected = operation["responses"]["201"]["content"]["application/json"]["example"]
    answer = client.post("/api/v1/predictions", json=body).get_json()
    assert answer["digit"] == expected["digit"]
    assert answer.keys() == expected.keys()


def test_page_shows_operations_schemas_and_errors(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for path, operations in get_description(client)["paths"].items():
        for method in operations:
            assert f'data-operation="{method.upper()} {path}"' in page
    links = set(re.findall(r'href="#([^"]+)"', page))
    names = re.findall(r' id="([^"]+)"', page)
    assert len(set(names)) == len(names)
    assert links <= set(names)
    assert "<code>empty_drawing</code>" in page
    assert "`" not in page
    for name in get_description(client)["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "http://localhost/api/v1/predictions" in page


@pytest.mark.parametrize(
    "text",
    [
        "number, at least 0<",
        "integer, 1 to 200; default 50<",
        "a day such as <code>2026-01-31</code>, or empty<",
        '<code>"1"</code>, or empty<',
        "a UUID or null<",
        "<dt>204</dt><dd>Deleted.</dd>",
        "curl -s http://localhost/api/v1/predictions",
        "urllib.request.Request(",
        "await fetch(",
        "Example of an answer",
        "&#34;probabilities&#34;: [ 0, 0, 0.0001,",
    ],
)
def test_page_shows_bounds_defaults_and_samples(client: FlaskClient, text: str) -> None:
    assert text in client.get("/api/v1/docs").text
