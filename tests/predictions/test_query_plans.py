"""Query plans of the pages on PostgreSQL, with a long log."""

import re
import threading
import time
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Engine, event, insert, text

from mnistweb.app import create_app
from mnistweb.database.models import Challenge
from mnistweb.extensions import db
from mnistweb.predictions import counts
from tests.support.long_log import addresses, client, dispose, fill
from tests.support.rows import NOON

ROWS = 20_000
WRITE = text(
    "INSERT INTO prediction SELECT gen_random_uuid(), now(), visitor, source, drawing, input, strokes, "
    "digit, confidence, not_a_digit, reason, probabilities, model, model_version, recognition_ms "
    "FROM prediction LIMIT 1"
)
REVIEW = text(
    "UPDATE prediction SET review = CASE WHEN get_byte(uuid_send(id), 0) = 0 THEN 'hidden' "
    "ELSE 'approved' END WHERE 0 IN (get_byte(uuid_send(id), 0), get_byte(uuid_send(id), 1))"
)

PROMPT = text(
    "UPDATE prediction SET prompt = coalesce(digit, 3), challenge = gen_random_uuid() "
    "WHERE get_byte(uuid_send(id), 1) < 16"
)


@pytest.fixture
def long_log_app(empty_database: Engine, unmigrated_settings: dict[str, Any]) -> Flask:
    url = empty_database.url.render_as_string(hide_password=False)
    return create_app({**unmigrated_settings, "DATABASE_URL": url, "RATELIMIT_ENABLED": "false"})


@pytest.mark.parametrize("audience", ["everyone", "reviewed"])
def test_pages_use_indexes_on_a_long_log(
    long_log_app: Flask, monkeypatch: pytest.MonkeyPatch, audience: str
) -> None:
    long_log_app.config["PUBLIC_HISTORY"] = audience
    monkeypatch.setattr(counts, "MAX_COUNTED", ROWS // 1000)  # their share of a log of ten million
    monkeypatch.setattr(counts, "MAX_CHECKED", ROWS // 5000)
    fill(long_log_app, ROWS, own=100)
    with long_log_app.app_context():
        with db.engine.begin() as connection:
            connection.execute(REVIEW)
            connection.execute(PROMPT)
            challenge = connection.scalar(text("SELECT challenge FROM prediction WHERE prompt = 3 LIMIT 1"))
            values = {"id": challenge, "visitor": "someone", "started_at": NOON, "prompts": [*range(10)]}
            connection.execute(insert(Challenge).values(values))
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE prediction"))
    sent: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM prediction" in statement:
            sent.append((statement, parameters))

    explained = 0
    # For two filters at once, the planner prefers a scan of a log this short.
    selected = [address for address in addresses(long_log_app) if not re.search("&(?!cursor|to)", address)]
    selected += ["/history?prompt=3", "/challenge", f"/challenge/{challenge}"]
    browser = client(long_log_app)
    with long_log_app.app_context():
        engine = db.engine
        for address in selected:
            event.listen(engine, "before_cursor_execute", keep)
            assert browser.get(address).status_code == 200
            event.remove(engine, "before_cursor_execute", keep)
            db.session.rollback()  # each request has a transaction of its own
            for statement, parameters in sent:
                rows = db.session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)
                plan = "\n".join(found for (found,) in rows)
                assert not re.search("Seq Scan on prediction|Bitmap", plan), (address, plan)
            explained += len(sent)
            sent.clear()
        db.session.remove()
    dispose(long_log_app)
    assert explained > 20


def test_index_builds_do_not_block_writers(long_log_app: Flask, empty_database: Engine) -> None:
    fill(long_log_app, ROWS, upgrade=False)
    waits: list[float] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            started = time.perf_counter()
            with empty_database.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                connection.execute(WRITE)
            waits.append(time.perf_counter() - started)

    writer = threading.Thread(target=write)
    with long_log_app.app_context():
        writer.start()
        flask_migrate.upgrade(revision="0002")
        done.set()
        writer.join(30)
        built = db.session.scalar(
            text("SELECT count(*) FROM pg_index WHERE indrelid = 'prediction'::regclass AND indisvalid")
        )
        db.session.remove()
    dispose(long_log_app)
    assert built > 10
    assert len(waits) > 5
