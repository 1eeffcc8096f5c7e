"""The files of an SQLite database: drafts, their move to a final name, and damaged files."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMPANIONS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""
SHARED_LOCK = (510, 0x40000002)
"""Number and offset of the bytes that a connection locks: SQLite's file format fixes them."""


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """Make an empty file beside the target, for its owner alone, and remove it in the end."""
    draft = target.with_name(f"{target.name}.part.{os.getpid()}")
    files = [draft.with_name(draft.name + suffix) for suffix in ("", *COMPANIONS)]
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def move(draft: Path, target: Path) -> None:
    """Give a file its name once it is on the disk."""
    _sync(draft)
    draft.replace(target)
    _sync(target.parent)


def set_aside(database: Path, former: Path) -> None:
    """Give a database a second name, `former`, and take away what would be read together with its successor.

    A process that opened it in the last moment goes on in these files, so they keep what it writes.
    """
    for suffix in ("", *COMPANIONS):
        source, target = (path.with_name(path.name + suffix) for path in (database, former))
        target.unlink(missing_ok=True)
        if source.exists():
            target.hardlink_to(source)
            if suffix:
                source.unlink()


def is_open_elsewhere(database: Path) -> bool:
    """Return whether another process has the database open: with a log, each connection keeps a lock."""
    if not database.exists():
        return False
    file = os.open(database, os.O_RDWR)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *SHARED_LOCK)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
