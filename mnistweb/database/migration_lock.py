"""Of several replicas that start at once, one migrates while the others wait for it, and the site goes on."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import OperationalError

logger = logging.getLogger(__name__)

# Any number will do that nothing else in the same database uses.
KEY = 20261122
PAUSE = 0.2
LOCK_TIMEOUT = 0.5
"""Seconds that a migration waits for a table; whoever comes later, to read or to write, waits behind it."""
BREATH = 1.0
"""Seconds between two attempts, in which the others go on."""
ATTEMPTS = 200
LOCK_NOT_AVAILABLE = "55P03"


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


def without_queues(connection: Connection, work: Callable[[Connection], None]) -> None:
    """Do the work again and again until nobody else's long transaction is in its way.

    What is done outside a transaction waits as long as it must: nobody waits behind that. Raises
    OperationalError after some minutes.
    """
    if connection.dialect.name != "postgresql":
        work(connection)
        return None

    def bound(began: Connection) -> None:
        began.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT * 1000:.0f}")

    event.listen(connection, "begin", bound)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return work(connection)
            except OperationalError as error:
                if getattr(error.orig, "pgcode", None) != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS:
                    raise
                connection.rollback()
                if attempt == 1:
                    logger.warning("A migration waits until a long transaction on the same table has ended.")
                time.sleep(BREATH)
    finally:
        event.remove(connection, "begin", bound)
