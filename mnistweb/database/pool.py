"""Pre-ping: check pooled PostgreSQL connections on checkout, and replace the broken ones.

SQLAlchemy's own pre-ping costs a round trip each time. This one takes microseconds, because it looks at the
socket: a healthy idle connection receives nothing. The database is asked only if something has arrived, or
after a long idle time, when a firewall may have dropped the connection.
"""

import select
import time
from collections.abc import Callable
from typing import Any

from psycopg2 import Error
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

IDLE_LIMIT = 30.0
"""Seconds in the pool after which a connection is asked in any case."""
IDLE_SINCE = "mnistweb-idle-since"


def pre_ping(engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
    """Let a PostgreSQL `engine` hand out only connections that work."""

    def note_idle(_: Any, record: ConnectionPoolEntry) -> None:
        record.info[IDLE_SINCE] = clock()

    def check(connection: PsycopgConnection, record: ConnectionPoolEntry, _: Any) -> None:
        idle_since = record.info.pop(IDLE_SINCE, None)
        if idle_since is None:  # a new connection
            return
        try:
            if clock() - idle_since > IDLE_LIMIT or _has_input(connection):
                engine.dialect.do_ping(connection)  # type: ignore[arg-type]
        except Error as error:
            raise InvalidatePoolError from error  # the pool replaces it, and all that are as old

    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkin", note_idle)
        event.listen(engine, "checkout", check)


def _has_input(connection: PsycopgConnection) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
