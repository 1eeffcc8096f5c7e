"""`make bench-split`: the networks in the site's processes against the same site with a model server."""

import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import flask_migrate
import urllib3
from sqlalchemy import create_engine, make_url, text

from mnistweb import create_database_app
from tests.benchmarks.bench import Contender, gunicorn, posts
from tests.benchmarks.processes import processor_seconds, workers
from tests.postgres import postgres

ROUNDS = 4
CLIENTS = (1, 16)
REPLICAS = (1, 2, 3)


@dataclass(slots=True)
class Side:
    """One way to run the site: the processes of its model server, if any, and how long these worked."""

    site: Contender
    model: list[int] = field(default_factory=list)
    processor: float = 0.0

    def run(self, clients: int, url: str) -> None:
        """Ask for a while, and add what is found."""
        before = processor_seconds(self.model)
        self.site.run(clients, url)
        self.processor += processor_seconds(self.model) - before

    def costs(self) -> tuple[float, float, float, float]:
        """Milliseconds of processor time for an answer, and megabytes: each the site's, then the server's."""
        each = 1000 / self.site.answers
        site = [self.site.server, *workers(self.site.server)]
        return self.site.processor * each, self.processor * each, megabytes(site), megabytes(self.model)


@contextmanager
def model_server(replicas: int) -> Iterator[tuple[list[int], str]]:
    """So many processes of the model server behind one port; gives them, and their address."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        # asyncio sets this only where it opens the port itself; without it a head waits 40 ms for its body.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = listener.fileno()
        command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "--factory", "--fd", str(fd)]
        command += ["--no-access-log", "--log-level", "warning", "mnistweb.model_server.asgi:create"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        processes = [
            stack.enter_context(subprocess.Popen(command, env=environment, pass_fds=[fd]))
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


def megabytes(pids: Iterable[int]) -> float:
    """What processes take, with what they share divided among those that share it."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def main() -> None:
    """Measure all by turns, so that whatever else the machine does meets each, and print."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = {
            "DATABASE_URL": url,
            "INSTANCE_PATH": folder,
            "SECRET_KEY": "only for this benchmark",
            "RATELIMIT_ENABLED": "false",
        }
        with create_database_app(settings).app_context():
            flask_migrate.upgrade()
        requests = posts("/api/v1/predictions")
        sides = [
            Side(Contender("in process", *stack.enter_context(gunicorn("wsgi:app", settings)), requests))
        ]
        for replicas in REPLICAS:
            model, address = stack.enter_context(model_server(replicas))
            apart = stack.enter_context(gunicorn("wsgi:app", settings | {"MODEL_URL": address}))
            sides.append(Side(Contender(f"apart, {replicas}", *apart, requests), model))
        for _ in range(ROUNDS):
            for side in sides:
                for clients in CLIENTS:
                    side.run(clients, url)
        show(sides)
        print(
            "\nA prediction in the database: {:.0f} bytes with its indexes, {:.0f} of WAL".format(*sizes(url))
        )


def sizes(url: str) -> tuple[float, float]:
    """Bytes of a row with its share of the indexes, and of the write-ahead log that it made."""
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
    """Print a table, and under it the same as shares of what the site does alone."""
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL, gunicorn with 2 workers\n"
    )
    print(f"{'':12}" + "".join(f"{clients:>9} clients  p50 ms   p99 ms" for clients in CLIENTS), end="")
    print("  CPU ms: site  model  MB: site  model")
    rows = {
        side.site.name: [
            *(
                value
                for clients in CLIENTS
                for load in [side.site.loads[clients]]
                for value in (load.rate, load.percentile(50), load.percentile(99))
            ),
            *side.costs(),
        ]
        for side in sides
    }
    for name, row in rows.items():
        print(
            "{:12}{:15.1f}/s{:8.2f}{:9.2f}{:15.1f}/s{:8.2f}{:9.2f}{:14.2f}{:7.2f}{:10.0f}{:7.0f}".format(
                name, *row
            )
        )
    print("\nAs shares of the first row; processor time and memory of site and server together")
    (_, alone), *others = rows.items()
    for name, row in others:
        shares = [value / base for value, base in zip(row[:6], alone[:6], strict=True)]
        shares += [(row[6] + row[7]) / alone[6], (row[8] + row[9]) / alone[8]]
        print(
            "{:12}{:16.2f}x{:8.2f}x{:8.2f}x{:15.2f}x{:8.2f}x{:8.2f}x{:13.2f}x{:16.2f}x".format(name, *shares)
        )


if __name__ == "__main__":
    main()
