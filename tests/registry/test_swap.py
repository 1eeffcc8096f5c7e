"""Versions change under load: two gunicorns, one of which asks a model server. No request may fail.

SWAP_REQUESTS sets the number of requests, at least.
"""

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import flask_migrate
import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask

from mnistweb.app import create_database_app
from mnistweb.database.models import Prediction, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.drawings import data_url, digit_png
from tests.support.networks import other_version
from tests.support.postgres import database, free_port
from tests.support.servers import ROOT, served_site, wait_until_ready

NAME = "lenet5"
REQUESTS = int(os.environ.get("SWAP_REQUESTS", "600"))
CLIENTS = 2
"""Clients of each site."""
IN_A_ROW = 20
"""Answers of a site by one version, after which the load goes on to the next change."""
BUSY_TIMEOUT = 60.0
"""Seconds on a machine that tests keep busy. Otherwise it takes three, of which two are the interval."""

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Told:
    """The version that a site answered with, and when the request was sent."""

    sent: float
    version: str


@dataclass
class Load:
    """Clients that draw without a pause, and what they were told."""

    ports: list[int]
    told: dict[int, list[Told]] = field(init=False)
    failures: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    changes: list[Told] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.told = {port: [] for port in self.ports}

    def count(self) -> int:
        return sum(map(len, self.told.values()))

    def draw(self, port: int, first: int) -> None:
        """Draw one digit after the other, on one connection."""
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for number in itertools.count(first):
                if self.stopping.is_set():
                    return
                self._draw(connection, port, number % 10)

    def _draw(self, connection: http.client.HTTPConnection, port: int, digit: int) -> None:
        body = json.dumps({"image": data_url(digit_png(digit)), "model": NAME})
        sent = time.monotonic()
        try:
            connection.request("POST", "/api/v1/predictions", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()
            return
        answer = json.loads(text)
        if response.status != 201 or not answer["saved"]:
            self.failures.append(f"{response.status} {text[:200]!r}")
            return
        self.versions[answer["id"]] = answer["model_version"]
        self.told[port].append(Told(sent, answer["model_version"]))

    def change(self, go_live: Callable[[], Promotion]) -> None:
        """Change the version, and wait until each site answers with it, again and again."""
        version = go_live().version
        began = time.monotonic()
        self.changes.append(Told(began, version))
        while not all(
            {each.version for each in told[-IN_A_ROW:]} == {version} for told in self.told.values()
        ):
            assert time.monotonic() - began < BUSY_TIMEOUT
            time.sleep(0.05)

    def seconds(self) -> list[float]:
        """Return for each change after how many seconds the last request was sent that it missed."""
        told = [each for port in self.ports for each in self.told[port]]
        ends = [*(each.sent for each in self.changes[1:]), time.monotonic()]
        return [
            max(
                (
                    each.sent - change.sent
                    for each in told
                    if change.sent < each.sent < end and each.version != change.version
                ),
                default=0.0,
            )
            for change, end in zip(self.changes, ends, strict=True)
        ]


@contextmanager
def under_load(ports: list[int]) -> Iterator[Load]:
    load = Load(ports)
    threads = [
        threading.Thread(target=load.draw, args=(port, client)) for port in ports for client in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        for thread in threads:
            thread.join()


@contextmanager
def model_server(url: str) -> Iterator[int]:
    """Serve the models of that database's site with two processes; the port."""
    port = free_port()
    command = (
        "-W ignore -m uvicorn --factory mnistweb.model_server.asgi:create --workers 2 --log-level warning"
    )
    process = subprocess.Popen(
        [sys.executable, *command.split(), "--port", str(port)],
        env=os.environ | {"DATABASE_URL": url, "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", "/v2/health/ready")
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    with database(postgres_url, f"mnistweb_swap_{os.getpid()}") as url:
        yield url


@pytest.fixture
def operator(url: str, tmp_path: Path) -> Iterator[Flask]:
    """The operator's application, with a second version of the model."""
    app = create_database_app({"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path)})
    with app.app_context():
        flask_migrate.upgrade()
        add_version(*other_version(NAME), None, None, "ada")
        yield app
        db.engine.dispose()


def test_no_request_fails_while_versions_change(operator: Flask, url: str, tmp_path: Path) -> None:
    old = TorchScriptRecognizer.load(WEIGHTS / f"{NAME}.json")
    file, card = other_version(NAME)
    new = TorchScriptRecognizer.from_bytes(card, file)
    settings = {
        "DATABASE_URL": url,
        "INSTANCE_PATH": str(tmp_path),
        "LOG_FORMAT": "json",
        "RATELIMIT_ENABLED": "false",
        "WORKERS": "2",
    }
    with (
        model_server(url) as models,
        served_site(settings) as alone,
        served_site(settings | {"MODEL_URL": f"http://127.0.0.1:{models}"}) as split,
        under_load([alone, split]) as load,
    ):
        while not load.changes or load.count() < REQUESTS:
            load.change(lambda: promote(NAME, card.version, None, by="ada", reason="a test", force=True))
            load.change(lambda: rollback(NAME, by="ada"))
    seconds = load.seconds()
    print(f"{load.count()} requests; seconds until each change was taken up: {seconds}")
    assert load.failures == []
    assert max(seconds) < BUSY_TIMEOUT
    networks = {each.card.version: each for each in (old, new)}
    assert {*load.versions.values()} == {*networks}
    rows = db.session.execute(
        sa.select(Prediction.id, Prediction.model_version, Prediction.input, Prediction.probabilities)
    ).all()
    assert {str(row.id): row.model_version for row in rows} == load.versions
    for row in rows:
        image = np.frombuffer(row.input, np.uint8).reshape(28, 28).copy()
        answer = networks[row.model_version].recognize(image)
        assert row.probabilities == pytest.approx(answer.probabilities, abs=1e-5)
