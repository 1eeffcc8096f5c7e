"""A log of many predictions, made by PostgreSQL itself, and the addresses that read it."""

from collections.abc import Iterator
from itertools import combinations

import flask_migrate
from flask import Flask
from flask.testing import FlaskClient
from psycopg2 import extensions
from sqlalchemy import text

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.pagination import encode_cursor
from mnistweb.recognition.types import SIDE
from mnistweb.web.visitors import COOKIE, signed
from tests.support.drawings import digit_png

VISITOR = "somebody with many drawings"
FILL = """
INSERT INTO prediction (id, created_at, visitor, source, drawing, input, digit, confidence, not_a_digit,
                        probabilities, model, model_version, recognition_ms, label, labelled_at)
SELECT gen_random_uuid(), made,
       CASE WHEN number % :every = 0 THEN :visitor ELSE md5((number / 40)::text) END,
       CASE WHEN chance[1] < 0.8 THEN 'slate' WHEN chance[1] < 0.95 THEN 'api' ELSE 'upload' END,
       decode(:drawing, 'hex'), decode(:input, 'hex'),
       read, 1 - power(chance[2], 5) / 2, chance[2] / 20, '[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]',
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
    "verdict": ["verdict=right", "verdict=wrong", "verdict=labelled", "verdict=unlabelled"],
    "confidence": ["confidence_min=0.99", "confidence_below=0.51"],
    "source": ["source=slate", "source=upload"],
    "certainty": ["certainty=sure", "certainty=doubtful", "certainty=not_a_digit"],
    "sort": ["sort=oldest", "sort=surest", "sort=least_sure"],
    "days": ["from=2024-06-01", "to=2025-06-01", "from=2025-06-01&to=2025-06-02"],
}


def fill(app: Flask, rows: int, *, own: int = 2000, upgrade: bool = True) -> None:
    """Log predictions of three years, then migrate to the newest tables, indexes and aggregates.

    About `own` of the `rows` predictions are VISITOR's.
    """
    patience = extensions.get_wait_callback()
    extensions.set_wait_callback(None)  # what is asked here takes minutes
    with app.app_context():
        flask_migrate.upgrade(revision="0001")
        values: dict[str, int | str] = {"rows": rows, "every": rows // own, "visitor": VISITOR}
        values |= {"drawing": digit_png().hex()[:200], "input": bytes(SIDE * SIDE).hex()}
        # Indexes are made sooner of rows that are there.
        for statement in (*WITHOUT_INDEXES, FILL, *WITH_INDEXES):
            db.session.execute(text(statement), values)
        db.session.commit()
        if upgrade:
            flask_migrate.upgrade()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    extensions.set_wait_callback(patience)


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
    yield from (f"/history?sort=surest&cursor={cursor}", "/history?view=gallery")
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
        cookie = signed(VISITOR)
    browser = app.test_client()
    browser.set_cookie(COOKIE, cookie)
    return browser


def dispose(app: Flask) -> None:
    """Close the connections of an application."""
    with app.app_context():
        db.engine.dispose()
