"""A database that stops answering, or breaks the connection, in the middle of a request."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg2
import psycopg2.extensions
import pytest
from flask import Flask
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.database import timeouts
from mnistweb.extensions import db
from mnistweb.registry.follower import Follower
from tests.support.sites import SECRET


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site on PostgreSQL."""
    instance = str(tmp_path_factory.mktemp("instance"))
    return create_app({"DATABASE_URL": postgres_url, "INSTANCE_PATH": instance, "SECRET_KEY": SECRET})


def test_connecting_to_a_silent_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "QUERY_TIMEOUT", 0.3)
    timeouts.install()
    with Flask(__name__).test_request_context(), socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        with pytest.raises(psycopg2.OperationalError, match="has not answered"):
            psycopg2.connect(host="127.0.0.1", port=server.getsockname()[1])
    assert 0.3 <= time.monotonic() - started < 3


@pytest.fixture
def switched_off() -> Iterator[int]:
    """A port that drops every packet, as one of a server without power: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        if select.select([], [client], [], 0.2)[1]:
            pytest.skip("this system accepts connections beyond its queue")
        yield server.getsockname()[1]


@pytest.fixture
def after_one_switched_off(switched_off: int) -> Iterator[tuple[URL, threading.Event]]:
    """The URL of two servers, and an event: the second is reached, and closes the connection."""
    reached = threading.Event()

    def answer() -> None:
        second.accept()[0].close()
        reached.set()

    timeouts.install()
    with socket.create_server(("127.0.0.1", 0)) as second:
        hosts = [f"127.0.0.1:{port}" for port in (switched_off, second.getsockname()[1])]
        threading.Thread(target=answer, daemon=True).start()
        yield make_url("postgresql+psycopg2://me@/site").update_query_dict({"host": hosts}), reached


def test_request_comes_to_the_second_server_when_the_first_is_switched_off(
    after_one_switched_off: tuple[URL, threading.Event],
) -> None:
    url, reached = after_one_switched_off
    engine = create_engine(url, **config.engine_options(str(url), threads=1))
    with Flask(__name__).test_request_context(), pytest.raises(OperationalError, match="closed the"):
        engine.connect()
    assert reached.wait(10)


def test_follower_comes_to_the_second_server_when_the_first_is_switched_off(
    after_one_switched_off: tuple[URL, threading.Event],
) -> None:
    url, reached = after_one_switched_off
    follower = Follower(url, {}, lambda _name, _version: None)
    assert not follower.refresh()
    assert reached.is_set()
    follower.stop()


def test_query_without_an_answer_ends_its_connection(
    on_postgres: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_postgres.test_request_context():
        assert db.session.scalar(text("SELECT 1")) == 1
        monkeypatch.setattr(timeouts, "QUERY_TIMEOUT", 0.3)
        with pytest.raises(OperationalError, match="has not answered"):
            db.session.execute(text("SELECT pg_sleep(20)"))
        monkeypatch.undo()
        db.session.rollback()
        assert db.session.scalar(text("SELECT 2")) == 2
        db.session.remove()
        db.engine.dispose()


def test_slow_statement_is_cancelled_on_the_server(
    on_postgres: Flask, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "STATEMENT_TIMEOUT", 0.3)
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


def test_idle_transaction_is_ended_by_the_server(on_postgres: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "IDLE_TRANSACTION_TIMEOUT", 0.1)
    with on_postgres.test_request_context():
        db.session.scalar(text("SELECT 1"))
        connection = db.session.connection().connection.dbapi_connection
        assert isinstance(connection, psycopg2.extensions.connection)
        assert select.select([connection], [], [], 10)[0]  # until the server has closed it
        with pytest.raises(OperationalError, match="idle-in-transaction"):
            db.session.scalar(text("SELECT 2"))
        db.session.remove()
        db.engine.dispose()


def test_query_outside_a_request_has_no_timeout(on_postgres: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "QUERY_TIMEOUT", 0.3)
    with on_postgres.app_context():
        assert db.session.scalar(text("SELECT 5 FROM pg_sleep(0.6)")) == 5
        db.session.remove()
        db.engine.dispose()


def test_session_closes_after_its_connection_broke(on_postgres: Flask, postgres_url: str) -> None:
    with on_postgres.app_context():
        backend = db.session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg2.connect(postgres_url) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
        other.close()
        db.session.remove()  # as at the end of every request, when the response has been made
        assert db.session.scalar(text("SELECT 1")) == 1
        db.session.remove()
        db.engine.dispose()
