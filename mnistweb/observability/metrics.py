"""Counts and times for Prometheus at /metrics, where METRICS_TOKEN is set; this is imported only then.

Under gunicorn each process counts in files of PROMETHEUS_MULTIPROC_DIR, and any of them tells the sums.
"""

import hmac
import os
from functools import cache
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from mnistweb.database.models import Prediction
from mnistweb.observability.access_log import RequestRecord
from mnistweb.observability.signals import answered, labelled, predicted

REQUESTS = Counter("mnistweb_requests", "Requests that were answered.", ["route", "method", "status"])
ERRORS = Counter("mnistweb_errors", "Answers that were errors, by their code.", ["code"])
LATENCY = Histogram(
    "mnistweb_request_seconds",
    "From a request's arrival at the application to the end of its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STEPS = Histogram(
    "mnistweb_step_seconds",
    "The steps of a prediction: decode, preprocess, forward, save.",
    ["step"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10),
)
PREDICTIONS = Counter(
    "mnistweb_predictions", "Drawings that were read, by what was answered.", ["model", "answer"]
)
UNSAVED = Counter("mnistweb_unsaved_predictions", "Drawings that were read, but could not be saved.")
FEEDBACK = Counter("mnistweb_feedback", "What authors said of the answers.", ["verdict"])
POOL = Gauge(
    "mnistweb_database_connections_in_use",
    "Database connections that are at work.",
    multiprocess_mode="livesum",
)
METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
blueprint = Blueprint("metrics", __name__)

# A child is looked up faster here than by its labels.
_requests = cache(REQUESTS.labels)
_errors = cache(ERRORS.labels)
_latency = cache(LATENCY.labels)
_steps = cache(STEPS.labels)
_predictions = cache(PREDICTIONS.labels)
_feedback = cache(FEEDBACK.labels)


@blueprint.get("/metrics")
def show() -> ResponseReturnValue:
    """Everything that was counted, to whoever has the token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(token.strip().encode(), current_app.config["METRICS_TOKEN"].encode())
    if scheme.lower() != "bearer" or not right:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "metrics"}))
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _count_request(_: Flask, visit: RequestRecord) -> None:
    # What clients make up, methods and addresses, must not become ever more series.
    route = visit.route or "none"
    method = visit.method if visit.method in METHODS else "other"
    _requests(route, method, visit.status).inc()
    _latency(route).observe(visit.seconds)
    if visit.error:
        _errors(visit.error).inc()


def _count_prediction(_: Flask, prediction: Prediction, seconds: dict[str, float]) -> None:
    digit = prediction.digit
    _predictions(prediction.model, "none" if digit is None else digit).inc()
    if not prediction.saved:
        UNSAVED.inc()
    for step, spent in seconds.items():
        _steps(step).observe(spent)


def _count_verdict(_: Flask, verdict: str) -> None:
    _feedback(verdict).inc()


def _take(_: Any, record: ConnectionPoolEntry, __: Any) -> None:
    _info(record)[POOL] = True
    POOL.inc()


def _give_back(_: Any, record: ConnectionPoolEntry) -> None:
    # A connection that broke and could not be made anew comes back without having been taken.
    if _info(record).pop(POOL, False):
        POOL.dec()


def _info(record: ConnectionPoolEntry) -> dict[Any, Any]:
    return cast(dict[Any, Any], record.record_info)  # which is made when it is first asked for


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def init_app(app: Flask, engine: Engine) -> None:
    """Count from now on what the application does, and show it at /metrics."""
    app.register_blueprint(blueprint)
    answered.connect(_count_request, sender=app)
    predicted.connect(_count_prediction, sender=app)
    labelled.connect(_count_verdict, sender=app)
    event.listen(engine, "checkout", _take)
    event.listen(engine, "checkin", _give_back)
