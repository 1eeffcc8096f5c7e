"""Bodies of JSON and of forms that are refused before they are parsed."""

import json
import time
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from mnistweb.predictions.strokes import MAX_POINTS, MAX_STROKES
from mnistweb.web.form_parser import MAX_ESCAPES, MAX_FIELDS, URL_ENCODED
from mnistweb.web.request_args import MAX_JSON_VALUES
from tests.support.clients import csrf_token
from tests.support.drawings import data_url, digit_png

SIZE = 11_000_000
HOSTILE = {
    "empty lists": b"[" + b"[]," * (SIZE // 3) + b"[]]",
    "empty objects": b"[" + b"{}," * (SIZE // 3) + b"{}]",
    "numbers": b"[" + b"1," * (SIZE // 2) + b"1]",
    "depth": b"[" * SIZE,
    "keys": b'{"":1' + b',"":1' * (SIZE // 5) + b"}",
}
HOSTILE_FORMS = {
    "fields": b"a&" * (SIZE // 2),
    "escaped fields": b"%FF&" * (SIZE // 4),
    "empty fields": b"&" * SIZE,
    "escapes": b"a=" + b"%FF" * (SIZE // 3),
    "percent signs": b"a=" + b"%" * SIZE,
    "most fields and escapes": b"a=" + b"%C3%28" * (MAX_ESCAPES // 2) + b"&a" * (MAX_FIELDS - 1),
    "bytes that are no text": b"a=" + b"\xff" * SIZE,
}


def most_seconds() -> float:
    """Return the processor time of a form with as many escapes as are accepted: some 0.2 seconds."""
    started = time.thread_time()
    parse_qsl("a=" + "%C3%28" * (MAX_ESCAPES // 2))
    return time.thread_time() - started


@pytest.mark.parametrize("name", HOSTILE)
def test_many_values_are_refused_at_once(client: FlaskClient, name: str) -> None:
    token = csrf_token(client)
    for path in ("/api/v1/predictions", "/predictions"):
        started = time.thread_time()
        response = client.post(
            path, data=HOSTILE[name], content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert response.status_code == 400
        assert time.thread_time() - started < most_seconds()


def test_largest_drawing_is_no_hostile_one(client: FlaskClient) -> None:
    points: list[Any] = [[123.25, 200.5, 0.5]] * (MAX_POINTS // MAX_STROKES)
    strokes = {"size": 280, "strokes": [{"width": 20, "points": points}] * MAX_STROKES}
    body = json.dumps({"image": data_url(digit_png(3)), "strokes": strokes})
    assert len(body) > MAX_JSON_VALUES
    response = client.post("/api/v1/predictions", data=body, content_type="application/json")
    assert response.status_code == 201


@pytest.mark.parametrize("name", HOSTILE_FORMS)
def test_long_forms_are_refused_at_once(client: FlaskClient, name: str) -> None:
    token = csrf_token(client)
    for path, headers in (("/review/logout", {}), ("/predictions", {"X-CSRFToken": token})):
        started = time.thread_time()
        response = client.post(path, data=HOSTILE_FORMS[name], content_type=URL_ENCODED, headers=headers)
        assert response.status_code == 400
        assert time.thread_time() - started < 3 * most_seconds()


def test_form_may_have_many_fields_and_escapes(client: FlaskClient) -> None:
    drawing = data_url(digit_png(3))
    form = {"csrf_token": csrf_token(client), "image": drawing, "strokes": " " * 100 + "null"}
    form |= {f"other{number}": "%" * 300 for number in range(MAX_FIELDS - len(form))}
    assert client.post("/predictions", data=form).status_code == 303
    form["one more"] = ""
    assert client.post("/predictions", data=form).status_code == 400
