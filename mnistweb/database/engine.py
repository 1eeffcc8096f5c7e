"""The session class, and the settings of every new database connection."""

import sqlite3
from typing import Any

import psycopg2.extensions
from flask_sqlalchemy.session import Session
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from mnistweb.database import timeouts


class FailsafeSession(Session):
    """A session that can be closed after its connection broke."""

    def close(self) -> None:
        """Give the connection back. The response is made by now, and must not fail because of this."""
        try:
            super().close()
        except DBAPIError:
            self.invalidate()


@event.listens_for(Engine, "connect")
def prepare_postgresql(connection: Any, _record: Any) -> None:
    """Make PostgreSQL walk one index, newest first, instead of joining two of them, and set its timeouts."""
    if isinstance(connection, psycopg2.extensions.connection):
        with connection.cursor() as cursor:
            cursor.execute("SET enable_bitmapscan = off")
            timeouts.bound(cursor)
        connection.commit()


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let SQLite read while one connection writes, make writers wait, and wipe deleted rows from the file."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
