"""What lies in the pool of connections, and what happens to it there."""

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text

from mnistweb.app import create_database_app
from mnistweb.database import pool as liveness
from mnistweb.extensions import db
from tests.support.sites import SECRET


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A site's database on PostgreSQL, with a connection in its pool."""
    instance = str(tmp_path_factory.mktemp("instance"))
    app = create_database_app({"DATABASE_URL": postgres_url, "INSTANCE_PATH": instance, "SECRET_KEY": SECRET})
    with app.app_context():
        _backend()
        yield app
        db.engine.dispose()


@pytest.fixture
def asked(on_postgres: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that are asked whether they live."""
    found: list[Any] = []
    with on_postgres.app_context():
        dialect = db.engine.dialect
    ask = dialect.do_ping

    def note_and_ask(connection: Any) -> bool:
        found.append(connection)
        return bool(ask(connection))

    monkeypatch.setattr(dialect, "do_ping", note_and_ask)
    return found


def _backend() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(backends: list[int], url: str) -> None:
    with psycopg2.connect(url) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", (backends,))
    other.close()


def test_one_that_lives_is_not_asked(asked: list[Any]) -> None:
    assert _backend() == _backend()
    assert not asked


def test_those_that_broke_are_replaced(on_postgres: Flask, postgres_url: str) -> None:
    with on_postgres.app_context():
        with db.engine.connect() as one, db.engine.connect() as another:
            broken = [int(each.scalar(text("SELECT pg_backend_pid()")) or 0) for each in (one, another)]
        _end(broken, postgres_url)
        with db.engine.connect() as one, db.engine.connect() as another:
            assert one.scalar(text("SELECT 1")) == another.scalar(text("SELECT 1")) == 1


def test_one_that_lay_for_long_is_asked(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = _backend()
    monkeypatch.setattr(liveness, "LONG", 0.0)
    assert _backend() == before
    assert len(asked) == 1


def test_one_at_which_something_arrived_is_asked(asked: list[Any], postgres_url: str) -> None:
    with db.engine.connect() as connection:
        connection.execute(text("LISTEN something"))
        connection.commit()
    with psycopg2.connect(postgres_url) as other, other.cursor() as cursor:
        cursor.execute("NOTIFY something")
    other.close()
    before = _backend()
    assert len(asked) == 1
    assert _backend() == before
    assert len(asked) == 1
