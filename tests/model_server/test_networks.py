"""The model server follows the live versions of a site."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from mnistweb.model_server import asgi
from mnistweb.model_server.networks import Networks
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.networks import other_version

NAME = "lenet5"
INSTALLED = read_card(WEIGHTS / f"{NAME}.json")
FILE, CARD = other_version(NAME)


@pytest.fixture
def promoted(app: Flask) -> Iterator[str]:
    """A second version, live; the URL of the database."""
    with app.app_context():
        add_version(FILE, CARD, None, INSTALLED.version, "ada")
        promote(NAME, CARD.version, None, by="ada", reason="a test", force=True)
        yield app.config["DATABASE_URL"]


def test_live_versions_are_served_from_the_start(promoted: str) -> None:
    networks = Networks(WEIGHTS)
    networks.follow(promoted)
    try:
        network = networks.get(NAME)
        assert network is not None
        assert network.card == CARD
        assert networks.card(NAME, INSTALLED.version) == INSTALLED  # that of a moment ago
        assert networks.card(NAME, CARD.version) == CARD
        assert networks.card(NAME, "0123456789ab") is None
        rollback(NAME, by="ada")
        networks._follower.refresh()  # type: ignore[union-attr]
        assert networks.get(NAME).card == INSTALLED  # type: ignore[union-attr]
        assert networks.card(NAME, CARD.version) == CARD
    finally:
        networks.stop()


def test_the_address_of_a_database_turns_following_on(promoted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", promoted)
    application = asgi.create()

    async def version() -> str:
        async with application.router.lifespan_context(application):
            network = application.state.networks.get(NAME)
            return str(network.card.version)

    with ThreadPoolExecutor(1) as other:  # without the event loop of a browser test
        assert other.submit(asyncio.run, version()).result() == CARD.version
