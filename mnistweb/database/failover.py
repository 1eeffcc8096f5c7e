"""Failover: after it, no pooled connection to a server that accepts no writes is used again.

DATABASE_URL may name several servers, of which the driver chooses one that accepts writes.
"""

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

READ_ONLY_TRANSACTION = "25006"
GONE = {READ_ONLY_TRANSACTION, "57P01", "57P02", "57P03"}
"""SQLSTATE of a server that accepts no writes, shuts down, crashed, or cannot connect now."""
READ_ONLY = text("SELECT current_setting('transaction_read_only') = 'on'")


def replace_connections(engine: Engine) -> None:
    """After such an error, close the connection, and all pooled ones that are as old."""

    def mark(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "pgcode", None) in GONE:
            context.is_disconnect = True

    if engine.dialect.name == "postgresql":
        event.listen(engine, "handle_error", mark)


def is_refusal(error: DBAPIError) -> bool:
    """Return whether a server refused a statement because it accepts no writes; another may accept it."""
    return getattr(error.orig, "pgcode", None) == READ_ONLY_TRANSACTION


def accepts_writes(connection: Connection) -> bool:
    """Return whether the server accepts writes. If not, the next request gets a new connection."""
    engine = connection.engine
    if engine.dialect.name != "postgresql" or not connection.scalar(READ_ONLY):
        return True
    connection.invalidate()
    engine.dispose()
    return False
