"""Log of database failures: one line, not one for each request that meets the same outage."""

import logging
import threading
import time
from collections.abc import Callable

from flask import current_app

logger = logging.getLogger(__name__)

EXTENSION = "mnistweb-outage-log"
INTERVAL = 60.0
"""Seconds between two lines while the database keeps failing."""


class OutageLog:
    """Logs the first failure at once, and then the number of further ones, once in INTERVAL."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0
        self._omitted = 0

    def report(self, sentence: str, error: BaseException) -> None:
        """Log a failure, or count it."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                self._omitted += 1
                return
            omitted, self._omitted, self._next = self._omitted, 0, now + INTERVAL
        more = f" ({omitted} more failures since the last line.)" if omitted else ""
        logger.error("%s %s%s", sentence, first_line(error), more)


def report_outage(sentence: str, error: BaseException) -> None:
    """Report a failure to the log of the current application."""
    log: OutageLog = current_app.extensions.setdefault(EXTENSION, OutageLog())
    log.report(sentence, error)


def first_line(error: BaseException) -> str:
    """Return the first line of the driver's message; the next ones may quote a row or a statement."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
