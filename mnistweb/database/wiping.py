"""Wiping of deleted rows from SQLite's write-ahead log, which keeps earlier versions of its pages.

In the database itself they are overwritten (secure_delete). On PostgreSQL that is the server's task.
"""

import sqlite3
from weakref import WeakSet

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from mnistweb.database.busy_timeout import busy_timeout

BUSY_TIMEOUT = 0.2
"""Seconds to wait until other processes have stopped reading the log."""
_pending: "WeakSet[Engine]" = WeakSet()


def wipe(engine: Engine) -> None:
    """Empty the log after a deletion. While others read it, this is left for `wipe_pending`."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect() as connection, busy_timeout(connection, BUSY_TIMEOUT) as driver:
            [(busy, _, _)] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (SQLAlchemyError, sqlite3.Error):  # such as a full disk; the change itself is committed
        busy = True
    if busy:
        _pending.add(engine)
    else:
        _pending.discard(engine)


def wipe_pending(engine: Engine) -> None:
    """Empty the log if that was impossible at the last deletion."""
    if engine in _pending:
        wipe(engine)
