"""What tests do with a site's client: predict, correct, and read the answer."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.drawings import data_url, digit_png

FRAGMENT = {"X-Fragment": "true"}


def predict(client: FlaskClient, digit: int = 3, **fields: Any) -> dict[str, Any]:
    """Predict a drawn digit through the API, which must accept it."""
    response = client.post("/api/v1/predictions", json={"image": data_url(digit_png(digit)), **fields})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.get_json()
    return body


def csrf_token(client: FlaskClient) -> str:
    """The token of the form on the page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert found
    return found[1]


def correct(client: FlaskClient, prediction_id: str, label: str, fragment: bool = True) -> TestResponse:
    form = {"csrf_token": csrf_token(client), "label": label}
    headers = FRAGMENT if fragment else {}
    return client.post(f"/predictions/{prediction_id}/feedback", data=form, headers=headers)


def attribute(response: TestResponse, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', response.text)
    assert found, response.text
    return found[1]


def assert_refused(response: TestResponse, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.mimetype == "text/html"
    assert attribute(response, "data-error") == code
    assert "Traceback" not in response.text
