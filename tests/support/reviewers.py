"""Reviewers: operators who are logged in for the review."""

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from tests.support.clients import csrf_token

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = generate_password_hash(PASSWORD, "scrypt:256:8:1")  # quick


def log_in(client: FlaskClient, name: str = "Ada", password: str = PASSWORD) -> TestResponse:
    """Send the form of the login."""
    form = {"csrf_token": csrf_token(client), "name": name, "password": password}
    return client.post("/review/login", data=form)


def reviewer(app: Flask, name: str = "Ada") -> FlaskClient:
    """Return a browser of a reviewer who is logged in."""
    client = app.test_client()
    assert log_in(client, name).status_code == 303
    return client
