"""`make bench`: the steps of a prediction, and page and API beside a bare route, on PostgreSQL."""

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.database.models import Source
from mnistweb.extensions import db
from mnistweb.predictions.service import recognize_and_save
from mnistweb.recognition.decoding import decode_base64_image, read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.registry.recognizers import zoo
from tests.benchmarks import page
from tests.benchmarks.burst import CLIENTS, NO_ANSWER, burst, seconds_to_recover
from tests.benchmarks.burst import SECONDS as BURST_SECONDS
from tests.benchmarks.load import Load, http_post, measure
from tests.benchmarks.processes import backends, own_megabytes, processor_seconds, workers
from tests.support.drawings import STROKES, data_url, draw_digit, encode
from tests.support.postgres import postgres
from tests.support.sites import migrated_site

SECONDS = 1.0
ROUNDS = 15
CLIENTS_AT_ONCE = (1, 16)
WARM_UP = 0.5
OUR_CONFIGURATION = ("--config", "deploy/gunicorn.conf.py")
DRAWINGS = [data_url(encode(draw_digit(digit, width))) for digit in STROKES for width in (12, 20, 28)]


def milliseconds(step: Callable[[int], Any], repeats: int = 600) -> float:
    """Measure the median time of a step, called with 0, 1, 2, …"""
    times = []
    for number in range(repeats):
        started = time.perf_counter()
        step(number)
        times.append(time.perf_counter() - started)
    return statistics.median(times[repeats // 6 :]) * 1000


def site_settings(url: str, instance: str) -> dict[str, str]:
    """Return settings of a site on that database, with rate limits that are never reached."""
    return {
        "DATABASE_URL": url,
        "INSTANCE_PATH": instance,
        "SECRET_KEY": "only for this benchmark",
        "RATELIMIT_PREDICT": "1000000,1000000",
        "RATELIMIT_PREDICT_DAY": "1000000,1000000",
    }


def steps(app: Flask) -> dict[str, float]:
    """Measure each step of a prediction in this process, in milliseconds, one after another."""
    most = app.config["MAX_IMAGE_BYTES"]
    files = [decode_base64_image(text, most) for text in DRAWINGS]
    inks = [read_drawing(data, app.config["MAX_IMAGE_PIXELS"]) for data in files]
    images = [normalize(ink) for ink in inks]
    count = len(DRAWINGS)
    with app.app_context():
        recognizer = zoo().get()

        def decode(number: int) -> None:
            data = decode_base64_image(DRAWINGS[number % count], most)
            read_drawing(data, app.config["MAX_IMAGE_PIXELS"])

        def whole(number: int) -> None:
            data = decode_base64_image(DRAWINGS[number % count], most)
            recognize_and_save(data, visitor="benchmark", source=Source.API)

        found = {
            "decode": milliseconds(decode),
            "preprocess": milliseconds(lambda number: normalize(inks[number % count])),
            "forward": milliseconds(lambda number: recognizer.recognize(images[number % count])),
        }
        whole_ms = milliseconds(whole)
    return found | {"save": whole_ms - sum(found.values()), "together": whole_ms}


@contextmanager
def gunicorn(
    application: str, settings: dict[str, str], options: Sequence[str] = OUR_CONFIGURATION
) -> Iterator[tuple[int, int]]:
    """Run gunicorn, by default with the site's configuration; give its master process and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    where = ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command = [sys.executable, "-m", "gunicorn", *options, *where, application]
    server = subprocess.Popen(command, env=os.environ | settings | {"PORT": str(port)})
    try:
        for _ in range(900):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None:
                raise RuntimeError(f"{application} did not start")
            time.sleep(0.1)
        yield server.pid, port
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def serving(application: str, settings: dict[str, str]) -> Iterator[int]:
    """Run gunicorn with the site's configuration; give its port."""
    with gunicorn(application, settings) as (_, port):
        yield port


@dataclass(slots=True)
class Candidate:
    """One of the compared applications, and the measurements of its rounds by number of clients."""

    name: str
    server: int
    port: int
    requests: list[bytes]
    rounds: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    processor: float = 0.0
    database: float = 0.0

    def run(self, clients: int, url: str) -> None:
        """Send requests for SECONDS, and add the measurements."""
        measure(self.port, self.requests, clients, WARM_UP)
        ours, theirs = workers(self.server), backends(url)
        before = processor_seconds(ours), processor_seconds(theirs)
        self.rounds[clients].append(measure(self.port, self.requests, clients, SECONDS))
        self.processor += processor_seconds(ours) - before[0]
        self.database += processor_seconds(theirs) - before[1]

    @property
    def loads(self) -> dict[int, Load]:
        """The measurements of all rounds together, by number of clients."""
        found: defaultdict[int, Load] = defaultdict(Load)
        for clients, rounds in self.rounds.items():
            for each in rounds:
                found[clients].add(each)
        return found

    @property
    def answers(self) -> int:
        """Number of all answers."""
        return sum(len(load.latencies) for load in self.loads.values())

    @property
    def body_bytes(self) -> float:
        """Mean size of an answer's body as sent, in bytes."""
        return sum(load.body_bytes for load in self.loads.values()) / self.answers

    def times(self, other: "Candidate", clients: int) -> tuple[float, float]:
        """Return the median time and the rate in multiples of another application's.

        Each round is compared with the other's next to it, and the middle ratio counts. So a disturbance
        of some rounds has no part in it.
        """
        pairs = list(zip(self.rounds[clients], other.rounds[clients], strict=True))
        times = [ours.percentile(50) / theirs.percentile(50) for ours, theirs in pairs]
        return statistics.median(times), statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)


def posts(path: str) -> list[bytes]:
    """Return all drawings as requests."""
    return [http_post(path, json.dumps({"image": text}).encode()) for text in DRAWINGS]


def compare(app: Flask, settings: dict[str, str]) -> None:
    """Measure the site, the bare route and plain Flask in turns, so that other load affects all."""
    page.give_drawings(app)
    workers_and_threads = [f"--{name.lower()}={app.config[name]}" for name in ("WORKERS", "THREADS")]
    with (
        gunicorn("wsgi:app", settings) as site_server,
        gunicorn("tests.benchmarks.bare:app", settings) as bare_server,
        gunicorn("tests.benchmarks.plain:app", settings, workers_and_threads) as plain_server,
    ):
        api = Candidate("API", *site_server, posts("/api/v1/predictions"))
        bare = Candidate("bare route", *bare_server, posts("/echo"))
        plain = Candidate("plain Flask", *plain_server, posts("/echo"))
        first = Candidate("page, 0", *site_server, page.new_visitors(app))
        later = Candidate(f"page, {page.EARLIER}", *site_server, page.known_visitors(app))
        candidates = (api, first, later, bare, plain)
        for clients in CLIENTS_AT_ONCE:
            for candidate in candidates * ROUNDS:
                candidate.run(clients, settings["DATABASE_URL"])
        print(f"\nWhole requests, {ROUNDS} x {SECONDS:.0f} s; the page after 0 and {page.EARLIER} drawings")
        print_loads(candidates)
        print("\nIn multiples, the middle one of the rounds: median time and rate with 1 client, and with 16")
        for ours, theirs in ((api, bare), (api, plain), (first, api), (later, api)):
            cells = (f"{value:8.2f}" for clients in CLIENTS_AT_ONCE for value in ours.times(theirs, clients))
            print(f"  {ours.name + ' / ' + theirs.name:22}{''.join(cells)}")
        own = [own_megabytes(pid) for pid in workers(site_server[0])]
        print(f"\nMemory added by each worker: {max(own):.0f} MB")


def print_loads(candidates: Sequence[Candidate]) -> None:
    """Print rates, latencies, processor times and sizes."""
    print(f"  {'':12}{'1 client':>10}{'':36}16 clients")
    print(f"  {'':12}{'   per second   p50 ms   p99 ms  p99/p50' * 2}")
    for candidate in candidates:
        cells = (
            f"{load.rate:13.0f}{load.percentile(50):9.2f}{load.percentile(99):9.2f}"
            f"{load.percentile(99) / load.percentile(50):9.1f}"
            for load in candidate.loads.values()
        )
        print(f"  {candidate.name:12}{''.join(cells)}")
    print("\nOf each request: processor time in gunicorn's workers and in PostgreSQL for them, milliseconds,")
    print("and bytes of the answer as sent: the page's is compressed for a browser")
    for candidate in candidates:
        each = 1000 / candidate.answers
        print(
            f"  {candidate.name:12}{candidate.processor * each:7.2f}{candidate.database * each:7.2f}"
            f"{candidate.body_bytes:9.0f}"
        )


def measure_sqlite() -> None:
    """Measure clients that all write on a site that has only an SQLite file."""
    clients = CLIENTS_AT_ONCE[-1]
    with tempfile.TemporaryDirectory() as folder:
        with migrated_site(Path(folder)):
            pass
        settings = site_settings(f"sqlite:///{folder}/site.sqlite3", folder)
        with gunicorn("wsgi:app", settings) as (_, port):
            requests = posts("/api/v1/predictions")
            measure(port, requests, clients, WARM_UP)
            found = measure(port, requests, clients, ROUNDS * SECONDS)
    p50, p99 = found.percentile(50), found.percentile(99)
    print(f"\nThe API on SQLite, {clients} clients: {found.rate:.0f} per second")
    print(f"  p50 {p50:.1f} ms, p99 {p99:.1f} ms, p99/p50 {p99 / p50:.1f}")


def measure_burst(settings: dict[str, str]) -> None:
    """Measure more clients than the site has room for, and its recovery."""
    with gunicorn("wsgi:app", settings) as (_, port):
        requests = posts("/api/v1/predictions")
        measure(port, requests, 16, WARM_UP)
        usual = measure(port, requests, 1, SECONDS)
        found = burst(port, requests)
        seconds = seconds_to_recover(port, requests, usual)
        answered = ", ".join(
            f"{name} {found.share(status):.0%}"
            for status, name in ((201, "saved"), (503, "503"), (429, "429"), (NO_ANSWER, "no answer"))
        )
        print(f"\nA burst: {CLIENTS} clients at once for {BURST_SECONDS:.0f} s, with instant retries")
        print(f"  {answered}; {found.without_retry_after} rejections without Retry-After")
        print(f"  the slowest rejection after {found.slowest_refusal * 1000:.0f} ms")
        print(f"  recovered after {seconds:.1f} s (usual p50 {usual.percentile(50):.1f} ms)")


def measure_soak(settings: dict[str, str], minutes: int) -> None:
    """Run the site for a long time at 80 % of its capacity, and measure the growth of its memory."""
    with gunicorn("wsgi:app", settings) as (server, port):
        requests = posts("/api/v1/predictions")
        # A burst first, so that the memory of all threads is allocated from the beginning.
        burst(port, requests)
        rate = 0.8 * measure(port, requests, 16, 10.0).rate
        print(
            f"\n{rate:.0f} requests a second, minute by minute: p50 ms, p99 ms, the workers' own memory in MB"
        )
        sizes = []
        for minute in range(minutes):
            found = measure(port, requests, 16, 60.0, rate=rate)
            sizes.append(sum(map(own_megabytes, workers(server))))
            print(
                f"  {minute + 1:3}{found.percentile(50):9.2f}{found.percentile(99):9.2f}{sizes[-1]:9.1f}",
                flush=True,
            )
        print(f"  growth since the first minute: {sizes[-1] / sizes[0] - 1:.1%}")


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--burst", action="store_true", help="only this: more clients than there is room for")
    parser.add_argument(
        "--soak", type=int, metavar="MINUTES", help="only this: a long time at 80 %% of capacity"
    )
    options = parser.parse_args()
    with postgres() as url, tempfile.TemporaryDirectory() as instance:
        settings = site_settings(url, instance)
        app = create_app(config.environment() | settings)
        with app.app_context():
            flask_migrate.upgrade()
            db.engine.dispose()  # migrations leave a connection that asks for one more exchange each time
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL, gunicorn with "
            f"{app.config['WORKERS']} workers of {app.config['THREADS']} threads\n",
            flush=True,
        )
        if options.burst or options.soak:
            if options.burst:
                measure_burst(settings)
            if options.soak:
                measure_soak(settings, options.soak)
            return
        print("A prediction, one after another, median milliseconds")
        for name, value in steps(app).items():
            print(f"  {name:10} {value:7.2f}")
        compare(app, settings)
        measure_sqlite()
        measure_burst(settings)


if __name__ == "__main__":
    main()
