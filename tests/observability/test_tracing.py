"""Traces of requests and their statements, from every process, without data of visitors."""

import gzip
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mnistweb.app import create_app
from mnistweb.config import ConfigError
from mnistweb.extensions import db
from mnistweb.observability import tracing
from tests.support.clients import predict
from tests.support.databases import run_on_both_databases
from tests.support.drawings import data_url, digit_png
from tests.support.sites import SECRET, migrated_site

ROOT = Path(__file__).parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
pytest_generate_tests = run_on_both_databases


@pytest.fixture(scope="module")
def traced(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, InMemorySpanExporter]]:
    """A site whose spans are kept in memory."""
    settings = {
        "DATABASE_URL": database_url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "TRUSTED_HOSTS": "localhost",
    }
    with migrated_site(tmp_path_factory.mktemp("traced"), **settings) as app:
        exporter = InMemorySpanExporter()
        tracing.start(app, exporter)
        yield app, exporter
        tracing.stop(app)


@pytest.fixture
def client(traced: tuple[Flask, InMemorySpanExporter]) -> FlaskClient:
    traced[0].extensions[tracing.EXTENSION].force_flush()
    traced[1].clear()
    return traced[0].test_client()


class Spans:
    """The spans so far."""

    def __init__(self, app: Flask, exporter: InMemorySpanExporter) -> None:
        self._app, self._exporter = app, exporter

    def all(self) -> list[ReadableSpan]:
        self._app.extensions[tracing.EXTENSION].force_flush()
        return list(self._exporter.get_finished_spans())

    def of(self, kind: SpanKind) -> list[ReadableSpan]:
        return [span for span in self.all() if span.kind is kind]


@pytest.fixture
def spans(traced: tuple[Flask, InMemorySpanExporter]) -> Spans:
    return Spans(*traced)


def test_prediction_is_one_trace_with_its_statements(client: FlaskClient, spans: Spans) -> None:
    predict(client, 3)
    (asked,) = spans.of(SpanKind.SERVER)
    statements = spans.of(SpanKind.CLIENT)
    assert asked.name == "POST /api/v1/predictions"
    assert asked.attributes is not None
    assert asked.attributes["http.response.status_code"] == 201
    assert asked.attributes["mnistweb.model"] == "cnn"
    for step in ("decode", "preprocess", "forward", "save"):
        assert 0 < float(str(asked.attributes[f"mnistweb.seconds.{step}"])) < 10
    texts = [str((span.attributes or {})["db.query.text"]) for span in statements]
    assert sum("INSERT INTO prediction" in text for text in texts) == 1
    assert all(text.startswith(span.name) for text, span in zip(texts, statements, strict=True))
    assert {span.parent.span_id for span in statements if span.parent} == {asked.context.span_id}
    assert {span.context.trace_id for span in statements} == {asked.context.trace_id}


def test_spans_contain_nothing_of_visitors_and_drawings(client: FlaskClient, spans: Spans) -> None:
    picture = data_url(digit_png(4))
    body = client.post(
        "/api/v1/predictions",
        json={"image": picture},
        headers={"User-Agent": "Netscape", "Idempotency-Key": "as-secret-as-a-password"},
        environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
    ).get_json()
    client.post(f"/api/v1/predictions/{body['id']}/feedback", json={"label": 4})
    client.get(f"/predictions/{body['id']}?from=nowhere")
    client.get("/nothing/of/that/kind")
    visitor = client.get_cookie("visitor")
    assert visitor is not None
    told = " ".join(span.to_json() for span in spans.all())
    private = [
        body["id"],
        body["id"].replace("-", ""),
        visitor.value,
        visitor.value.split(".")[0],
        picture[30:90],
    ]
    for text in [*private, "Netscape", "as-secret", "203.0.113.7", "nowhere", "/nothing", "sqlite3"]:
        assert text not in told
    assert "INSERT INTO prediction" in told
    assert "/predictions/<uuid:prediction_id>" in told


def test_failed_statement_has_the_type_of_its_error_only(
    client: FlaskClient, spans: Spans, traced: tuple[Flask, InMemorySpanExporter]
) -> None:
    with traced[0].app_context():
        db.session.execute(db.text("ALTER TABLE prediction RENAME TO elsewhere"))
        db.session.commit()
    try:
        client.post("/api/v1/predictions", json={"image": data_url(digit_png(5))})
    finally:
        with traced[0].app_context():
            db.session.execute(db.text("ALTER TABLE elsewhere RENAME TO prediction"))
            db.session.commit()
    (failed, *_) = [span for span in spans.of(SpanKind.CLIENT) if span.status.status_code is StatusCode.ERROR]
    assert failed.attributes is not None
    assert failed.attributes["error.type"] in ("OperationalError", "UndefinedTable")
    assert failed.status.description is None
    assert not failed.events


def test_trace_of_another_server_is_continued(client: FlaskClient, spans: Spans) -> None:
    client.get("/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    (asked,) = spans.of(SpanKind.SERVER)
    assert f"{asked.context.trace_id:032x}" == TRACE
    assert asked.parent is not None
    assert f"{asked.parent.span_id:016x}" == PARENT


def test_unsampled_trace_is_not_recorded(client: FlaskClient, spans: Spans) -> None:
    assert client.get("/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}).status_code == 200
    predicted = client.post(
        "/api/v1/predictions",
        json={"image": data_url(digit_png())},
        headers={"traceparent": f"00-{TRACE}-{PARENT}-00"},
    )
    assert predicted.status_code == 201
    assert spans.all() == []


@pytest.mark.parametrize("given", ["", "00", "00-0-0-01", f"00-{'0' * 32}-{PARENT}-01", "\u00e9" * 55])
def test_malformed_trace_header_is_ignored(client: FlaskClient, spans: Spans, given: str) -> None:
    assert client.get("/models", headers={"traceparent": given}).status_code == 200
    (asked,) = spans.of(SpanKind.SERVER)
    assert asked.parent is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/css/base.css"])
def test_probes_and_static_files_are_not_traced(client: FlaskClient, spans: Spans, path: str) -> None:
    with client.get(path) as response:
        assert response.status_code == 200
    assert spans.all() == []


def test_early_refusal_is_traced_with_its_code(client: FlaskClient, spans: Spans) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.open("/nothing", method="BREW").status_code == 404
    asked = {span.name: span.attributes or {} for span in spans.of(SpanKind.SERVER)}
    assert asked["GET"]["http.response.status_code"] == 400
    assert asked["HTTP"]["error.type"] == "not_found"
    assert asked["HTTP"]["http.request.method"] == "_OTHER"


def test_missing_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mnistweb.observability.tracing")
    monkeypatch.delattr("mnistweb.observability.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError, match=r"mnistweb\[otel\]"):
        create_app({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


class Collector(ThreadingHTTPServer):
    """A collector of spans."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.services: set[str] = set()
        super().__init__(("127.0.0.1", 0), _Taking)


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces"
        for traces in ExportTraceServiceRequest.FromString(body).resource_spans:
            for attribute in traces.resource.attributes:
                if attribute.key == "service.name":
                    self.server.services.add(attribute.value.string_value)
            self.server.names += [span.name for scope in traces.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def served(folder: Path, endpoint: str) -> tuple[int, str]:
    """Send forty requests to gunicorn; return the number of successes, and its log."""
    port = free_port()
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "INSTANCE_PATH": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "PORT": str(port),
        "SECRET_KEY": SECRET,
        "WORKERS": "2",
    }
    log = folder / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
            cwd=ROOT,
            env=os.environ | settings,
            stderr=stream,
        )
        try:
            until = time.monotonic() + 120
            while len(re.findall("Booting worker", log.read_text())) < 2 and time.monotonic() < until:
                time.sleep(0.1)
            answered = sum(get(port, "/models") == 200 for _ in range(40))
        finally:
            server.terminate()
            server.wait(timeout=30)
    return answered, log.read_text()


@pytest.mark.process
def test_processes_of_gunicorn_export_all_their_spans(tmp_path: Path) -> None:
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    try:
        answered, log = served(tmp_path, f"http://127.0.0.1:{collector.server_port}/")
    finally:
        collector.shutdown()
        collector.server_close()
    assert answered == 40
    assert collector.names.count("GET /models") == 40
    assert collector.services == {"mnistweb"}
    assert "Traceback" not in log


def test_unreachable_collector_delays_neither_requests_nor_exit(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    app = create_app(
        {"INSTANCE_PATH": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "SECRET_KEY": SECRET}
    )
    tracing.start(app)
    began = time.monotonic()
    assert app.test_client().get("/models").status_code == 200
    tracing.stop(app)
    assert time.monotonic() - began < 2 * tracing.EXPORT_TIMEOUT + 1
    with app.app_context():
        db.engine.dispose()
