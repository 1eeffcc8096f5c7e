"""Turns of those who write to SQLite.

SQLite lets one connection write. The others ask again after ever longer pauses, so that one may wait for long
while others come and go. Here the threads of a process stand in line. Of all processes only one thread at a
time asks SQLite: it is the next to write.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import exc
from sqlalchemy.orm import Session

from mnistweb.database.busy_timeout import busy_timeout
from mnistweb.database.sqlite_path import sqlite_path

PAUSE = 0.001
"""Seconds between two looks at the line."""
WRITE_TIMEOUT = 3.0
"""Seconds in the line and for SQLite together, after which a writer gives up."""

_line = threading.Lock()


@contextmanager
def turn_to_write(session: Session) -> Iterator[None]:
    """Be the next to write to SQLite, until the block ends, which begins a transaction.

    Other databases need no turns. Raises TimeoutError, and the block SQLite's OperationalError, if others
    write for WRITE_TIMEOUT.
    """
    path = sqlite_path(session.get_bind().engine)
    if not path:
        yield
        return
    deadline = time.monotonic() + WRITE_TIMEOUT
    if not _line.acquire(timeout=WRITE_TIMEOUT):
        raise exc.TimeoutError(f"others have been writing for {WRITE_TIMEOUT:.0f} seconds")
    try:
        with _next(path, deadline), busy_timeout(session.connection(), _left(deadline)):
            yield
    finally:
        _line.release()


@contextmanager
def _next(path: str, deadline: float) -> Iterator[None]:
    file = None
    with suppress(OSError):  # then SQLite says what is wrong
        # A file of its own: SQLite would lose its locks if another descriptor of its file was closed.
        file = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT, 0o600)
        # SQLite is asked in any case, since another process may hang.
        while not _is_free(file) and _left(deadline):
            time.sleep(PAUSE)
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0)


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
