"""Pooled connections that broke while they were idle."""

import functools
import select
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text

from mnistweb.app import create_database_app
from mnistweb.database import pool
from mnistweb.extensions import db
from tests.support.clock import Clock
from tests.support.sites import SECRET


@pytest.fixture
def clock() -> Clock:
    """The clock of the pre-ping."""
    return Clock()


@pytest.fixture
def on_postgres(
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """A site's database on PostgreSQL, with a connection in its pool."""
    monkeypatch.setattr("mnistweb.app.pre_ping", functools.partial(pool.pre_ping, clock=clock))
    instance = str(tmp_path_factory.mktemp("instance"))
    app = create_database_app({"DATABASE_URL": postgres_url, "INSTANCE_PATH": instance, "SECRET_KEY": SECRET})
    with app.app_context():
        _backend()
        yield app
        db.engine.dispose()


@pytest.fixture
def pinged(on_postgres: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were pinged."""
    found: list[Any] = []
    with on_postgres.app_context():
        dialect = db.engine.dialect
    ping = dialect.do_ping

    def note_and_ping(connection: Any) -> bool:
        found.append(connection)
        return bool(ping(connection))

    monkeypatch.setattr(dialect, "do_ping", note_and_ping)
    return found


def _backend() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(backends: list[int], url: str) -> None:
    with psycopg2.connect(url) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", (backends,))
    other.close()


def test_healthy_connection_is_not_pinged(pinged: list[Any]) -> None:
    assert _backend() == _backend()
    assert not pinged


def test_broken_connections_are_replaced(on_postgres: Flask, postgres_url: str) -> None:
    with on_postgres.app_context():
        with db.engine.connect() as one, db.engine.connect() as another:
            broken = [int(each.scalar(text("SELECT pg_backend_pid()")) or 0) for each in (one, another)]
        _end(broken, postgres_url)
        with db.engine.connect() as one, db.engine.connect() as another:
            assert one.scalar(text("SELECT 1")) == another.scalar(text("SELECT 1")) == 1


def test_connection_is_pinged_after_a_long_idle_time(pinged: list[Any], clock: Clock) -> None:
    before = _backend()
    clock.now += pool.IDLE_LIMIT
    assert _backend() == before
    assert not pinged
    clock.now += pool.IDLE_LIMIT + 1
    assert _backend() == before
    assert len(pinged) == 1


def test_connection_with_input_is_pinged(pinged: list[Any], postgres_url: str) -> None:
    with db.engine.connect() as connection:
        connection.execute(text("LISTEN something"))
        connection.commit()
        pooled = connection.connection.dbapi_connection
    assert isinstance(pooled, psycopg2.extensions.connection)
    with psycopg2.connect(postgres_url) as other, other.cursor() as cursor:
        cursor.execute("NOTIFY something")
    other.close()
    assert select.select([pooled], [], [], 10)[0]  # until it has arrived
    before = _backend()
    assert len(pinged) == 1
    assert _backend() == before
    assert len(pinged) == 1
