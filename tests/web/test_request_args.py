"""Bodies of JSON that are refused before they are parsed."""

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from mnistweb.predictions.strokes import MAX_POINTS, MAX_STROKES
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


@pytest.mark.parametrize("name", HOSTILE)
def test_many_values_are_refused_within_milliseconds(client: FlaskClient, name: str) -> None:
    token = csrf_token(client)
    for path in ("/api/v1/predictions", "/predictions"):
        started = time.thread_time()
        response = client.post(
            path, data=HOSTILE[name], content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert response.status_code == 400
        assert time.thread_time() - started < 0.15


def test_largest_drawing_is_no_hostile_one(client: FlaskClient) -> None:
    points: list[Any] = [[123.25, 200.5, 0.5]] * (MAX_POINTS // MAX_STROKES)
    strokes = {"size": 280, "strokes": [{"width": 20, "points": points}] * MAX_STROKES}
    body = json.dumps({"image": data_url(digit_png(3)), "strokes": strokes})
    assert len(body) > MAX_JSON_VALUES
    response = client.post("/api/v1/predictions", data=body, content_type="application/json")
    assert response.status_code == 201
