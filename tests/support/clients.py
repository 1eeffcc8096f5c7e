"""Requests through a test client, and checks of its responses."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.drawings import data_url, digit_png

FRAGMENT = {"X-Fragment": "true"}


def predict(client: FlaskClient, digit: int = 3, **fields: Any) -> dict[str, Any]:
    """Predict a drawn digit through the API, and return the saved prediction."""
    response = client.post("/api/v1/predictions", json={"image": data_url(digit_png(digit)), **fields})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.get_json()
    return body


def csrf_token(client: FlaskClient) -> str:
    """Return the CSRF token of the visitor."""
    return csrf_token_in(client.get("/challenge").text)


def csrf_token_in(page: str) -> str:
    """Return the CSRF token in the forms of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def correct(client: FlaskClient, prediction_id: str, label: str, fragment: bool = True) -> TestResponse:
    """Give feedback through the form."""
    form = {"csrf_token": csrf_token(client), "label": label}
    headers = FRAGMENT if fragment else {}
    return client.post(f"/predictions/{prediction_id}/feedback", data=form, headers=headers)


def attribute(response: TestResponse, name: str) -> str:
    """Return the value of the first HTML attribute of that name."""
    found = re.search(rf'\b{name}="([^"]*)"', response.text)
    assert found, response.text
    return found[1]


def assert_refused(response: TestResponse, status: int, code: str) -> None:
    """Check that the response is an HTML error with this status and error code."""
    assert response.status_code == status, response.text
    assert response.mimetype == "text/html"
    assert attribute(response, "data-error") == code
    assert "Traceback" not in response.text
