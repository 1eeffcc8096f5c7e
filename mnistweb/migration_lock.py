"""Of several replicas that start at once, one migrates while the others wait for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select

# Any number will do that nothing else in the same database uses.
KEY = 20261122
PAUSE = 0.2


@contextmanager
def migration_lock(connection: Connection) -> Iterator[None]:
    """Hold PostgreSQL's advisory lock of the migrations, having waited for it; SQLite needs none.

    The lock belongs to the connection: it ends with this block, and with a process that dies.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    # Asked for again and again: a statement that waits would hold a snapshot, for which
    # CREATE INDEX CONCURRENTLY in the process that has the lock would wait in turn.
    while not connection.scalar(select(func.pg_try_advisory_lock(KEY))):
        connection.rollback()
        time.sleep(PAUSE)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(select(func.pg_advisory_unlock(KEY)))
        connection.commit()
