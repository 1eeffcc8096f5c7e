"""Query timeouts, on client and server, for a database that accepts packets but never answers.

TCP's own timeouts do not help there: the other machine's kernel still acknowledges packets. They hold for
requests only: a migration or a recount may take longer.
"""

import select
import time
from typing import Any

import psycopg2
from flask import has_request_context
from psycopg2 import extensions

QUERY_TIMEOUT = 3.0
"""Seconds that the client waits for the result of a query; the site's queries take milliseconds."""
STATEMENT_TIMEOUT = 2.5
"""Seconds after which PostgreSQL cancels a statement: before the client gives up."""
IDLE_TRANSACTION_TIMEOUT = 20.0
"""Seconds after which PostgreSQL ends an idle transaction, and frees the locks of a frozen process."""


def wait(connection: extensions.connection) -> None:
    """Wait for the result of a query. Within a request, raises OperationalError after QUERY_TIMEOUT.

    psycopg2 then closes the connection, and PostgreSQL rolls back its transaction.
    """
    deadline = time.monotonic() + QUERY_TIMEOUT if has_request_context() else None
    while (state := connection.poll()) != extensions.POLL_OK:
        poll = select.poll()
        poll.register(connection, select.POLLOUT if state == extensions.POLL_WRITE else select.POLLIN)
        if not poll.poll(None if deadline is None else max(deadline - time.monotonic(), 0) * 1000):
            raise psycopg2.OperationalError(f"the database has not answered for {QUERY_TIMEOUT:.0f} seconds")


def set_server_timeouts(cursor: Any) -> None:
    """Set PostgreSQL's timeouts for a connection that a request opens."""
    if has_request_context():
        cursor.execute(
            f"SET statement_timeout = {STATEMENT_TIMEOUT * 1000:.0f}; "
            f"SET idle_in_transaction_session_timeout = {IDLE_TRANSACTION_TIMEOUT * 1000:.0f}"
        )


def install() -> None:
    """Apply `wait` to every connection of this process, also while it is being opened."""
    extensions.set_wait_callback(wait)
