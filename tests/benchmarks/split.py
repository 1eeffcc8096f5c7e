"""`make bench-split`: the networks in the site's processes, compared with a model server.

The server is uvicorn, then Ray Serve, behind HAProxy and behind its own proxy. Takes less than four minutes.
"""

import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import flask_migrate
import urllib3
from sqlalchemy import create_engine, make_url, text

from mnistweb.app import create_database_app
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.remote.protocol import write_request
from tests.benchmarks.bench import Candidate, gunicorn, posts
from tests.benchmarks.load import Load, measure
from tests.benchmarks.processes import processor_seconds, workers
from tests.support.drawings import digit_png
from tests.support.postgres import postgres
from tests.system.split.server import HAPROXY, process_tree, ray_serve

ROUNDS = 2
CLIENTS = (1, 16)
REPLICAS = (1, 2, 3)


DIRECT_SECONDS = 2.0
"""Length of each measurement of the model server without the site."""
RAY = {"Ray, HAProxy": HAPROXY, "Ray, own proxy": {"RAY_SERVE_ENABLE_HA_PROXY": "0"}}


@dataclass(slots=True)
class Side:
    """One variant of the site: its model server, if any, and the processor time of that."""

    site: Candidate
    model: list[int] = field(default_factory=list)
    port: int = 0
    processor: float = 0.0
    asked: Load = field(default_factory=Load)

    def run(self, url: str) -> None:
        """Measure with one client and with many, and add the results."""
        for clients in CLIENTS:
            before = cpu_seconds(self.model)
            self.site.run(clients, url)
            after = cpu_seconds(self.model)
            self.processor += sum(after[pid] - before[pid] for pid in after if pid in before)
        if self.port:
            self.asked.add(measure(self.port, INFERENCE_REQUESTS, CLIENTS[-1], DIRECT_SECONDS))

    def costs(self) -> tuple[float, float, float, float]:
        """Return processor milliseconds per answer of site and server, then megabytes of site and server."""
        each = 1000 / self.site.answers
        site = [self.site.server, *workers(self.site.server)]
        return self.site.processor * each, self.processor * each, megabytes(site), megabytes(self.model)


def inference_request(digit: int) -> bytes:
    """Return a whole inference request, as the site sends it."""
    message = write_request(normalize(read_drawing(digit_png(digit), 10**6))[None], "benchmark")
    headers = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
    return (
        f"POST /v2/models/cnn/infer HTTP/1.1\r\nHost: localhost\r\n{headers}"
        f"Content-Length: {len(message.body)}\r\n\r\n"
    ).encode() + message.body


INFERENCE_REQUESTS = [inference_request(digit) for digit in range(10)]


@contextmanager
def model_server(replicas: int) -> Iterator[tuple[list[int], str]]:
    """Run processes of the model server on one port; give their ids, and their address."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        # asyncio sets this only on ports that it opens itself. Without it, headers wait 40 ms for their body.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = listener.fileno()
        command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "--factory", "--fd", str(fd)]
        command += ["--no-access-log", "--log-level", "warning", "mnistweb.model_server.asgi:create"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        processes = [
            stack.enter_context(
                subprocess.Popen(command, env=environment, pass_fds=[fd], stderr=subprocess.DEVNULL)
            )
            for _ in range(replicas)
        ]
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            ready = urllib3.request("GET", f"{address}/v2/health/ready", timeout=60)
            if ready.status != 200:
                raise RuntimeError("the model server did not start")
            yield [process.pid for process in processes], address
        finally:
            for process in processes:
                process.terminate()


def cpu_seconds(pids: Iterable[int]) -> dict[int, float]:
    """Return the processor seconds of each process that still exists; Ray ends some."""
    found = {}
    for pid in pids:
        with suppress(OSError):
            found[pid] = processor_seconds([pid])
    return found


def megabytes(pids: Iterable[int]) -> float:
    """Return the memory of processes; shared memory is divided among its users."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # the process has ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def main() -> None:
    """Measure all variants in turns, so that other load affects each, and print."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {
            "DATABASE_URL": url,
            "INSTANCE_PATH": str(folder),
            "SECRET_KEY": "only for this benchmark",
            "RATELIMIT_ENABLED": "false",
        }
        with create_database_app(settings).app_context():
            flask_migrate.upgrade()
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL, gunicorn with 2 workers"
        )
        with ExitStack() as servers:
            sides = [side(servers, "in process", settings)]
            for replicas in REPLICAS:
                model, address = servers.enter_context(model_server(replicas))
                sides.append(side(servers, f"uvicorn, {replicas}", settings, address, model))
            compare(sides, url)
        for name, environment in RAY.items():
            with ExitStack() as servers:
                (place := folder / name).mkdir()
                address, starter = servers.enter_context(ray_serve(place, **environment))
                alone = side(servers, "in process", settings)
                apart = side(servers, name, settings, address, list(process_tree(starter)))
                compare([alone, apart], url)
        print(
            "\nA prediction in the database: {:.0f} bytes with its indexes, {:.0f} of WAL".format(*sizes(url))
        )


def side(
    stack: ExitStack, name: str, settings: dict[str, str], address: str = "", model: Sequence[int] = ()
) -> Side:
    """Start the site with the model server at an address, or without one."""
    site = stack.enter_context(gunicorn("wsgi:app", settings | {"MODEL_URL": address}))
    candidate = Candidate(name, *site, posts("/api/v1/predictions"))
    return Side(candidate, list(model), urlsplit(address).port or 0)


def compare(sides: list[Side], url: str) -> None:
    """Measure all in turns, and print the results."""
    for _ in range(ROUNDS):
        for each in sides:
            each.run(url)
    show(sides)


def sizes(url: str) -> tuple[float, float]:
    """Return the bytes of a row with its share of the indexes, and of its write-ahead log."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        rows, size, log = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM prediction), pg_total_relation_size('prediction'), "
                "(SELECT wal_bytes FROM pg_stat_wal)"
            )
        ).one()
    engine.dispose()
    return size / rows, float(log) / rows


def show(sides: list[Side]) -> None:
    """Print a table, and below it the same figures as shares of the first row."""
    print(f"\n{'':14}" + "".join(f"{clients:>9} clients  p50 ms   p99 ms" for clients in CLIENTS), end="")
    print("  CPU ms: site  model  MB: site  model  asked alone")
    rows = {
        side.site.name: [
            *(
                value
                for clients in CLIENTS
                for load in [side.site.loads[clients]]
                for value in (load.rate, load.percentile(50), load.percentile(99))
            ),
            *side.costs(),
            side.asked.rate if side.port else 0.0,
        ]
        for side in sides
    }
    for name, row in rows.items():
        print(
            "{:14}{:15.1f}/s{:8.2f}{:9.2f}{:15.1f}/s{:8.2f}{:9.2f}{:14.2f}{:7.2f}{:10.0f}{:7.0f}"
            "{:11.0f}/s".format(name, *row)
        )
    print("\nAs shares of the first row; processor time and memory of site and server together")
    (_, alone), *others = rows.items()
    for name, row in others:
        shares = [value / base for value, base in zip(row[:6], alone[:6], strict=True)]
        shares += [(row[6] + row[7]) / alone[6], (row[8] + row[9]) / alone[8]]
        print(
            "{:14}{:16.2f}x{:8.2f}x{:8.2f}x{:15.2f}x{:8.2f}x{:8.2f}x{:13.2f}x{:16.2f}x".format(name, *shares)
        )


if __name__ == "__main__":
    main()
