"""Traces for OpenTelemetry. Imported only if OTEL_EXPORTER_OTLP_ENDPOINT is set.

A trace has a span for the request and one for each statement. OpenTelemetry's own instrumentation of Flask
and SQLAlchemy is not used: it exports addresses, paths and the rows in errors, and fails for untrusted hosts.
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
UNTRACED = {"health.live", "health.ready", "metrics.show"}
"""Endpoints that are requested all the time."""
METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
MAX_STATEMENT = 1000
"""Characters of a statement in its span."""
EXPORT_TIMEOUT = 2.0
"""Seconds of an export with all its attempts. A process that ends waits for two exports."""


class RequestSpans:
    """Spans of requests, without client and content."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    def begin(self) -> None:
        """Continue the trace in the request's headers, or begin one."""
        if request.endpoint in UNTRACED:
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

    def record(self, response: Response) -> Response:
        """Record the status of the response."""
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
        """End the span."""
        if "span" in g:
            span, token = g.pop("span")
            context.detach(token)
            span.end()


class StatementSpans:
    """Spans of a request's statements, with placeholders instead of values."""

    def __init__(self, tracer: trace.Tracer, engine: Engine) -> None:
        self._tracer = tracer
        self._system = engine.dialect.name
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(self, *details: Any) -> None:
        _connection, _cursor, statement, _parameters, execution, _many = details
        if execution is not None and trace.get_current_span().is_recording():
            execution.span = self._tracer.start_span(
                statement.split(maxsplit=1)[0],
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": self._system, "db.query.text": statement[:MAX_STATEMENT]},
            )

    def _end(self, *details: Any) -> None:
        execution = details[4]
        if span := getattr(execution, "span", None):
            span.end()

    def _fail(self, failure: ExceptionContext) -> None:
        if span := getattr(failure.execution_context, "span", None):
            # The message of the error may contain the row, so only its type is recorded.
            span.set_attribute("error.type", type(failure.original_exception).__name__)
            span.set_status(StatusCode.ERROR)
            span.end()


def _record_steps(_: Flask, prediction: Prediction, seconds: dict[str, float]) -> None:
    span = trace.get_current_span()
    span.set_attribute("mnistweb.model", prediction.model)
    for step, spent in seconds.items():
        span.set_attribute(f"mnistweb.seconds.{step}", spent)


def trace_headers() -> dict[str, str]:
    """Return headers with which another server continues this request's trace."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


def init_app(app: Flask, engine: Engine) -> None:
    """Trace requests, before any other hook. `start` exports the spans."""
    resource = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "mnistweb")})
    app.extensions[EXTENSION] = provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracer = provider.get_tracer("mnistweb")
    requests = RequestSpans(tracer)
    app.before_request(requests.begin)
    app.after_request(requests.record)
    app.teardown_request(requests.end)
    predicted.connect(_record_steps, sender=app)
    StatementSpans(tracer, engine)


def start(app: Flask, exporter: SpanExporter | None = None) -> None:
    """Export the spans of this process, in a thread. Call it after a fork, which loses threads."""
    address = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"
    processor = BatchSpanProcessor(exporter or OTLPSpanExporter(address, timeout=EXPORT_TIMEOUT))
    app.extensions[EXTENSION].add_span_processor(processor)


def stop(app: Flask) -> None:
    """Export the remaining spans."""
    app.extensions[EXTENSION].shutdown()
