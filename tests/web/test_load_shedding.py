"""More requests at once than places."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from mnistweb.app import create_app
from mnistweb.extensions import db
from mnistweb.web.load_shedding import EXTENSION, AdmissionControl
from tests.support.sites import make_tables


class Crowd:
    """A site with one place and a queue of one, and a route whose requests block until `go_on` is set."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.app: Flask = create_app(settings | {"THREADS": 1, "WAITING": 1, "TESTING": False})
        self.go_on, self.arrived = threading.Event(), threading.Semaphore(0)
        self.app.add_url_rule("/stay", "draw.stay", self._stay)
        self.app.add_url_rule("/fail", "draw.fail", self._fail)
        make_tables(self.app)

    def _stay(self) -> str:
        self.arrived.release()
        assert self.go_on.wait(30)
        return "done"

    def _fail(self) -> str:
        raise LookupError

    def queue_timeout(self, seconds: float) -> None:
        self.app.extensions[EXTENSION] = AdmissionControl(1, 1, seconds)

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
    """Fill the site: one request is served, one waits."""
    inside = pool.submit(crowd.get)
    assert crowd.arrived.acquire(timeout=30)
    waits = pool.submit(crowd.get)
    while not crowd.app.extensions[EXTENSION]._queue:
        time.sleep(0.01)
    return [inside, waits]


def test_requests_beyond_the_queue_are_refused_at_once(crowd: Crowd) -> None:
    crowd.queue_timeout(30.0)
    with ThreadPoolExecutor() as pool:
        served = full(crowd, pool)
        started = time.perf_counter()
        page, json = crowd.get(), crowd.get("/api/v1/predictions")
        assert time.perf_counter() - started < 15
        assert page.status_code == json.status_code == 503
        assert page.headers["Retry-After"] == json.headers["Retry-After"] == "2"
        assert 'data-error="overloaded"' in page.text
        assert json.get_json()["error"]["code"] == "overloaded"
        fragment = crowd.get(**{"X-Fragment": "true"})
        assert "<html" not in fragment.text
        assert 'data-error="overloaded"' in fragment.text
        assert crowd.get("/healthz").status_code == 200
        assert crowd.get("/static/css/base.css").status_code == 200
        crowd.go_on.set()
        assert [each.result().text for each in served] == ["done", "done"]
    assert crowd.get().text == "done"


def test_waiting_request_is_refused_after_the_timeout(crowd: Crowd) -> None:
    crowd.queue_timeout(0.05)
    with ThreadPoolExecutor() as pool:
        inside, waits = full(crowd, pool)
        assert waits.result().status_code == 503
        crowd.go_on.set()
        assert inside.result().text == "done"


def test_every_kind_of_response_frees_its_place(crowd: Crowd) -> None:
    crowd.go_on.set()
    for path, status in (("/fail", 500), ("/history?limit=0", 400), ("/history.csv", 200), ("/stay", 200)):
        for _ in range(3):
            assert crowd.get(path).status_code == status


def test_streamed_response_occupies_no_place(crowd: Crowd) -> None:
    client = crowd.app.test_client()
    with client.get("/history.csv", buffered=False) as slow:
        assert crowd.get("/history").status_code == 200
        assert slow.status_code == 200


def test_without_a_queue_only_places_count() -> None:
    admission = AdmissionControl(1, 0)
    assert admission.enter()
    assert not admission.enter()
    admission.leave()
    assert admission.enter()


def test_requests_are_admitted_in_the_order_of_arrival() -> None:
    admission, order = AdmissionControl(1, 3), []
    assert admission.enter()

    def visit(number: int) -> None:
        assert admission.enter()
        order.append(number)
        admission.leave()

    with ThreadPoolExecutor() as pool:
        visits = []
        for number in range(3):
            visits.append(pool.submit(visit, number))
            while len(admission._queue) <= number:
                time.sleep(0.001)
        admission.leave()
    assert [visit.exception() for visit in visits] == [None] * 3
    assert order == [0, 1, 2]
    assert admission.enter()
