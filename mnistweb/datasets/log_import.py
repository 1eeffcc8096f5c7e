"""Import of another site's log: checked from the first byte to the last before anything is written."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from mnistweb.datasets.additions import Added, add_entries
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.log_entries import MAX_LINE, Entry, parse_entry
from mnistweb.datasets.log_export import FILE
from mnistweb.datasets.manifest import read_manifest, sha256_of

BATCH = 200
"""Drawings that are added together, at most."""
BATCH_BYTES = 4 * 1024**2
"""Bytes of their lines, about: parsed, they take ten times as much."""
MAX_MESSAGE = 200
"""Characters of a message about a line, which may quote it."""


def drawings_in(folder: Path) -> int:
    """Return the number of drawings in an exported log, by its manifest. Raises DataSetError."""
    drawings = read_manifest(folder).counts.get("drawings")
    if not isinstance(drawings, int):
        raise DataSetError(f"{folder} has no number of drawings in its manifest.")
    return drawings


def import_log(folder: Path, advance: Callable[[int], None]) -> Added:
    """Add the drawings of an exported log that this one lacks, with their reviews and challenges.

    First the file's hash and each value are checked. Then drawings are added in batches; one that is
    interrupted adds nothing. `advance` is called twice for each drawing. Raises DataSetError.
    """
    file = folder / FILE
    drawings = drawings_in(folder)
    _check_hash(folder, file)
    found = 0
    for _ in _entries(file):
        found += 1
        advance(1)
    if found != drawings:
        raise DataSetError(f"{file} has {found:,} drawings, but its manifest says {drawings:,}.")
    total = Added()
    for batch in _batches(file):
        add_entries(batch, total)
        advance(len(batch))
    return total


def _check_hash(folder: Path, file: Path) -> None:
    if not file.is_file():
        raise DataSetError(f"{file} is missing: only an export with --format log can be imported.")
    expected = read_manifest(folder).files.get(FILE, {}).get("sha256")
    if sha256_of(file) != expected:
        raise DataSetError(f"{file} is not the file of its manifest: its hash differs.")


def _batches(file: Path) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for line, entry in _entries(file):
        batch.append(entry)
        size += line
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _entries(file: Path) -> Iterator[tuple[int, Entry]]:
    """Yield each entry with the bytes of its line. Raises DataSetError, which names the line."""
    try:
        with gzip.open(file, "rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE + 1), b""), 1):
                try:
                    yield len(line), parse_entry(line)
                except ValueError as error:
                    raise DataSetError(f"{file}, line {number:,}: {error!s:.{MAX_MESSAGE}}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataSetError(f"{file} cannot be read: {error}.") from None
