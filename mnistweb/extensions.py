"""The Flask extensions, made once and bound to an application by `create_app`."""

import sqlite3
from typing import Any

import psycopg2.extensions
from flask_compress import Compress
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from flask_wtf import CSRFProtect
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from mnistweb.database import timeouts as deadline
from mnistweb.database.models import Base


class PatientSession(Session):
    """A session that ends also where its connection has just broken."""

    def close(self) -> None:
        """Give the connection back. The answer is made by now, and must not fail because of this."""
        try:
            super().close()
        except DBAPIError:
            self.invalidate()


# Rows are read after the commit (they are the answer), and must not be fetched again for it.
db = SQLAlchemy(model_class=Base, session_options={"class_": PatientSession, "expire_on_commit": False})
migrate = Migrate()
csrf = CSRFProtect()
compress = Compress()


@event.listens_for(Engine, "connect")
def prepare_postgresql(connection: Any, _record: Any) -> None:
    """Let PostgreSQL walk one index from the newest on, and not read two to the end to join them."""
    if isinstance(connection, psycopg2.extensions.connection):
        with connection.cursor() as cursor:
            cursor.execute("SET enable_bitmapscan = off")
            deadline.bound(cursor)
        connection.commit()


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let SQLite's readers go on while one writes, writers wait for each other, and wipe what is deleted."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
