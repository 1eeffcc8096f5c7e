"""`make bench`: a prediction step by step, and the whole site beside a bare route, on PostgreSQL."""

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask_migrate
from flask import Flask

from mnistweb import config, create_app
from mnistweb.models import Source
from mnistweb.networks import zoo
from mnistweb.predictions import recognise_and_save
from mnistweb.recognition.drawing import decode_base64_image, read_drawing
from mnistweb.recognition.preprocessing import normalise
from tests.benchmarks.load import Load, http_post, measure
from tests.drawings import STROKES, data_url, draw_digit, encode
from tests.postgres import postgres

SECONDS = 10.0
DRAWINGS = [data_url(encode(draw_digit(digit, width))) for digit in STROKES for width in (12, 20, 28)]


def milliseconds(step: Callable[[int], Any], repeats: int = 600) -> float:
    """The median time of a step, called with 0, 1, 2, …"""
    times = []
    for number in range(repeats):
        started = time.perf_counter()
        step(number)
        times.append(time.perf_counter() - started)
    return statistics.median(times[repeats // 6 :]) * 1000


def steps(app: Flask) -> dict[str, float]:
    """Milliseconds of each step of a prediction, in this process, one after another."""
    most = app.config["MAX_IMAGE_BYTES"]
    files = [decode_base64_image(text, most) for text in DRAWINGS]
    inks = [read_drawing(data, app.config["MAX_IMAGE_PIXELS"]) for data in files]
    images = [normalise(ink) for ink in inks]
    count = len(DRAWINGS)
    with app.app_context():
        recognizer = zoo().get()

        def decode(number: int) -> None:
            data = decode_base64_image(DRAWINGS[number % count], most)
            read_drawing(data, app.config["MAX_IMAGE_PIXELS"])

        def whole(number: int) -> None:
            data = decode_base64_image(DRAWINGS[number % count], most)
            recognise_and_save(data, visitor="benchmark", source=Source.API)

        found = {
            "decode": milliseconds(decode),
            "preprocess": milliseconds(lambda number: normalise(inks[number % count])),
            "forward": milliseconds(lambda number: recognizer.recognise(images[number % count])),
        }
        whole_ms = milliseconds(whole)
    return found | {"save": whole_ms - sum(found.values()), "together": whole_ms}


@contextmanager
def serving(application: str, settings: dict[str, str]) -> Iterator[int]:
    """gunicorn with the site's own configuration; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--log-level", "warning", application]
    server = subprocess.Popen(command, env=os.environ | settings | {"PORT": str(port)})
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None:
                raise RuntimeError(f"{application} did not start")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def load(application: str, path: str, settings: dict[str, str]) -> dict[int, Load]:
    """What 1 and 16 clients get from one application."""
    requests = [http_post(path, json.dumps({"image": text}).encode()) for text in DRAWINGS]
    with serving(application, settings) as port:
        return {clients: measure(port, requests, clients, SECONDS) for clients in (1, 16)}


def main() -> None:
    """Measure and print."""
    with postgres() as url, tempfile.TemporaryDirectory() as instance:
        settings = {
            "DATABASE_URL": url,
            "INSTANCE_PATH": instance,
            "SECRET_KEY": "only for this benchmark",
            "RATELIMIT_PREDICT": "1000000,1000000",
        }
        app = create_app(config.environment() | settings)
        with app.app_context():
            flask_migrate.upgrade()
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL, gunicorn with "
            f"{app.config['WORKERS']} workers of {app.config['THREADS']} threads\n"
        )
        print("A prediction, one after another, median milliseconds")
        for name, value in steps(app).items():
            print(f"  {name:10} {value:7.2f}")

        print(f"\nWhole requests, {SECONDS:.0f} s each    1 client{'':22}16 clients")
        print(f"{'':22}{'  per second   p50 ms   p99 ms' * 2}")
        found = {
            "site": load("wsgi:app", "/api/v1/predictions", settings),
            "bare route": load("tests.benchmarks.bare:app", "/echo", settings),
        }
        for name, loads in found.items():
            cells = "".join(f"{run.rate:12.0f}{run.p50:9.2f}{run.p99:9.2f}" for run in loads.values())
            print(f"  {name:20}{cells}")
        shares = [found["site"][clients].rate / found["bare route"][clients].rate for clients in (1, 16)]
        print(f"  {'site / bare route':20}{shares[0]:12.2f}{'':18}{shares[1]:12.2f}")


if __name__ == "__main__":
    main()
