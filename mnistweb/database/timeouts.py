"""No request waits for a database that holds the connection and says nothing, as a frozen one does.

TCP's own timeouts don't help there: the other machine's kernel still confirms what arrives. What is no
request, such as a migration or a recount, may take its time.
"""

import select
import time
from typing import Any

import psycopg2
from flask import has_request_context
from psycopg2 import extensions

PATIENCE = 3.0
"""Seconds for one exchange; what the site asks takes milliseconds."""
ENDURANCE = 2.5
"""Seconds after which PostgreSQL gives a statement up, which it would else work on for nobody."""
IDLENESS = 20.0
"""Seconds after which it ends a transaction of a process that has stopped, and so what that had locked."""


def wait(connection: extensions.connection) -> None:
    """Wait for the answer to what was asked on a connection; in a request OperationalError after PATIENCE.

    psycopg2 then closes the connection, and PostgreSQL rolls back what was not committed on it.
    """
    ends = time.monotonic() + PATIENCE if has_request_context() else None
    while (state := connection.poll()) != extensions.POLL_OK:
        poll = select.poll()
        poll.register(connection, select.POLLOUT if state == extensions.POLL_WRITE else select.POLLIN)
        if not poll.poll(None if ends is None else max(ends - time.monotonic(), 0) * 1000):
            raise psycopg2.OperationalError(f"the database has not answered for {PATIENCE:.0f} seconds")


def bound(cursor: Any) -> None:
    """Let PostgreSQL give up by itself what a request asks, on a connection that a request makes."""
    if has_request_context():
        cursor.execute(
            f"SET statement_timeout = {ENDURANCE * 1000:.0f}; "
            f"SET idle_in_transaction_session_timeout = {IDLENESS * 1000:.0f}"
        )


def install() -> None:
    """Let every connection of this process wait so, those that are being made included."""
    extensions.set_wait_callback(wait)
