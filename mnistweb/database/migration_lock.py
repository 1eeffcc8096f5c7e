"""Lock and lock timeout for migrations: one replica migrates, the others wait, the site goes on."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import OperationalError

logger = logging.getLogger(__name__)

ADVISORY_LOCK = 20261122
"""An arbitrary number, which nothing else in the same database uses."""
POLL_INTERVAL = 0.2
"""Seconds between two attempts to get the advisory lock."""
LOCK_TIMEOUT = 0.5
"""Seconds that a migration waits for a table. Later queries on that table, also reads, wait behind it."""
RETRY_PAUSE = 1.0
"""Seconds between two attempts of a migration, in which waiting queries run."""
MAX_ATTEMPTS = 200
PATIENT_ATTEMPTS = 5
"""Each fifth attempt outlasts PostgreSQL's deadlock_timeout. Only then an autovacuum in the way is ended.

An autovacuum of a large table can take longer than all attempts together.
"""
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def migration_lock(connection: Connection) -> Iterator[None]:
    """Wait for the lock of the migrations, and hold it in this block.

    On PostgreSQL it is an advisory lock of the connection, for SQLite a lock on the file's folder. So it ends
    also with a process that dies.
    """
    if connection.dialect.name != "postgresql":
        with _folder_lock(connection.engine.url.database):
            yield
        return
    # Polling: a statement that waits would hold a snapshot, and CREATE INDEX CONCURRENTLY in the process that
    # has the lock would wait for that snapshot.
    while not connection.scalar(select(func.pg_try_advisory_lock(ADVISORY_LOCK))):
        connection.rollback()
        time.sleep(POLL_INTERVAL)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(select(func.pg_advisory_unlock(ADVISORY_LOCK)))
        connection.commit()


@contextmanager
def _folder_lock(database: str | None) -> Iterator[None]:
    if not database or not Path(database).parent.is_dir():  # in memory
        yield
        return
    folder = os.open(Path(database).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def with_lock_timeout(connection: Connection, work: Callable[[Connection], None]) -> None:
    """Do the work with a short lock timeout, and retry it while others hold its tables for long.

    Statements outside a transaction wait without a limit, since no query waits behind them. Raises
    OperationalError after MAX_ATTEMPTS.
    """
    if connection.dialect.name != "postgresql":
        work(connection)
        return None

    attempt = 1
    milliseconds = round(LOCK_TIMEOUT * 1000)

    def set_timeout(transaction: Connection) -> None:
        if attempt % PATIENT_ATTEMPTS:
            transaction.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
        else:
            transaction.exec_driver_sql(
                f"SELECT set_config('lock_timeout', (setting::integer + {milliseconds})::text, true) "  # noqa: S608 (a number)
                "FROM pg_settings WHERE name = 'deadlock_timeout'"
            )

    event.listen(connection, "begin", set_timeout)
    try:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return work(connection)
            except OperationalError as error:
                if getattr(error.orig, "pgcode", None) != LOCK_NOT_AVAILABLE or attempt == MAX_ATTEMPTS:
                    raise
                connection.rollback()
                if attempt == 1:
                    logger.warning("A migration waits for a long transaction or a vacuum of the same table.")
                time.sleep(RETRY_PAUSE)
    finally:
        event.remove(connection, "begin", set_timeout)
