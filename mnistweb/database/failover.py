"""Failover: after it, no pooled connection to a server that accepts no writes is used again.

DATABASE_URL may name several servers, of which the driver chooses one that accepts writes.
"""

from typing import Any

from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

READ_ONLY_TRANSACTION = "25006"
GONE = {READ_ONLY_TRANSACTION, "57P01", "57P02", "57P03"}
"""SQLSTATE of a server that accepts no writes, shuts down, crashed, or cannot connect now."""
SILENCE = 1.5
"""Seconds after which a server that acknowledges nothing is given up, also while a connection is opened.

A request waits twice as long (QUERY_TIMEOUT), so that the next server gets its turn. A lost packet is sent
anew within this time: the first one of a connection once, later ones three times.
"""
READ_ONLY = text("SELECT current_setting('transaction_read_only') = 'on'")


def connect_args(url: str | URL) -> dict[str, Any]:
    """Return the driver's arguments that bound the wait for a server which is switched off or cut off."""
    if make_url(url).get_backend_name() != "postgresql":
        return {}
    # The first has no effect where the driver does not wait itself, as in the site (timeouts.py).
    return {"connect_timeout": 2, "tcp_user_timeout": round(SILENCE * 1000)}


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
