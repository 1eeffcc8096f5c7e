"""`python -m tests.benchmarks.parts`: processor time of each part of a prediction, within a request.

A part that is repeated alone takes half as long, because its data stays in the caches. In a request, the
other parts displace it.
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
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.extensions import db
from tests.benchmarks.bench import DRAWINGS, site_settings
from tests.support.postgres import postgres

ROUNDS = 20
READ, INK = "reading the picture", "finding its ink"
REST, WHOLE, BARE = "Flask and its hooks", "whole", "bare route"
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
        found = measure(site, bare)
    print("Microseconds of the processor in the worker, medians, one request after another")
    for name in (*PARTS, REST, WHOLE, BARE):
        print(f"  {name:22}{found[name]:7.0f}")


if __name__ == "__main__":
    main()
