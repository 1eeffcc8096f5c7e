"""Turns of those who write to SQLite."""

import fcntl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mnistweb.database import turns
from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.turns import turn_to_write


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with a table."""
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE number (number INTEGER)"))
    yield engine
    engine.dispose()


def test_writers_come_one_after_the_other(engine: Engine, tmp_path: Path) -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def write() -> None:
        nonlocal inside, most
        with Session(engine) as session, turn_to_write(session):
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, inside) == (1, 0)
    assert (tmp_path / "a.sqlite3-turn").stat().st_mode & 0o077 == 0


def test_writers_give_up_together_while_another_process_writes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WRITE_TIMEOUT", 0.3)
    failures: list[Exception] = []

    def insert() -> None:
        with Session(engine) as session:
            with turn_to_write(session):
                session.execute(text("INSERT INTO number VALUES (1)"))
            session.commit()

    def fail() -> None:
        try:
            insert()
        except DATABASE_ERRORS as error:
            failures.append(error)

    threads = [threading.Thread(target=fail) for _ in range(8)]
    with engine.connect() as other:
        other.execute(text("INSERT INTO number VALUES (2)"))
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 4 * turns.WRITE_TIMEOUT  # not one after the other
        assert len(failures) == len(threads)
        other.rollback()
    insert()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT sum(number) FROM number")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 5000


def test_process_that_hangs_is_waited_for_in_vain(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WRITE_TIMEOUT", 0.02)
    with (tmp_path / "a.sqlite3-turn").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with Session(engine) as session, turn_to_write(session):
            pass
    with Session(engine) as session, turn_to_write(session):
        pass


def test_missing_folder_is_what_the_driver_complains_about() -> None:
    engine = create_engine("sqlite:////nowhere/at/all.sqlite3")
    unable = pytest.raises(OperationalError, match="unable to open")
    with Session(engine) as session, unable, turn_to_write(session):
        pytest.fail("there is nothing to write to")


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg2:///a"])
def test_nothing_is_left_elsewhere(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Session(create_engine(url)) as session, turn_to_write(session):
        pass
    assert not list(tmp_path.iterdir())
