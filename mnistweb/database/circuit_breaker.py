"""While the database is away nobody waits for it: after an attempt that failed the next ones fail at once."""

import logging
import time
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (InterfaceError, OperationalError, PoolTimeout)
"""What a database that cannot be reached raises."""
PAUSE = 2.0
"""Seconds between two attempts to connect."""


class Outage:
    """Connects for one engine, and remembers when that failed."""

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._again_at = 0.0

    def connect(self, dialect: Dialect, _record: Any, arguments: tuple[Any, ...], options: Any) -> Any:
        """A new connection, from the driver. Raises what the driver raises, or what it raised just now."""
        now = time.monotonic()
        if self._error is not None:
            if now < self._again_at:
                raise type(self._error)(*self._error.args)
            self._again_at = now + PAUSE  # one tries; the others need not wait for how that ends
        try:
            connection = dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.Error as error:
            self._error, self._again_at = error, time.monotonic() + PAUSE
            logger.error("The database cannot be reached: %s", str(error).strip())
            raise
        self._error = None
        return connection


def watch(engine: Engine) -> None:
    """Let `engine` make its connections so."""
    event.listen(engine, "do_connect", Outage().connect)
