"""More requests at once than there is room for."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask_migrate
import pytest
from flask import Flask

from mnistweb.app import create_app
from mnistweb.extensions import db
from mnistweb.web import load_shedding as overload
from mnistweb.web.load_shedding import KEY, AdmissionControl


class Crowd:
    """A site with one place and one that may wait, and a route on which requests stay until told."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.app: Flask = create_app(settings | {"THREADS": 1, "WAITING": 1, "TESTING": False})
        self.go_on, self.arrived = threading.Event(), threading.Semaphore(0)
        self.app.add_url_rule("/stay", "draw.stay", self._stay)
        self.app.add_url_rule("/fail", "draw.fail", self._fail)
        with self.app.app_context():
            flask_migrate.upgrade()

    def _stay(self) -> str:
        self.arrived.release()
        assert self.go_on.wait(30)
        return "done"

    def _fail(self) -> str:
        raise LookupError

    def get(self, path: str = "/stay", **headers: str) -> Any:
        return self.app.test_client().get(path, headers=headers)


@pytest.fixture
def crowd(unmigrated_settings: dict[str, Any]) -> Iterator[Crowd]:
    crowd = Crowd(unmigrated_settings)
    yield crowd
    crowd.go_on.set()
    with crowd.app.app_context():
        db.engine.dispose()


def full(crowd: Crowd, pool: ThreadPoolExecutor) -> list[Any]:
    """Fill the site: one request inside, one that waits."""
    inside = pool.submit(crowd.get)
    assert crowd.arrived.acquire(timeout=30)
    waits = pool.submit(crowd.get)
    while not crowd.app.extensions[KEY]._queue:
        time.sleep(0.01)
    return [inside, waits]


def test_who_finds_no_room_is_told_at_once_and_the_others_are_served(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "PATIENCE", 30.0)
    with ThreadPoolExecutor() as pool:
        served = full(crowd, pool)
        started = time.perf_counter()
        page, json = crowd.get(), crowd.get("/api/v1/predictions")
        assert time.perf_counter() - started < overload.PATIENCE / 2
        assert page.status_code == json.status_code == 503
        assert page.headers["Retry-After"] == json.headers["Retry-After"] == "2"
        assert 'data-error="overloaded"' in page.text
        assert json.get_json()["error"]["code"] == "overloaded"
        fragment = crowd.get(**{"X-Fragment": "true"})
        assert "<html" not in fragment.text
        assert 'data-error="overloaded"' in fragment.text
        assert crowd.get("/healthz").status_code == 200
        with crowd.get("/static/css/base.css") as file:
            assert file.status_code == 200
        crowd.go_on.set()
        assert [each.result().text for each in served] == ["done", "done"]
    assert crowd.get().text == "done"


def test_nobody_waits_for_long(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "PATIENCE", 0.2)
    with ThreadPoolExecutor() as pool:
        inside, waits = full(crowd, pool)
        assert waits.result().status_code == 503
        crowd.go_on.set()
        assert inside.result().text == "done"


def test_a_place_is_free_again_whatever_becomes_of_a_request(crowd: Crowd) -> None:
    crowd.go_on.set()
    for path, status in (("/fail", 500), ("/history?limit=0", 400), ("/history.csv", 200), ("/stay", 200)):
        for _ in range(3):
            assert crowd.get(path).status_code == status


def test_a_slow_download_keeps_nobody_out(crowd: Crowd) -> None:
    client = crowd.app.test_client()
    with client.get("/history.csv", buffered=False) as slow:
        assert crowd.get("/history").status_code == 200
        assert slow.status_code == 200


def test_without_a_waiting_room_only_places_count() -> None:
    gate = AdmissionControl(1, 0)
    assert gate.enter()
    assert not gate.enter()
    gate.leave()
    assert gate.enter()


def test_they_come_in_as_they_came() -> None:
    gate, order = AdmissionControl(1, 3), []
    assert gate.enter()

    def visit(number: int) -> None:
        assert gate.enter()
        order.append(number)
        gate.leave()

    with ThreadPoolExecutor() as pool:
        visits = []
        for number in range(3):
            visits.append(pool.submit(visit, number))
            while len(gate._queue) <= number:
                time.sleep(0.001)
        gate.leave()
    assert [visit.exception() for visit in visits] == [None] * 3
    assert order == [0, 1, 2]
    assert gate.enter()
