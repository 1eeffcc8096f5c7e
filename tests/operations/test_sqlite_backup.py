"""`mnistweb backup` and `mnistweb restore`: nothing good is replaced by something bad."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import flask_migrate
import pytest
from click.testing import CliRunner, Result

from mnistweb.app import create_database_app
from mnistweb.cli import main
from mnistweb.database import sqlite_backup
from mnistweb.database.sqlite_backup import BackupError, count_rows
from mnistweb.database.sqlite_files import COMPANIONS
from mnistweb.extensions import db
from tests.support.rows import add, row
from tests.support.sites import SECRET, make_tables

ROWS = 30
PROGRAM = "from mnistweb.cli import main; main()"
KILLED = """
import os, signal, sys
from mnistweb.cli import main
from mnistweb.database import sqlite_backup
copy = sqlite_backup._copy

def kill_midway(source, target, **options):
    if target.name != os.environ["KILL_AT"] and os.environ["KILL_AT"] not in source.name:
        return copy(source, target, **options)
    reader, writer = sqlite_backup._connect(source, "ro"), sqlite_backup._connect(target, "rwc")
    reader.backup(writer, pages=5, progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))

sqlite_backup._copy = kill_midway
main()
"""
"""Kills itself while it copies to or from a file."""
SITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM prediction").fetchone(), flush=True)
sys.stdin.readline()
connection.execute(sys.argv[2])
connection.commit()
"""
"""Opens a database, and writes to it when it is told."""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a site with some predictions, to which the environment points."""
    file = tmp_path / "site.sqlite3"
    settings = {"DATABASE_URL": f"sqlite:///{file}", "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": SECRET}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    app = create_database_app(settings)
    make_tables(app)
    with app.app_context():
        add(*(row(drawing=os.urandom(3000)) for _ in range(ROWS)))
        db.engine.dispose()
    return file


def run(*command: str) -> Result:
    return CliRunner().invoke(main, command)


def ids(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [each[0] for each in connection.execute("SELECT id FROM prediction ORDER BY id")]


def insertion(file: Path, prediction: str) -> str:
    """Return a statement that copies any prediction under another id."""
    with closing(sqlite3.connect(file)) as connection:
        names = [each[1] for each in connection.execute("PRAGMA table_info(prediction)")]
    values = (f"'{prediction}'" if name == "id" else name for name in names)
    return f"INSERT INTO prediction SELECT {', '.join(values)} FROM prediction LIMIT 1"  # noqa: S608


@contextmanager
def site_that_writes(file: Path, prediction: str) -> Iterator[Callable[[], None]]:
    """Run a process that has the database open, and yield a function that lets it insert a row."""
    command = [sys.executable, "-c", SITE, str(file), insertion(file, prediction)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as site:
        assert site.stdout is not None
        site.stdout.readline()

        def write() -> None:
            site.communicate("\n", timeout=30)
            assert site.returncode == 0

        yield write


def damage_index(file: Path) -> None:
    """Let an index lack a row."""
    statement = insertion(file, uuid.uuid4().hex)
    name = ("ix_prediction_created_at_id",)
    with closing(sqlite3.connect(file)) as connection:
        [index] = connection.execute("SELECT * FROM sqlite_schema WHERE name = ?", name)
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = ?", name)
        connection.commit()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index)
        connection.commit()


def delete_one(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM prediction WHERE id = (SELECT min(id) FROM prediction)")
        connection.commit()


def leftovers(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if ".part" in file.name]


def test_backup_is_one_private_file_with_all_rows(database: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    file = tmp_path / "kept" / "a.backup"
    with closing(sqlite3.connect(database)) as open_connection:  # so that the rows stay in the log
        open_connection.execute("PRAGMA journal_mode=WAL")
        delete_one(database)
        result = run("backup", str(file))
        assert result.exit_code == 0, result.output
    assert result.output == f"{file} holds {ROWS - 1} predictions.\n"
    assert [each.name for each in file.parent.iterdir()] == ["a.backup"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ids(file) == ids(database)


def test_backup_is_whole_while_the_site_writes(database: Path, tmp_path: Path) -> None:
    written = ids(database)
    ended = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            while not ended.is_set():
                connection.execute("UPDATE prediction SET drawing = randomblob(3000)")
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
            assert ids(tmp_path / "a.backup") == written
    finally:
        ended.set()
        writer.join()


def test_restoration_keeps_the_former_database(database: Path, tmp_path: Path) -> None:
    whole = ids(database)
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    delete_one(database)
    changed = ids(database)
    with closing(sqlite3.connect(database)) as site:  # a running site sees the restored rows
        assert len(site.execute("SELECT id FROM prediction").fetchall()) == ROWS - 1
        result = run("restore", str(tmp_path / "a.backup"))
        assert result.exit_code == 0, result.output
        assert len(site.execute("SELECT id FROM prediction").fetchall()) == ROWS
    assert ids(database) == whole
    assert ids(tmp_path / "site.sqlite3.replaced") == changed
    assert leftovers(tmp_path) == []


def test_restoration_loses_nothing_that_is_written_meanwhile(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    saved: list[str] = []
    refused: list[str] = []
    ended = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=0.05)) as connection:
            while not ended.wait(0.001):
                prediction = uuid.uuid4().hex
                try:
                    connection.execute(insertion(database, prediction))
                    connection.commit()
                    saved.append(prediction)
                except sqlite3.OperationalError:
                    connection.rollback()
                    refused.append(prediction)

    def count_slowly(file: Path) -> dict[str, int]:
        time.sleep(0.2)
        return count_rows(file)

    monkeypatch.setattr(sqlite_backup, "count_rows", count_slowly)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = run("restore", str(tmp_path / "a.backup"))
        time.sleep(0.2)
    finally:
        ended.set()
        writer.join()
    assert result.exit_code == 0, result.output
    former, new = ids(tmp_path / "site.sqlite3.replaced"), ids(database)
    assert set(saved) <= {*former, *new}
    assert saved[0] in former
    assert saved[-1] in new
    assert not {*refused} & {*former, *new}
    assert refused, "the writer has not met the restoration"


def test_older_backup_is_migrated(database: Path, tmp_path: Path) -> None:
    whole = ids(database)
    settings = {"DATABASE_URL": f"sqlite:///{database}", "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": SECRET}
    newest = count_rows(database).keys()
    with create_database_app(settings).app_context():
        flask_migrate.downgrade(revision="-1")
        db.engine.dispose()
    assert run("backup", str(tmp_path / "old.backup")).exit_code == 0
    assert run("restore", str(tmp_path / "old.backup")).exit_code == 0
    assert ids(database) == whole
    assert count_rows(database).keys() == newest


def test_lost_database_is_restored(database: Path, tmp_path: Path) -> None:
    whole = ids(database)
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    for suffix in ("", *COMPANIONS):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    assert run("restore", str(tmp_path / "a.backup")).exit_code == 0
    assert ids(database) == whole


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda whole: whole[: len(whole) // 2],
    "all but the end": lambda whole: whole[:-4096],
    "empty": lambda _: b"",
    "text": lambda _: b"no backup\n" * 100,
    "changed": lambda whole: whole[:8192] + os.urandom(4096) + whole[12288:],
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_backup_replaces_nothing(database: Path, tmp_path: Path, broken: str) -> None:
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    file = tmp_path / "broken.backup"
    file.write_bytes(BROKEN[broken]((tmp_path / "a.backup").read_bytes()))
    delete_one(database)
    before = ids(database)
    result = run("restore", str(file))
    assert result.exit_code == 1
    assert "the database is as it was" in result.output
    assert "Traceback" not in result.output
    assert ids(database) == before
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("broken", BROKEN)
def test_damaged_database_is_replaced_and_kept(database: Path, tmp_path: Path, broken: str) -> None:
    whole = ids(database)
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    damaged = BROKEN[broken](database.read_bytes())
    database.write_bytes(damaged)
    result = run("restore", str(tmp_path / "a.backup"))
    assert result.exit_code == 0, result.output
    assert ids(database) == whole
    assert (tmp_path / "site.sqlite3.replaced").read_bytes() == damaged


@pytest.mark.process
def test_damaged_database_in_use_is_refused(database: Path, tmp_path: Path) -> None:
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    damage_index(database)
    with site_that_writes(database, prediction := uuid.uuid4().hex) as write:
        result = run("restore", str(tmp_path / "a.backup"))
        assert result.exit_code == 1
        assert "another process uses it: stop the site first" in result.output
        write()
    assert prediction in ids(database)
    assert not (tmp_path / "site.sqlite3.replaced").exists()
    assert run("restore", str(tmp_path / "a.backup")).exit_code == 0
    assert prediction in ids(tmp_path / "site.sqlite3.replaced")


@pytest.mark.process
def test_who_opened_a_damaged_database_in_the_last_moment_writes_to_the_former_one(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ids(database)
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    damage_index(database)
    monkeypatch.setattr(sqlite_backup, "is_open_elsewhere", lambda _: False)
    with site_that_writes(database, prediction := uuid.uuid4().hex) as write:
        assert run("restore", str(tmp_path / "a.backup")).exit_code == 0
        write()
    assert ids(database) == whole
    assert prediction in ids(tmp_path / "site.sqlite3.replaced")


@pytest.mark.parametrize("broken", BROKEN)
def test_failed_backup_leaves_the_one_before(database: Path, tmp_path: Path, broken: str) -> None:
    file = tmp_path / "a.backup"
    assert run("backup", str(file)).exit_code == 0
    good = file.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    database.write_bytes(BROKEN[broken](database.read_bytes()))
    result = run("backup", str(file))
    assert result.exit_code == 1
    assert "The backup failed" in result.output
    assert file.read_bytes() == good
    assert leftovers(tmp_path) == []


def test_missing_database_is_not_created_by_its_backup(database: Path, tmp_path: Path) -> None:
    database.unlink()
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 1
    assert not (tmp_path / "a.backup").exists()


def test_database_is_not_its_own_backup(database: Path) -> None:
    before = ids(database)
    assert run("backup", str(database)).exit_code == 1
    assert ids(database) == before


def test_rows_are_counted_before_the_swap(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    before = ids(database)
    with pytest.raises(BackupError, match="another number of predictions"):
        sqlite_backup.restore(tmp_path / "a.backup", database, delete_one)
    copy = sqlite_backup._copy

    def lose(source: Path, target: Path, **_: object) -> None:
        copy(source, target)
        delete_one(target)

    monkeypatch.setattr(sqlite_backup, "_copy", lose)
    assert "other rows" in run("restore", str(tmp_path / "a.backup")).output
    assert ids(database) == before


def test_other_process_that_writes_for_ever_is_reported(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("backup", str(tmp_path / "a.backup")).exit_code == 0
    monkeypatch.setattr(sqlite_backup, "BUSY_TIMEOUT", 0.5)
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = run("restore", str(tmp_path / "a.backup"))
    assert result.exit_code == 1
    assert "Another process has been writing for too long." in result.output


def test_postgresql_is_referred_to_its_own_tools(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    assert "deploy/backup" in run("backup", "a.backup").output


def in_process(*command: str, limit: int | None = None) -> subprocess.Popen[str]:
    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *command],
        preexec_fn=set_limit,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.process
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_full_disk_changes_nothing(database: Path, tmp_path: Path, command: str) -> None:
    file = tmp_path / "a.backup"
    assert run("backup", str(file)).exit_code == 0
    good = file.read_bytes()
    delete_one(database)
    before = ids(database)
    process = in_process(command, str(file), limit=60_000)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    assert file.read_bytes() == good
    assert ids(database) == before
    assert leftovers(tmp_path) == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "at"), [("backup", "site.sqlite3"), ("restore", "a.backup"), ("restore", "site.sqlite3")]
)
def test_killed_process_changes_nothing(database: Path, tmp_path: Path, command: str, at: str) -> None:
    file = tmp_path / "a.backup"
    assert run("backup", str(file)).exit_code == 0
    good, whole = file.read_bytes(), ids(database)
    delete_one(database)
    before = ids(database)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, command, str(file)], env=os.environ | {"KILL_AT": at}, check=False
    )
    assert killed.returncode == -9
    assert file.read_bytes() == good
    assert count_rows(database)["prediction"] == len(before)
    assert ids(database) == before
    assert run("restore", str(file)).exit_code == 0
    assert ids(database) == whole
