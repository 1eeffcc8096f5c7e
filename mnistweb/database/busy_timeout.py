"""The time for which SQLite asks again while another connection is in the way."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection


@contextmanager
def busy_timeout(connection: Connection, seconds: float) -> Iterator[sqlite3.Connection]:
    """Change it for a block, which gets the driver's connection."""
    driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    [(usual,)] = driver.execute("PRAGMA busy_timeout")
    driver.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")
    try:
        yield driver
    finally:
        driver.execute(f"PRAGMA busy_timeout={usual}")
