"""Clients that dawdle, by the hundred, and an honest visitor among them."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from tests.support.dawdlers import FIRST_BYTES, Dawdlers
from tests.support.drawings import data_url, digit_png
from tests.support.rows import row
from tests.support.servers import served_site
from tests.support.sites import SECRET, migrated_site

pytestmark = pytest.mark.process

CROWD = 200
VISITS = 20
TIMEOUT = 3
"""Seconds of both deadlines, instead of 15."""
ROWS = 2500
"""More than what the system keeps for a client that reads nothing."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a site with one process and a long history."""
    folder = tmp_path_factory.mktemp("dawdlers")
    settings = {"DATABASE_URL": f"sqlite:///{folder}/site.sqlite3", "INSTANCE_PATH": str(folder)}
    fill(folder)
    limits = {"RECEIVE_TIMEOUT": str(TIMEOUT), "SEND_TIMEOUT": str(TIMEOUT)}
    server = {"SECRET_KEY": SECRET, "WORKERS": "1", "RATELIMIT_ENABLED": "false"}
    with served_site(settings | limits | server) as port:
        yield port


def fill(folder: Path) -> None:
    with migrated_site(folder) as app, app.app_context():
        rows = [vars(row(input=bytes(range(256)) * 3 + bytes(16))) for _ in range(ROWS)]
        db.session.execute(insert(Prediction), rows)
        db.session.commit()


def visit(port: int, path: str, body: bytes | None = None) -> tuple[int, float]:
    """Ask as an honest visitor, and return the status and the seconds until all is read."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(
        "POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {}
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, time.monotonic() - started


def wait_for_places(port: int) -> None:
    """Wait for two seconds at most, while as many whole requests come at once that some are refused."""
    deadline = time.monotonic() + 2
    while visit(port, "/")[0] == 503 and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.parametrize("many_addresses", [False, True], ids=["one address", "many addresses"])
@pytest.mark.parametrize("kind", FIRST_BYTES)
def test_honest_visitors_are_served_and_dawdlers_go(port: int, kind: str, many_addresses: bool) -> None:
    drawing = json.dumps({"image": data_url(digit_png(3))}).encode()
    dawdlers = Dawdlers(port, kind, CROWD, many_addresses)
    try:
        dawdlers.start()
        wait_for_places(port)
        answers, seconds = [], []
        for _ in range(VISITS):
            for path, body in (
                ("/", None),
                ("/api/v1/predictions", drawing),
                ("/healthz", None),
                ("/readyz", None),
            ):
                status, took = visit(port, path, body)
                answers.append(status)
                seconds.append(took)
            dawdlers.send_a_byte()
        print(kind, many_addresses, dawdlers.closed(), sorted(seconds)[-5:])
        assert set(answers) == {200, 201}
        assert sorted(seconds)[len(seconds) * 95 // 100] < 1
        assert dawdlers.wait_until_closed(4 * TIMEOUT) == 0
    finally:
        dawdlers.stop()
