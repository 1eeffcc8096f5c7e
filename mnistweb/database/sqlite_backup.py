"""Backup and restoration of an SQLite database, by SQLite's online backup: the site may keep running."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from mnistweb.database.sqlite_files import draft_of, is_open_elsewhere, move, set_aside

REQUIRED = {"alembic_version", "prediction"}
BUSY_TIMEOUT = 30.0
"""Seconds to wait while another process writes."""


class BackupError(Exception):
    """A backup or a restoration that failed and changed nothing; the message says why."""


class DamagedDatabase(BackupError):
    """A file that is no database, or a damaged one, or one of another site."""


def back_up(database: Path, target: Path) -> int:
    """Write the whole database to the file `target`, and return its number of predictions.

    The file appears only when it is complete, has been read back, and is on the disk. Raises BackupError.
    """
    with _failures("The backup failed"), draft_of(target) as draft:
        if target.exists() and target.samefile(database):
            raise BackupError("The database cannot be its own backup.")
        _copy(database, draft)
        _make_single_file(draft)
        predictions = count_rows(draft)["prediction"]
        move(draft, target)
    return predictions


def restore(backup: Path, database: Path, migrate: Callable[[Path], None]) -> int:
    """Replace the content of the database by that of a backup, and return its number of predictions.

    The backup is checked, copied beside the database and brought to the newest version by `migrate`. If no
    row was lost, it takes the database's place in one transaction. The former one stays, as "FILE.replaced".
    A damaged database has no transactions, so it is replaced only while no other process has it open. Raises
    BackupError.
    """
    with _failures("The restoration failed, and the database is as it was"), draft_of(database) as draft:
        counts = count_rows(backup)
        _copy(backup, draft)
        if count_rows(draft) != counts:
            raise BackupError(f"The copy has other rows than {backup}.")
        migrate(draft)
        _make_single_file(draft)
        if count_rows(draft)["prediction"] != counts["prediction"]:
            raise BackupError("The migrated copy has another number of predictions.")
        former = database.with_name(f"{database.name}.replaced")
        if _is_sound(database):
            _use_log(database)
            # Both in one transaction: what others wrote in between would be in neither of the two.
            _copy(draft, database, at_start=lambda: back_up(database, former))
        else:
            if is_open_elsewhere(database):
                raise BackupError(f"{database} is damaged, and another process uses it: stop the site first.")
            set_aside(database, former)
            move(draft, database)
    return counts["prediction"]


def count_rows(database: Path) -> dict[str, int]:
    """Read a whole database, and return the number of rows of each table. Raises DamagedDatabase."""
    try:
        with closing(_connect(database, "ro")) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            tables = [
                each[0] for each in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            ]
            counts = {
                table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
                for table in tables
            }
    except sqlite3.OperationalError:  # it cannot be opened now, or is locked
        raise
    except sqlite3.DatabaseError as error:
        raise DamagedDatabase(f"{database} cannot be read: {error}.") from error
    if problems != ["ok"]:
        raise DamagedDatabase(f"{database} is damaged: {problems[0]}.")
    if not counts.keys() >= REQUIRED:
        raise DamagedDatabase(f"{database} is no database of this site.")
    return counts


def _is_sound(database: Path) -> bool:
    try:
        return database.exists() and bool(count_rows(database))
    except DamagedDatabase:
        return False


def _copy(source: Path, target: Path, at_start: Callable[[], object] | None = None) -> None:
    """Copy a database into another in one transaction, and call `at_start` at its start.

    With `at_start` nobody may write to the source.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    waiting = [at_start] if at_start else []

    def check(status: int, _remaining: int, _total: int) -> None:
        # SQLite's own function would try for ever.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise BackupError("Another process has been writing for too long.")
        if status == sqlite3.SQLITE_OK and waiting:
            waiting.pop()()

    pages = 1 if at_start else -1  # the first of several steps starts the transaction, the last one commits
    with closing(_connect(source, "ro")) as reader, closing(_connect(target, "rwc")) as writer:
        reader.backup(writer, pages=pages, progress=check)


def _use_log(database: Path) -> None:
    """Let others read the database while one writes, as the site does."""
    with closing(_connect(database, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _make_single_file(database: Path) -> None:
    """Move the content of the write-ahead log into the database's own file."""
    with closing(_connect(database, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _connect(database: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(database))}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT)


@contextmanager
def _failures(sentence: str) -> Iterator[None]:
    """Turn errors of SQLite and of the disk into a BackupError."""
    try:
        yield
    except BackupError as error:
        raise BackupError(f"{sentence}. {error}") from error
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{sentence}: {error}.") from error
