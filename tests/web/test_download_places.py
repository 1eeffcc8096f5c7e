"""Some downloads at a time."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.web.download_places import EXTENSION, DownloadPlaces
from tests.support.clients import predict

DOWNLOADS = ("/history.csv", "/history.jsonl", "/history.strokes.json.gz")


def test_places_are_divided_among_addresses() -> None:
    places = DownloadPlaces(4)
    first, second = places.enter("a"), places.enter("a")
    assert first
    assert second
    assert places.enter("a") is None
    assert places.enter("b")
    assert places.enter("c")
    assert places.enter("d") is None
    first()
    first()
    assert places.enter("d")
    assert places.enter("e") is None


@pytest.fixture
def places(app: Flask, monkeypatch: pytest.MonkeyPatch) -> DownloadPlaces:
    """The places of the site: two, one of them for an address."""
    places = DownloadPlaces(2)
    monkeypatch.setitem(app.extensions, EXTENSION, places)
    return places


@pytest.mark.parametrize("address", DOWNLOADS)
def test_unfinished_download_keeps_its_place(
    client: FlaskClient, places: DownloadPlaces, address: str
) -> None:
    predict(client)
    unfinished: Any = client.get(address, buffered=False)
    refused = client.get(address)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    elsewhere = client.get(address, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert elsewhere.status_code == 200
    elsewhere.close()
    unfinished.close()
    assert client.get(address).status_code == 200


def test_place_is_left_after_the_last_byte_and_after_errors(
    client: FlaskClient, places: DownloadPlaces
) -> None:
    for _ in range(3):
        assert client.get("/history.csv").text
        assert client.get("/history.csv?digit=no").status_code == 400
        with client.head("/history.csv") as head:
            assert head.status_code == 200


def test_pages_need_no_place(client: FlaskClient, places: DownloadPlaces) -> None:
    unfinished = client.get("/history.csv", buffered=False)
    assert client.get("/history").status_code == 200
    unfinished.close()
