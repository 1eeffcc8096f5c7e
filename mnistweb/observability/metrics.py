"""Metrics for Prometheus at /metrics. Imported only if METRICS_TOKEN is set.

Under gunicorn each process counts in files of PROMETHEUS_MULTIPROC_DIR, and each can return the sums.
"""

import hmac
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
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
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from mnistweb.database.models import Prediction
from mnistweb.observability.access_log import RequestRecord
from mnistweb.observability.signals import answered, followed, labelled, predicted

REQUESTS = Counter("mnistweb_requests", "Requests with a response.", ["route", "method", "status"])
ERRORS = Counter("mnistweb_errors", "Error responses, by code.", ["code"])
LATENCY = Histogram(
    "mnistweb_request_seconds",
    "Seconds from the arrival of a request at the application to the end of its response.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STEPS = Histogram(
    "mnistweb_step_seconds",
    "Seconds of each step of a prediction: decode, preprocess, forward, save.",
    ["step"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10),
)
PREDICTIONS = Counter("mnistweb_predictions", "Predictions, by model and digit.", ["model", "answer"])
ANSWERS = Counter("mnistweb_answers", "Answers, by model and certainty.", ["model", "certainty"])
UNSAVED = Counter("mnistweb_unsaved_predictions", "Predictions that could not be saved.")
FEEDBACK = Counter("mnistweb_feedback", "Feedback of authors.", ["verdict"])
POOL = Gauge(
    "mnistweb_database_connections_in_use",
    "Database connections in use.",
    multiprocess_mode="livesum",
)
MODELS = Gauge(
    "mnistweb_model_processes",
    "Processes that go by this version of a model.",
    ["model", "version"],
    multiprocess_mode="livesum",
)
REFRESHES = Counter(
    "mnistweb_model_refreshes",
    "Attempts to take up the live version of a model, by outcome: taken_up, failed, unreachable.",
    ["model", "outcome"],
)
DRIFT = Gauge(
    "mnistweb_drift",
    "Change of the latest days against the reference days: the difference of a share, or the population"
    " stability index of a distribution; NaN with too few drawings.",
    ["measure"],
    multiprocess_mode="livemostrecent",
)
DRIFT_NOTICED = Gauge(
    "mnistweb_drift_noticed",
    "1 if that change is large, and more than chance.",
    ["measure"],
    multiprocess_mode="livemostrecent",
)
DRIFT_SOURCE = "mnistweb.drift_source"
METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
blueprint = Blueprint("metrics", __name__)

# A cache finds the child of some labels faster than labels() does.
_requests = cache(REQUESTS.labels)
_errors = cache(ERRORS.labels)
_latency = cache(LATENCY.labels)
_steps = cache(STEPS.labels)
_predictions = cache(PREDICTIONS.labels)
_answers = cache(ANSWERS.labels)
_feedback = cache(FEEDBACK.labels)
_versions: dict[str, str] = {}
"""The version of each model that this process answers with."""


@blueprint.get("/metrics")
def show() -> ResponseReturnValue:
    """Return all metrics to a client with the token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    valid = hmac.compare_digest(token.strip().encode(), current_app.config["METRICS_TOKEN"].encode())
    if scheme.lower() != "bearer" or not valid:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "metrics"}))
    _set_drift()
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _set_drift() -> None:
    # The engine logs an outage of the database; all other metrics are due then, too.
    with suppress(SQLAlchemyError):
        for measure, size, noticed in current_app.extensions[DRIFT_SOURCE]():
            DRIFT.labels(measure).set(size)
            DRIFT_NOTICED.labels(measure).set(noticed)


def _count_request(_: Flask, record: RequestRecord) -> None:
    # Methods and paths that clients make up must not create new series.
    route = record.route or "none"
    method = record.method if record.method in METHODS else "other"
    _requests(route, method, record.status).inc()
    _latency(route).observe(record.seconds)
    if record.error:
        _errors(record.error).inc()


def _count_prediction(_: Flask, prediction: Prediction, seconds: dict[str, float]) -> None:
    digit = prediction.digit
    _predictions(prediction.model, "none" if digit is None else digit).inc()
    _answers(prediction.model, prediction.certainty).inc()
    if not prediction.saved:
        UNSAVED.inc()
    for step, spent in seconds.items():
        _steps(step).observe(spent)


def _count_feedback(_: Flask, verdict: str) -> None:
    _feedback(verdict).inc()


def _count_refresh(_: Flask, model: str, version: str, outcome: str) -> None:
    if outcome != "started":
        REFRESHES.labels(model, outcome).inc()
    if (before := _versions.get(model)) and before != version:
        MODELS.labels(model, before).set(0)
    MODELS.labels(model, version).set(1)
    _versions[model] = version


def _checkout(_: Any, record: ConnectionPoolEntry, __: Any) -> None:
    _info(record)[POOL] = True
    POOL.inc()


def _checkin(_: Any, record: ConnectionPoolEntry) -> None:
    # A connection that broke and could not be replaced is checked in without a checkout.
    if _info(record).pop(POOL, False):
        POOL.dec()


def _info(record: ConnectionPoolEntry) -> dict[Any, Any]:
    return cast(dict[Any, Any], record.record_info)  # which the record makes on first access


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def init_app(app: Flask, engine: Engine, drift: Callable[[], Iterable[tuple[str, float, bool]]]) -> None:
    """Start to count, and add the route /metrics.

    `drift` returns each measure with its change, and whether that is noticed.
    """
    app.register_blueprint(blueprint)
    app.extensions[DRIFT_SOURCE] = drift
    answered.connect(_count_request, sender=app)
    predicted.connect(_count_prediction, sender=app)
    labelled.connect(_count_feedback, sender=app)
    followed.connect(_count_refresh, sender=app)
    event.listen(engine, "checkout", _checkout)
    event.listen(engine, "checkin", _checkin)
