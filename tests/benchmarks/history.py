"""`make bench-history`: reading a long log, compared with a short one, on PostgreSQL.

Two databases are filled with small drawings, and read in turns through the site's own pages. Then each is
exported as a data set. Ten million rows take half an hour, and 25 gigabytes of disk.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path

import flask_migrate
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, make_url, text

from mnistweb import config
from mnistweb.app import create_app
from tests.benchmarks.processes import most_megabytes
from tests.support.long_log import addresses, client, dispose, fill
from tests.support.postgres import postgres
from tests.support.servers import COMMAND

SHORT, LONG = 10_000, 10_000_000
ROUNDS = 20
FORMATS = ("idx", "csv")
MAX_P95 = 50.0
"""Milliseconds; upper limit of the 95th percentile of each page."""


def milliseconds(browser: FlaskClient, address: str) -> float:
    """Measure the time of one answer."""
    started = time.perf_counter()
    response = browser.get(address)
    taken = (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"{address}: {response.status}")
    return taken


def main() -> int:
    """Fill, measure and print; return 1 if a page is too slow."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=LONG, help=f"rows of the long log, by default {LONG:,}")
    parser.add_argument(
        "--filled", action="store_true", help="use the databases of an earlier run on TEST_DATABASE_URL"
    )
    options = parser.parse_args()
    os.environ["PGOPTIONS"] = "-c maintenance_work_mem=512MB -c synchronous_commit=off"
    with postgres() as url, tempfile.TemporaryDirectory() as instance, ExitStack() as stack:
        sites, exports = [], []
        for rows in (SHORT, options.rows):
            name = f"mnistweb_history_{rows}"
            server = create_engine(
                make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
            )
            if not options.filled:
                with server.connect() as connection:
                    connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
                    connection.execute(text(f"CREATE DATABASE {name}"))
            settings = {
                "DATABASE_URL": make_url(url).set(database=name).render_as_string(hide_password=False),
                "INSTANCE_PATH": instance,
                "SECRET_KEY": "only for this benchmark",
                "RATELIMIT_ENABLED": "false",
            }
            app = create_app(config.environment() | settings)
            stack.callback(dispose, app)
            started = time.perf_counter()
            if options.filled:
                with app.app_context():
                    flask_migrate.upgrade()
            else:
                fill(app, rows)
                print(f"{rows:,} predictions logged in {time.perf_counter() - started:.0f} s", flush=True)
            sites.append(app)
            exports.append((settings, rows))
        failed = report(*sites)
        for settings, rows in exports:
            report_export(settings, rows)
        return failed


def report(short: Flask, long: Flask) -> int:
    """Print the times of each page in both; return 1 if one is too slow in the long log."""
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL; milliseconds")
    print(f"{'':44}{'short log':>16}{'long log':>18}\n{'':44}" + "     p50     p95" * 2)
    slow = 0
    browsers = client(short), client(long)
    for of_short, of_long in zip(addresses(short), addresses(long), strict=True):
        name = of_short.partition("&cursor=")[0].partition("?cursor=")[0]
        times: tuple[list[float], list[float]] = ([], [])
        try:
            for _ in range(ROUNDS + 1):
                for browser, address, found in zip(browsers, (of_short, of_long), times, strict=True):
                    found.append(milliseconds(browser, address))
        except RuntimeError as error:
            slow += 1
            print(f"{error}  *", flush=True)
            continue
        (p50, p95), (long_p50, long_p95) = (
            (sorted(found[1:])[ROUNDS // 2], sorted(found[1:])[ROUNDS * 95 // 100 - 1]) for found in times
        )
        bad = long_p95 > MAX_P95 or long_p50 > 2 * p50
        slow += bad
        print(f"{name[:43]:44}{p50:8.1f}{p95:8.1f}{long_p50:10.1f}{long_p95:8.1f}{'  *' * bad}", flush=True)
    print(
        f"\n{slow} take more than {MAX_P95:.0f} ms (p95), or more than twice the time with the short log (*)"
    )
    return 1 if slow else 0


def report_export(settings: dict[str, str], rows: int) -> None:
    """Print the time and the memory of an export of all rows that have feedback, in each format."""
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "set")
            export = [*COMMAND, "data", "export", str(output), "--format", name, "--labels", "any"]
            started = time.perf_counter()
            most = most_memory(subprocess.Popen(export, env=os.environ | settings, stderr=subprocess.DEVNULL))
            seconds = time.perf_counter() - started
            size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file()) / 1e6
        sizes = f"at most {most:.0f} MB, {size:.0f} MB on disk"
        print(f"{rows:,} rows as {name}: {seconds:.0f} s, {sizes}", flush=True)


def most_memory(process: "subprocess.Popen[bytes]") -> float:
    """Wait for a process, and return the most megabytes that it had. Raises CalledProcessError."""
    most = 0.0
    while process.poll() is None:
        most = max(most, most_megabytes(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return most


if __name__ == "__main__":
    sys.exit(main())
