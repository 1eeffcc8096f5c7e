"""`make bench-history`: reading a long log, compared with a short one, on PostgreSQL.

Two databases are filled with small drawings, and read in turns through the site's own pages. Ten million rows
take minutes, and some gigabytes of disk.
"""

import os
import platform
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import combinations

import flask_migrate
from flask import Flask
from flask.testing import FlaskClient
from psycopg2 import extensions
from sqlalchemy import create_engine, make_url, text

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.pagination import encode_cursor
from mnistweb.web.visitors import COOKIE, _signer
from tests.support.drawings import digit_png
from tests.support.postgres import postgres

SHORT, LONG = 10_000, 10_000_000
ROUNDS = 20
MAX_P95 = 50.0
"""Milliseconds; upper limit of the 95th percentile of each page."""
VISITOR = "somebody with many drawings"
FILL = """
INSERT INTO prediction (id, created_at, visitor, source, drawing, input, digit, confidence, not_a_digit,
                        probabilities, model, model_version, recognition_ms, label, labelled_at)
SELECT gen_random_uuid(), made,
       CASE WHEN number % :every = 0 THEN :visitor ELSE md5((number / 40)::text) END,
       CASE WHEN chance[1] < 0.8 THEN 'slate' WHEN chance[1] < 0.95 THEN 'api' ELSE 'upload' END,
       decode(:drawing, 'hex'), '\\x00',
       read, 0.5 + chance[2] / 2, chance[2] / 20, '[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]',
       CASE WHEN chance[3] < 0.9 THEN 'cnn' WHEN chance[3] < 0.97 THEN 'lenet5' ELSE 'vit' END,
       'benchmark', 1, CASE WHEN chance[4] < 0.4 THEN was END, CASE WHEN chance[4] < 0.4 THEN made END
FROM (SELECT *, CASE WHEN chance[5] < 0.95 THEN read ELSE NULLIF(floor(chance[6] * 11), 10)::smallint
                  END AS was
      FROM (SELECT *, NULLIF(floor(chance[7] * 10.3), 10)::smallint AS read
            FROM (SELECT number, now() - number * interval '3 years' / :rows AS made,
                         ARRAY[random(), random(), random(), random(), random(), random(), random()] AS chance
                  FROM generate_series(1, :rows) AS number OFFSET 0) AS drawn OFFSET 0) AS answered) AS judged
"""
WITHOUT_INDEXES = (
    "ALTER TABLE prediction DROP CONSTRAINT pk_prediction",
    "DROP INDEX ix_prediction_created_at_id",
    "DROP INDEX ix_prediction_visitor_created_at_id",
)
WITH_INDEXES = (
    "ALTER TABLE prediction ADD CONSTRAINT pk_prediction PRIMARY KEY (id)",
    "CREATE INDEX ix_prediction_created_at_id ON prediction (created_at, id)",
    "CREATE INDEX ix_prediction_visitor_created_at_id ON prediction (visitor, created_at, id)",
)
FILTERS = {
    "mine": ["mine=1"],
    "model": ["model=cnn", "model=vit", "model=gone"],
    "digit": ["digit=3", "digit=none"],
    "label": ["label=3", "label=7", "label=none"],
    "verdict": ["verdict=right", "verdict=wrong", "verdict=unlabelled"],
    "refused": ["refused=1"],
    "source": ["source=slate", "source=upload"],
    "days": ["from=2024-06-01", "to=2025-06-01", "from=2025-06-01&to=2025-06-02"],
}


def fill(app: Flask, rows: int, *, own: int = 2000, upgrade: bool = True) -> None:
    """Log predictions of three years, then migrate to the newest tables, indexes and aggregates.

    About `own` of the `rows` predictions are VISITOR's.
    """
    wait_callback = extensions.get_wait_callback()
    extensions.set_wait_callback(None)  # these statements take minutes
    with app.app_context():
        flask_migrate.upgrade(revision="0001")
        values = {"rows": rows, "every": rows // own, "visitor": VISITOR, "drawing": digit_png().hex()[:200]}
        # Indexes are built faster from existing rows.
        for statement in (*WITHOUT_INDEXES, FILL, *WITH_INDEXES):
            db.session.execute(text(statement), values)
        db.session.commit()
        if upgrade:
            flask_migrate.upgrade()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    extensions.set_wait_callback(wait_callback)


def addresses(app: Flask) -> Iterator[str]:
    """Yield the measured addresses: each page that reads the log, with all filters and pairs of filters."""
    with app.app_context():
        middle = db.session.scalars(
            db.select(Prediction)
            .where(Prediction.created_at < text("now() - interval '18 months'"))
            .order_by(Prediction.created_at.desc())
            .limit(1)
        ).one()
        cursor, prediction = encode_cursor(middle), middle.id
    yield from ("/", "/history", f"/history?cursor={cursor}", f"/predictions/{prediction}")
    yield from ("/api/v1/predictions", f"/api/v1/predictions?limit=200&cursor={cursor}")
    yield from ("/insights", "/insights?days=30", "/insights?days=365")
    for values in FILTERS.values():
        yield from (f"/history?{value}" for value in values)
    for one, other in combinations(FILTERS.values(), 2):
        yield from (f"/history?{value}&{another}" for value in one for another in other)
    yield "/history?digit=3&label=7&verdict=wrong"
    yield "/history?digit=3&label=3&verdict=wrong"


def client(app: Flask) -> FlaskClient:
    """Return a client of the visitor with many drawings."""
    with app.test_request_context():
        cookie = str(_signer().dumps(VISITOR))
    browser = app.test_client()
    browser.set_cookie(COOKIE, cookie)
    return browser


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
        sites = []
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
        return report(*sites)


def dispose(app: Flask) -> None:
    """Close the connections of an application."""
    with app.app_context():
        db.engine.dispose()


def report(short: Flask, long: Flask) -> int:
    """Print the times of each page in both; return 1 if one is too slow in the long log."""
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL; milliseconds")
    print(f"{'':44}{'short log':>16}{'long log':>18}\n{'':44}" + "     p50     p95" * 2)
    slow = 0
    browsers = client(short), client(long)
    for of_short, of_long in zip(addresses(short), addresses(long), strict=True):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS + 1):
            for browser, address, found in zip(browsers, (of_short, of_long), times, strict=True):
                found.append(milliseconds(browser, address))
        (p50, p95), (long_p50, long_p95) = (
            (sorted(found[1:])[ROUNDS // 2], sorted(found[1:])[ROUNDS * 95 // 100 - 1]) for found in times
        )
        bad = long_p95 > MAX_P95 or long_p50 > 2 * p50
        slow += bad
        name = of_short.partition("&cursor=")[0].partition("?cursor=")[0]
        print(f"{name[:43]:44}{p50:8.1f}{p95:8.1f}{long_p50:10.1f}{long_p95:8.1f}{'  *' * bad}", flush=True)
    print(
        f"\n{slow} take more than {MAX_P95:.0f} ms (p95), or more than twice the time with the short log (*)"
    )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
