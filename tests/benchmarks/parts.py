"""`python -m tests.benchmarks.parts`: processor time of each part of a prediction, within a request.

A part that is repeated alone takes half as long, because its data stays in the caches. In a request, the
other parts displace it. Flask and the hooks are measured that way too, beside a plain route of Flask.
"""

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import flask_migrate
import pytest
import torch
from flask import Flask, Response, jsonify, request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.database.models import Source
from mnistweb.extensions import db
from mnistweb.predictions.service import recognize_and_save
from mnistweb.recognition.decoding import decode_base64_image
from tests.benchmarks.bench import DRAWINGS, site_settings
from tests.support.postgres import postgres

ROUNDS = 20
READ, INK = "reading the picture", "finding its ink"
REST, WHOLE, BARE = "Flask and its hooks", "whole", "bare route"
ALONE, PLAIN = "Flask and its hooks, repeated alone", "a plain route of Flask, repeated alone"
PARTS = {
    "base64": "mnistweb.api.schemas.decode_base64_image",
    READ: "mnistweb.predictions.service.read_drawing",
    INK: "mnistweb.recognition.decoding.find_ink",
    "to 28x28": "mnistweb.predictions.service.normalize",
    "forward pass, answer": "mnistweb.recognition.recognizer.TorchScriptRecognizer.recognize",
    "encoding the drawing": "mnistweb.predictions.service.drawing_to_store",
    "saving": "mnistweb.predictions.service.insert",
}


def timed(name: str, function: Callable[..., Any], times: dict[str, list[float]]) -> Callable[..., Any]:
    """Wrap a function so that it records the microseconds of its thread."""

    def call(*arguments: Any, **named: Any) -> Any:
        started = time.thread_time_ns()
        try:
            return function(*arguments, **named)
        finally:
            times[name].append((time.thread_time_ns() - started) / 1000)

    return call


def post_all(app: Callable[..., Any], path: str) -> None:
    """Post all drawings, as a server does."""
    for drawing in DRAWINGS:
        environ = EnvironBuilder(path, method="POST", json={"image": drawing}).get_environ()
        _, status, _ = run_wsgi_app(app, environ)
        if not status.startswith("201"):
            raise RuntimeError(status)


def measure(site: Flask, bare: Flask) -> dict[str, float]:
    """Measure median microseconds of each part, of a whole request, and of the bare route, in turns."""
    times: dict[str, list[float]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        for name, target in PARTS.items():
            patch.setattr(target, timed(name, resolve_name(target), times))
        for number in range(ROUNDS + 1):
            if number == 1:
                times.clear()  # the first round warms up
            post_all(timed(WHOLE, site, times), "/api/v1/predictions")
            post_all(timed(BARE, bare, times), "/echo")
    # Of each request, because the median of a sum is not the sum of the medians.
    times[READ] = [read - ink for read, ink in zip(times[READ], times[INK], strict=True)]
    parts = zip(*(times[name] for name in PARTS), strict=True)
    times[REST] = [whole - sum(each) for whole, each in zip(times[WHOLE], parts, strict=True)]
    return {name: statistics.median(values) for name, values in times.items()}


def plain_flask() -> Flask:
    """Return an application whose only route does nothing but read and write JSON of the API's kind."""
    app = Flask(__name__)

    @app.post("/api/v1/predictions")
    def predict() -> tuple[Response, int]:
        drawing = request.get_json()
        return jsonify(model="cnn", digit=4, probabilities=[0.1] * 10, image=len(drawing["image"])), 201

    return app


def measure_alone(site: Flask) -> dict[str, float]:
    """Measure median microseconds of a request that recognizes and saves nothing, and of plain Flask."""
    times: dict[str, list[float]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        with site.test_request_context():
            drawing = decode_base64_image(DRAWINGS[0], site.config["MAX_IMAGE_BYTES"])
            prediction = recognize_and_save(drawing, visitor="benchmark", source=Source.API)
        patch.setattr("mnistweb.api.views.recognize_and_save", lambda *_, **__: prediction)
        for name, app in ((ALONE, site), (PLAIN, plain_flask())):
            for number in range(10 * ROUNDS):
                if number == ROUNDS:
                    times[name].clear()
                post_all(timed(name, app, times), "/api/v1/predictions")
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print."""
    with postgres() as url, tempfile.TemporaryDirectory() as instance:
        os.environ.update(site_settings(url, instance))
        site = create_app(config.environment())
        with site.app_context():
            flask_migrate.upgrade()
            db.engine.dispose()  # migrations leave a connection that asks for one more exchange each time
        # Imported here, because it creates its table on import.
        from tests.benchmarks.bare import app as bare

        torch.set_num_threads(1)
        found = measure(site, bare) | measure_alone(site)
    print("Microseconds of the processor in the worker, medians, one request after another")
    for name in (*PARTS, REST, WHOLE, BARE, ALONE, PLAIN):
        print(f"  {name:40}{found[name]:7.0f}")


if __name__ == "__main__":
    main()
