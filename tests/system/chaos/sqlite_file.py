"""An SQLite file on a small disk."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.system.chaos.disk import Disk, disk

MEGABYTES = 24


class SqliteFile:
    """The file of a site that has no other database."""

    def __init__(self, its_disk: Disk) -> None:
        self.disk = its_disk
        self.path = its_disk.folder / "mnistweb.sqlite3"
        self.site_url = f"sqlite:///{self.path}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def empty_disk(self) -> None:
        """Free the disk's space."""
        self.disk.empty()


@contextmanager
def sqlite_file() -> Iterator[SqliteFile]:
    """Give a file that does not exist yet."""
    with disk(MEGABYTES) as its_disk:
        yield SqliteFile(its_disk)
