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

from sqlalchemy import Engine

from mnistweb.database.sqlite_path import sqlite_path

PAUSE = 0.001
TURN_TIMEOUT = 5.0
"""Seconds between two looks at the line, and until SQLite is asked in spite of it."""

_line = threading.Lock()


@contextmanager
def turn_to_write(engine: Engine) -> Iterator[None]:
    """Be the next to write to SQLite, until the block ends, which begins a transaction.

    Other databases need no turns.
    """
    path = sqlite_path(engine)
    if not path:
        yield
        return
    with _line, _next(path):
        yield


@contextmanager
def _next(path: str) -> Iterator[None]:
    file = None
    with suppress(OSError):  # then SQLite says what is wrong
        # A file of its own: SQLite would lose its locks if another descriptor of its file was closed.
        file = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + TURN_TIMEOUT
        while not _is_free(file) and time.monotonic() < deadline:
            time.sleep(PAUSE)
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
