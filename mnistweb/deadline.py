"""No request waits for a database that holds the connection and says nothing, as a frozen one does.

TCP's own timeouts don't help there: the other machine's kernel still confirms what arrives. What is no
request, such as a migration or a recount, may take its time.
"""

import select
import time

import psycopg2
from flask import has_request_context
from psycopg2 import extensions

PATIENCE = 3.0
"""Seconds for one exchange; what the site asks takes milliseconds."""


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


def install() -> None:
    """Let every connection of this process wait so, those that are being made included."""
    extensions.set_wait_callback(wait)
