import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.reviewers import PASSWORD_HASH, reviewer


@pytest.fixture(autouse=True)
def review_password(app: Flask) -> None:
    """A site with a review."""
    app.config["REVIEW_PASSWORD_HASH"] = PASSWORD_HASH


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A browser of the reviewer Ada."""
    return reviewer(app, "Ada")


@pytest.fixture
def bob(app: Flask) -> FlaskClient:
    """A browser of the reviewer Bob."""
    return reviewer(app, "Bob")
