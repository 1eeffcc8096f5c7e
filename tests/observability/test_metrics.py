"""Metrics for Prometheus: access by token, and the sums of all processes."""

import http.client
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from mnistweb.extensions import db
from mnistweb.observability.signals import followed
from mnistweb.predictions.drift import Drift, Windows
from mnistweb.predictions.drift_statistics import ShareDrift
from mnistweb.proportion import Proportion
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.clients import predict
from tests.support.drawings import data_url, digit_png
from tests.support.faults import broken_log
from tests.support.rows import NOON
from tests.support.sites import SECRET, migrated_site

TOKEN = "only-for-these-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ROOT = Path(__file__).parents[2]
Series = dict[str, float]


def series(text: str) -> Series:
    """Map each sample, as `name{label="value"}` with sorted labels, to its value."""
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> str:
    return f"{name}{json.dumps(labels, sort_keys=True)}"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A site with metrics."""
    with migrated_site(tmp_path_factory.mktemp("watched"), METRICS_TOKEN=TOKEN) as app:
        yield app


@pytest.fixture
def visitor(watched: Flask) -> FlaskClient:
    return watched.test_client()


def scrape(client: FlaskClient) -> Series:
    response = client.get("/metrics", headers=BEARER)
    assert response.status_code == 200
    assert response.mimetype == "text/plain"
    return series(response.text)


def test_metrics_are_off_without_a_token(client: FlaskClient) -> None:
    assert client.get("/metrics", headers=BEARER).status_code == 404


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_metrics_require_the_token(visitor: FlaskClient, given: str | None) -> None:
    response = visitor.get("/metrics", headers={} if given is None else {"Authorization": given})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert "mnistweb_requests" not in response.text


def test_requests_predictions_and_feedback_are_counted(visitor: FlaskClient) -> None:
    before = scrape(visitor)
    body = predict(visitor, 3)
    for label in (3, 3, 8):  # repeated feedback counts once
        visitor.post(f"/api/v1/predictions/{body['id']}/feedback", json={"label": label})
    visitor.get(f"/predictions/{body['id']}")
    visitor.get("/nothing/1")
    visitor.get("/nothing/2")
    visitor.open("/healthz", method="BREW")
    visitor.get("/static/css/base.css")
    after = scrape(visitor)

    def grown(name: str, **labels: str) -> float:
        return after[key(name, **labels)] - before.get(key(name, **labels), 0)

    asked = {"route": "/api/v1/predictions", "method": "POST", "status": "201"}
    assert grown("mnistweb_requests_total", **asked) == 1
    assert grown("mnistweb_requests_total", route="none", method="GET", status="404") == 2
    assert grown("mnistweb_requests_total", route="none", method="other", status="405") == 1
    assert grown("mnistweb_request_seconds_count", route="/predictions/<uuid:prediction_id>") == 1
    assert grown("mnistweb_request_seconds_sum", route="/api/v1/predictions") > 0
    assert grown("mnistweb_predictions_total", model="cnn", answer="3") == 1
    assert grown("mnistweb_answers_total", model="cnn", certainty="sure") == 1
    assert grown("mnistweb_feedback_total", verdict="right") == 1
    assert grown("mnistweb_feedback_total", verdict="wrong") == 1
    assert grown("mnistweb_errors_total", code="not_found") == 2
    steps = ("decode", "preprocess", "forward", "save")
    assert [grown("mnistweb_step_seconds_count", step=step) for step in steps] == [1, 1, 1, 1]
    spent = sum(grown("mnistweb_step_seconds_sum", step=step) for step in steps)
    assert 0 < spent < grown("mnistweb_request_seconds_sum", route="/api/v1/predictions")
    assert "/nothing" not in "".join(after)
    assert "/static" not in "".join(after)


def test_drift_is_measured_without_a_verdict_on_few_drawings(watched: Flask, visitor: FlaskClient) -> None:
    found = scrape(visitor)
    assert math.isnan(found[key("mnistweb_drift", measure="ink")])
    assert found[key("mnistweb_drift_noticed", measure="ink")] == 0


def test_drift_is_measured(watched: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = ShareDrift(Proportion(50, 1000), Proportion(150, 1000))
    drift = Drift("cnn", Windows.before(NOON.date(), 7, 28), [], {"ink": measured})  # type: ignore[dict-item]
    monkeypatch.setattr("mnistweb.predictions.drift.current_drift", lambda: drift)
    found = scrape(visitor)
    assert found[key("mnistweb_drift", measure="ink")] == pytest.approx(0.1)
    assert found[key("mnistweb_drift_noticed", measure="ink")] == 1


def test_metrics_are_shown_while_the_database_fails(
    visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Drift:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr("mnistweb.predictions.drift.current_drift", fail)
    assert key("mnistweb_unsaved_predictions_total") in scrape(visitor)


def test_unsaved_prediction_is_counted(visitor: FlaskClient) -> None:
    before = scrape(visitor)
    with broken_log():
        visitor.post("/api/v1/predictions", json={"image": data_url(digit_png())})
    name = key("mnistweb_unsaved_predictions_total")
    assert scrape(visitor)[name] - before[name] == 1


def test_connections_in_use_are_counted_until_checkin(watched: Flask, visitor: FlaskClient) -> None:
    name = key("mnistweb_database_connections_in_use")
    before = scrape(visitor)[name]
    with watched.app_context():
        connection = db.engine.connect()
        assert scrape(visitor)[name] - before == 1
        connection.invalidate()
        connection.close()
    assert scrape(visitor)[name] == before


def test_a_site_without_metrics_counts_nothing(client: FlaskClient, visitor: FlaskClient) -> None:
    before = scrape(visitor)
    predict(client)
    asked = key("mnistweb_requests_total", route="/api/v1/predictions", method="POST", status="201")
    assert scrape(visitor).get(asked) == before.get(asked)


@pytest.mark.process
def test_clients_of_metrics_and_traces_are_imported_only_if_needed() -> None:
    check = (
        "import mnistweb.app; mnistweb.app.create_app({}); import sys; "
        "print({'prometheus_client', 'opentelemetry'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", check],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"METRICS_TOKEN": "", "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    )
    assert found.stdout.strip() == "set()"


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=BEARER)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_versions_of_models_are_counted(watched: Flask, visitor: FlaskClient) -> None:
    for version, outcome in (("1", "started"), ("1", "failed"), ("2", "taken_up")):
        followed.send(watched, model="lenet5", version=version, outcome=outcome)
    counted = scrape(visitor)
    assert counted[key("mnistweb_model_processes", model="lenet5", version="1")] == 0
    assert counted[key("mnistweb_model_processes", model="lenet5", version="2")] == 1
    assert counted[key("mnistweb_model_refreshes_total", model="lenet5", outcome="taken_up")] == 1
    assert counted[key("mnistweb_model_refreshes_total", model="lenet5", outcome="failed")] == 1
    assert key("mnistweb_model_refreshes_total", model="lenet5", outcome="started") not in counted


@pytest.mark.process
def test_processes_of_gunicorn_count_together_and_log_json(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "ENVIRONMENT": "production",
        "INSTANCE_PATH": str(tmp_path),
        "METRICS_TOKEN": TOKEN,
        "PORT": str(port),
        "SECRET_KEY": SECRET,
        "TMPDIR": str(folder),
        "WORKERS": "2",
    }
    log = tmp_path / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
            cwd=ROOT,
            env=os.environ | settings,
            stderr=stream,
        )
        try:
            until = time.monotonic() + 120
            while "Booting worker" not in log.read_text() and time.monotonic() < until:
                time.sleep(0.1)

            def count() -> Series:
                return series(get(port, "/metrics"))

            name = key("mnistweb_requests_total", route="/healthz", method="GET", status="200")
            for _ in range(40):
                get(port, "/healthz")
            assert count()[name] == 40
            # A worker dies: its counts remain, and another one starts.
            pids = re.findall(r"Booting worker with pid: (\d+)", log.read_text())
            os.kill(int(pids[0]), signal.SIGKILL)
            while len(re.findall("Booting worker", log.read_text())) < 3 and time.monotonic() < until:
                time.sleep(0.1)
            for _ in range(10):
                get(port, "/healthz")
            assert count()[name] == 50
            version = read_card(WEIGHTS / "cnn.json").version
            assert count()[key("mnistweb_model_processes", model="cnn", version=version)] == 2
            (kept,) = folder.glob("mnistweb-metrics-*")
            assert not list(kept.glob(f"gauge_live*_{pids[0]}.db"))
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert not list(folder.glob("mnistweb-metrics-*"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {
        "gunicorn.error",
        "mnistweb.observability.access_log",
        "mnistweb.registry.follower",  # the database has no tables
    } == {line["logger"] for line in lines}
    assert sum(line.get("route") == "/healthz" for line in lines) == 50
