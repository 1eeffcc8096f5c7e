"""Turns of those who write to SQLite."""

import fcntl
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from mnistweb.database import turns
from mnistweb.database.turns import turn_to_write


def test_writers_come_one_after_the_other(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    inside, most = 0, 0
    lock = threading.Lock()

    def write() -> None:
        nonlocal inside, most
        with turn_to_write(engine):
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


def test_process_that_hangs_is_waited_for_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_TIMEOUT", 0.02)
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with (tmp_path / "a.sqlite3-turn").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with turn_to_write(engine):
            pass
    with turn_to_write(engine):
        pass


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:////nowhere/at/all.sqlite3", "postgresql+psycopg2:///a"]
)
def test_nothing_is_left_elsewhere(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with turn_to_write(create_engine(url)):
        pass
    assert not list(tmp_path.iterdir())
