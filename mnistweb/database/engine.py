"""The session class, and how database connections are opened and configured."""

import logging
import os
import sqlite3
import stat
from contextlib import suppress
from typing import Any

import psycopg2.extensions
from flask_sqlalchemy.session import Session
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DBAPIError

from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.database import timeouts
from mnistweb.database.outage_log import first_line
from mnistweb.database.sqlite_path import sqlite_path

BREAKER_PAUSE = 2.0
"""Seconds between two attempts to connect to a database that cannot be reached."""

logger = logging.getLogger(__name__)


class FailsafeSession(Session):
    """A session that can be closed after its connection broke."""

    def close(self) -> None:
        """Return the connection to the pool. A failure is ignored: the response has been made by now."""
        try:
            super().close()
        except DBAPIError:
            self.invalidate()


class _Connector:
    """Opens connections. After a failure the next attempts fail at once, with the same error.

    An outage is logged in one line at its beginning, and one at its end.
    """

    def __init__(self) -> None:
        self._breaker = CircuitBreaker(1, BREAKER_PAUSE)
        self._error = Exception()
        self._away = False

    def connect(self, dialect: Dialect, _record: Any, arguments: tuple[Any, ...], options: Any) -> Any:
        """Return a new connection of the driver. Raises the driver's error, or that of the last attempt."""
        if not self._breaker.allows_call():
            raise type(self._error)(*self._error.args)
        try:
            connection = dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.Error as error:
            self._error = error
            self._breaker.record_failure()
            if not self._away:
                logger.error("The database cannot be reached: %s", first_line(error))
            self._away = True
            raise
        self._breaker.record_success()
        if self._away:
            logger.warning("The database can be reached again.")
        self._away = False
        return connection


def keep_private(engine: Engine) -> None:
    """Let the file of an SQLite database, and SQLite's files beside it, belong to their owner alone."""
    path = sqlite_path(engine)
    if not path:
        return

    def make_private(*_: Any) -> None:
        # SQLite creates its other files with the mode of the database. If this fails, SQLite says why. A file
        # that exists is not opened: closing it would end the locks of all connections of this process.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        with suppress(OSError):
            for file in (path, f"{path}-wal", f"{path}-shm"):
                if (mode := stat.S_IMODE(os.stat(file).st_mode)) & 0o077:  # noqa: PTH116
                    os.chmod(file, mode & 0o700)  # noqa: PTH101

    event.listen(engine, "do_connect", make_private)


def fail_fast(engine: Engine) -> None:
    """Let no request wait for a database that could not be reached a moment ago."""
    event.listen(engine, "do_connect", _Connector().connect)


@event.listens_for(Engine, "connect")
def prepare_postgresql(connection: Any, _record: Any) -> None:
    """Set PostgreSQL's timeouts, and make it walk one index, newest first, instead of joining two."""
    if isinstance(connection, psycopg2.extensions.connection):
        with connection.cursor() as cursor:
            cursor.execute("SET enable_bitmapscan = off")
            timeouts.set_server_timeouts(cursor)
        connection.commit()


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let SQLite read while one connection writes, make writers wait, and wipe deleted rows from the file."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
