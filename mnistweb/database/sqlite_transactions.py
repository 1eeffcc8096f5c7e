"""Whole transactions on SQLite: its driver begins none before a statement that makes or changes a table."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection, event


@contextmanager
def whole_transactions(connection: Connection) -> Iterator[None]:
    """Let each transaction of this block begin with its first statement, whatever it is.

    So a migration that is interrupted leaves nothing behind. Other databases do so in any case.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    usual, driver.isolation_level = driver.isolation_level, None
    event.listen(connection, "begin", _begin)
    try:
        yield
    finally:
        event.remove(connection, "begin", _begin)
        connection.rollback()
        driver.isolation_level = usual


def _begin(connection: Connection) -> None:
    # At once as a writer: one that has read first could not wait for another writer.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
