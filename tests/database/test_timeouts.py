"""A database that goes or falls silent in the middle of a request."""

import socket
import time

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_app
from mnistweb.database import timeouts as deadline
from mnistweb.extensions import db
from tests.support.sites import SECRET


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site on PostgreSQL."""
    instance = str(tmp_path_factory.mktemp("instance"))
    return create_app({"DATABASE_URL": postgres_url, "INSTANCE_PATH": instance, "SECRET_KEY": SECRET})


def test_a_connection_that_is_made_to_silence_fails_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "PATIENCE", 0.3)
    deadline.install()
    with Flask(__name__).test_request_context(), socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        with pytest.raises(psycopg2.OperationalError, match="has not answered"):
            psycopg2.connect(host="127.0.0.1", port=server.getsockname()[1])
    assert 0.3 <= time.monotonic() - started < 3


def test_a_statement_that_is_not_answered_ends_its_connection(
    on_postgres: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_postgres.test_request_context():
        assert db.session.scalar(text("SELECT 1")) == 1
        monkeypatch.setattr(deadline, "PATIENCE", 0.3)
        with pytest.raises(OperationalError, match="has not answered"):
            db.session.execute(text("SELECT pg_sleep(20)"))
        monkeypatch.undo()
        db.session.rollback()
        assert db.session.scalar(text("SELECT 2")) == 2
        db.session.remove()
        db.engine.dispose()


def test_a_statement_that_takes_too_long_ends_on_the_server_too(
    on_postgres: Flask, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "ENDURANCE", 0.3)
    with on_postgres.test_request_context():
        backend = db.session.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(OperationalError, match="statement timeout"):
            db.session.execute(text("SELECT pg_sleep(20)"))
        with psycopg2.connect(postgres_url) as other, other.cursor() as cursor:
            cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (backend,))
            assert cursor.fetchone() == ("idle in transaction (aborted)",)
        other.close()
        db.session.rollback()
        assert db.session.scalar(text("SELECT pg_backend_pid()")) == backend
        db.session.remove()
        db.engine.dispose()


def test_a_process_that_stops_does_not_keep_what_it_has_locked(
    on_postgres: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "IDLENESS", 0.1)
    with on_postgres.test_request_context():
        db.session.scalar(text("SELECT 1"))
        time.sleep(0.5)
        with pytest.raises(OperationalError, match="idle-in-transaction"):
            db.session.scalar(text("SELECT 2"))
        db.session.remove()
        db.engine.dispose()


def test_what_is_no_request_may_take_its_time(on_postgres: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "PATIENCE", 0.3)
    with on_postgres.app_context():
        assert db.session.scalar(text("SELECT 5 FROM pg_sleep(0.6)")) == 5
        db.session.remove()
        db.engine.dispose()


def test_a_request_ends_well_whose_connection_broke_after_its_answer(
    on_postgres: Flask, postgres_url: str
) -> None:
    with on_postgres.app_context():
        backend = db.session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg2.connect(postgres_url) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
        other.close()
        db.session.remove()  # as at the end of every request, when the answer is made
        assert db.session.scalar(text("SELECT 1")) == 1
        db.session.remove()
        db.engine.dispose()
