"""The interface of all formats, and their classes and splits."""

from typing import Protocol

from mnistweb.datasets.records import Record, Split

CLASSES = (*map(str, range(10)), "not a digit")
SPLITS: tuple[Split, ...] = ("train", "test")


class Writer(Protocol):
    """Writes the records of one export to files in one format."""

    def add(self, record: Record) -> bool:
        """Write a record; False if the format has no place for it."""

    def close(self) -> None:
        """Complete the files."""
