"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set; this is imported only then.

A trace has a request and its statements. OpenTelemetry's own instrumentation of Flask and SQLAlchemy also
tells addresses, paths and what a database says of a row, and fails for untrusted hosts: hence this.
"""

import os
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy import Engine, ExceptionContext, event

from mnistweb.config import ConfigError
from mnistweb.database.models import Prediction
from mnistweb.observability.signals import predicted

try:
    from opentelemetry import context, trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    raise ConfigError('OTEL_EXPORTER_OTLP_ENDPOINT needs pip install "mnistweb[otel]".') from error

EXTENSION = "mnistweb-tracing"
NOBODY_ASKS = {"health.live", "health.ready", "metrics.show", "static"}
"""Endpoints that are asked all the time, and tell nothing."""
METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
LONGEST_STATEMENT = 1000
EXPORT_SECONDS = 2.0
"""How long an export may take with all its attempts: a process that ends waits for two."""


class Requests:
    """Spans of requests: what they were, never who asked, nor with what."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    def begin(self) -> None:
        """Go on with the trace that the request names, or begin one."""
        if request.endpoint in NOBODY_ASKS:
            return
        method = request.method if request.method in METHODS else "_OTHER"
        attributes = {"http.request.method": method}
        name = "HTTP" if method == "_OTHER" else method
        if request.url_rule:
            attributes["http.route"] = request.url_rule.rule
            name = f"{name} {request.url_rule.rule}"
        parent = self._propagator.extract(request.headers)
        span = self._tracer.start_span(name, parent, SpanKind.SERVER, attributes)
        g.span = span, context.attach(trace.set_span_in_context(span))

    def tell(self, response: Response) -> Response:
        """Note how it ended."""
        if "span" in g:
            span, _ = g.span
            span.set_attribute("http.response.status_code", response.status_code)
            span.set_attribute("mnistweb.request_id", g.get("request_id", ""))
            if code := g.get("error_code"):
                span.set_attribute("error.type", code)
            if response.status_code >= 500:
                span.set_status(StatusCode.ERROR)
        return response

    def end(self, _: BaseException | None) -> None:
        """Let it go."""
        if "span" in g:
            span, token = g.pop("span")
            context.detach(token)
            span.end()


class Statements:
    """Spans of what a request asks of the database: with placeholders, never with values."""

    def __init__(self, tracer: trace.Tracer, engine: Engine) -> None:
        self._tracer = tracer
        self._system = engine.dialect.name
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(self, *told: Any) -> None:
        _connection, _cursor, statement, _parameters, execution, _many = told
        if execution is not None and trace.get_current_span().is_recording():
            execution.span = self._tracer.start_span(
                statement.split(maxsplit=1)[0],
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": self._system, "db.query.text": statement[:LONGEST_STATEMENT]},
            )

    def _end(self, *told: Any) -> None:
        execution = told[4]
        if span := getattr(execution, "span", None):
            span.end()

    def _fail(self, failure: ExceptionContext) -> None:
        if span := getattr(failure.execution_context, "span", None):
            # Its message would repeat the row.
            span.set_attribute("error.type", type(failure.original_exception).__name__)
            span.set_status(StatusCode.ERROR)
            span.end()


def _tell_steps(_: Flask, prediction: Prediction, seconds: dict[str, float]) -> None:
    span = trace.get_current_span()
    span.set_attribute("mnistweb.model", prediction.model)
    for step, spent in seconds.items():
        span.set_attribute(f"mnistweb.seconds.{step}", spent)


def trace_headers() -> dict[str, str]:
    """Headers by which another server can go on with this request's trace."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


def init_app(app: Flask, engine: Engine) -> None:
    """Trace from now on, before any other hook, what the application does; `start` sends it."""
    resource = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "mnistweb")})
    app.extensions[EXTENSION] = provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracer = provider.get_tracer("mnistweb")
    requests = Requests(tracer)
    app.before_request(requests.begin)
    app.after_request(requests.tell)
    app.teardown_request(requests.end)
    predicted.connect(_tell_steps, sender=app)
    Statements(tracer, engine)


def start(app: Flask, exporter: SpanExporter | None = None) -> None:
    """Send from this process what is traced, by a thread, which a fork would lose."""
    address = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"
    processor = BatchSpanProcessor(exporter or OTLPSpanExporter(address, timeout=EXPORT_SECONDS))
    app.extensions[EXTENSION].add_span_processor(processor)


def stop(app: Flask) -> None:
    """Send what is left."""
    app.extensions[EXTENSION].shutdown()
