"""Migrations by several processes at once, and beside long transactions."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_database_app
from mnistweb.database import migration_lock as locking
from mnistweb.database.migration_lock import migration_lock, with_lock_timeout
from mnistweb.extensions import db
from tests.support.servers import COMMAND
from tests.support.sites import SECRET


@pytest.fixture
def before_a_column(empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A database whose next migration alters the table of predictions."""
    monkeypatch.setattr(locking, "LOCK_TIMEOUT", 0.2)
    monkeypatch.setattr(locking, "RETRY_PAUSE", 0.2)
    url = empty_database.url.render_as_string(hide_password=False)
    app = create_database_app({"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": SECRET})
    with app.app_context():
        flask_migrate.upgrade(revision="0004")
    return app


def wait_for_clients(connection: Connection, count: int) -> None:
    """Wait until `count` others are connected to the same database."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for _ in range(600):
        if connection.scalar(others) == count:
            return
        connection.rollback()  # the view is read once per transaction
        time.sleep(0.05)
    pytest.fail(f"{count} processes did not connect")


@pytest.mark.process
def test_one_of_several_processes_migrates(empty_database: Engine, tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": empty_database.url.render_as_string(hide_password=False),
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": "",
    }
    with empty_database.connect() as connection:
        with migration_lock(connection):
            processes = [
                subprocess.Popen([*COMMAND, "migrate"], env=environment, stderr=subprocess.PIPE, text=True)
                for _ in range(2)
            ]
            wait_for_clients(connection, len(processes))
            time.sleep(0.5)  # long enough to migrate, if they did not wait
            assert inspect(connection).get_table_names() == []
            assert [process.poll() for process in processes] == [None, None]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
        assert "prediction" in inspect(connection).get_table_names()


def test_failure_releases_the_lock(empty_database: Engine) -> None:
    with empty_database.connect() as connection, empty_database.connect() as other:
        with pytest.raises(ZeroDivisionError), migration_lock(connection):
            raise ZeroDivisionError
        with migration_lock(other):
            pass


def test_queries_do_not_queue_behind_a_migration(before_a_column: Flask, empty_database: Engine) -> None:
    look = text("SELECT count(*) FROM prediction")
    waits: list[float] = []

    def look_on() -> None:
        ends = time.monotonic() + 1.5
        with empty_database.connect() as busy:
            busy.execute(look)  # and does not end its transaction
            started.set()
            while time.monotonic() < ends:
                asked = time.monotonic()
                with empty_database.begin() as connection:
                    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                    connection.execute(look)
                waits.append(time.monotonic() - asked)
                time.sleep(0.02)

    started = threading.Event()
    reader = threading.Thread(target=look_on)
    reader.start()
    assert started.wait(10)
    with before_a_column.app_context():
        flask_migrate.upgrade()
        columns = [column["name"] for column in inspect(db.engine).get_columns("prediction")]
        db.engine.dispose()
    reader.join(30)
    assert "request_key" in columns
    assert len(waits) > 3
    assert max(waits) < 2


def test_migration_gives_up_after_its_attempts(
    before_a_column: Flask, empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "MAX_ATTEMPTS", 2)
    with empty_database.connect() as busy, before_a_column.app_context():
        busy.execute(text("SELECT count(*) FROM prediction"))
        with pytest.raises(OperationalError, match="lock timeout"):
            flask_migrate.upgrade()
        columns = [column["name"] for column in inspect(busy).get_columns("prediction")]
        assert "request_key" not in columns
        db.engine.dispose()


def test_each_fifth_attempt_outlasts_the_deadlock_timeout(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "RETRY_PAUSE", 0)
    timeouts: list[str] = []

    def blocked(connection: Connection) -> None:
        timeouts.append(connection.scalar(text("SHOW lock_timeout")))
        if len(timeouts) < 11:
            raise OperationalError("", {}, SimpleNamespace(pgcode=locking.LOCK_NOT_AVAILABLE))  # type: ignore[arg-type]

    with empty_database.connect() as connection:
        connection.exec_driver_sql("SET deadlock_timeout = '2s'")
        connection.commit()
        with_lock_timeout(connection, blocked)
    assert timeouts == [*["500ms"] * 4, "2500ms"] * 2 + ["500ms"]


@pytest.fixture
def vacuumed_table(empty_database: Engine) -> Iterator[str]:
    """A table of which PostgreSQL makes an autovacuum that takes minutes."""
    slow = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    soon = "autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0"
    with empty_database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET autovacuum_naptime = 1")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        try:
            connection.exec_driver_sql(f"CREATE TABLE large (text text) WITH ({slow}, {soon})")
            connection.exec_driver_sql(
                "INSERT INTO large SELECT repeat('x', 1000) FROM generate_series(1, 20000)"
            )
            connection.exec_driver_sql("DELETE FROM large")
            wait_for_vacuum(connection)
            yield "large"
        finally:
            connection.exec_driver_sql("ALTER SYSTEM RESET autovacuum_naptime")
            connection.exec_driver_sql("SELECT pg_reload_conf()")


def wait_for_vacuum(connection: Connection) -> None:
    for _ in range(600):
        if connection.scalar(text("SELECT count(*) FROM pg_stat_progress_vacuum")):
            return
        time.sleep(0.1)
    pytest.fail("no autovacuum began")


def test_migration_ends_an_autovacuum_that_is_in_the_way(
    vacuumed_table: str, empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "RETRY_PAUSE", 0.1)

    def migrate(connection: Connection) -> None:
        connection.exec_driver_sql(f"ALTER TABLE {vacuumed_table} ADD COLUMN number integer")
        connection.commit()

    with empty_database.connect() as connection:
        with_lock_timeout(connection, migrate)
        columns = [column["name"] for column in inspect(connection).get_columns(vacuumed_table)]
    assert columns == ["text", "number"]
