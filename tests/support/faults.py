"""Database faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError


@contextmanager
def broken_log() -> Iterator[None]:
    """Make every insert of a prediction fail."""

    def fail(*given: Any) -> None:
        if "INTO prediction" in given[2]:
            raise OperationalError("INSERT", {}, Exception("the server closed the connection"))

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
