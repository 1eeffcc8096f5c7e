"""A connection that broke while it was lying in the pool is replaced before a request asks through it.

SQLAlchemy's own pings ask the database each time. Here the connection's socket is looked at, which takes
microseconds: nothing arrives there unasked but the end. Only one that lay for long, which a firewall may have
forgotten, or at which something has arrived, is asked whether it still lives.
"""

import select
import time
from typing import Any

from psycopg2 import Error
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

KEY = "mnistweb-lies-since"
LONG = 30.0
"""Seconds."""


def watch(engine: Engine) -> None:
    """Let a PostgreSQL `engine` give only connections that live."""

    def check(connection: PsycopgConnection, record: ConnectionPoolEntry, _: Any) -> None:
        lies_since = record.info.pop(KEY, None)
        if lies_since is None:  # made just now
            return
        try:
            if time.monotonic() - lies_since > LONG or _has_news(connection):
                engine.dialect.do_ping(connection)  # type: ignore[arg-type]
        except Error as error:
            raise InvalidatePoolError from error  # the pool makes it anew, and each that is as old

    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkin", _note)
        event.listen(engine, "checkout", check)


def _note(_: Any, record: ConnectionPoolEntry) -> None:
    record.info[KEY] = time.monotonic()


def _has_news(connection: PsycopgConnection) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
