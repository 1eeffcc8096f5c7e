"""`mnistweb migrate` with a database that is away, starting, newer, busy, or none."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mnistweb.cli import database as commands
from mnistweb.cli import main
from tests.support.postgres import free_port, own_server, programs
from tests.support.sites import SECRET


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of their own, and a short patience."""
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setattr(commands, "STARTING_TIME", 1.0)


def migrate() -> Result:
    return CliRunner().invoke(main, ["migrate"])


def assert_one_sentence(result: Result) -> None:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Error: The database cannot be migrated: " in result.output
    assert "Traceback" not in result.output
    assert len(result.output.splitlines()) <= 2


def test_database_of_a_newer_version_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "newer.sqlite3"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    assert migrate().exit_code == 0
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of a newer version'")
    for _ in range(2):
        result = migrate()
        assert result.exit_code == 0, result.output
        assert result.output == "The database is of a newer version of mnistweb.\n"
    backup = CliRunner().invoke(main, ["restore", str(file)], env={"DATABASE_URL": f"sqlite:///{file}.other"})
    assert backup.exit_code == 1
    assert "cannot be migrated" in backup.output


def test_migrated_database_may_be_written_to_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/busy.sqlite3")
    assert migrate().exit_code == 0
    with closing(sqlite3.connect(tmp_path / "busy.sqlite3", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        result = migrate()
    assert result.exit_code == 0, result.output


def test_database_that_stays_away_is_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me@127.0.0.1:{free_port()}/nothing")
    result = migrate()
    assert_one_sentence(result)
    assert "Waiting for the database" in result.output


def test_refusal_is_not_waited_for(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{postgres_url}_of_another_name")
    result = migrate()
    assert_one_sentence(result)
    assert "Waiting" not in result.output
    assert "does not exist" in result.output


@pytest.mark.parametrize("content", ["no database, only a text " * 100])
def test_file_that_is_no_database_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "text.sqlite3").write_text(content)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/text.sqlite3")
    result = migrate()
    assert_one_sentence(result)
    assert "file is not a database" in result.output
    assert (tmp_path / "text.sqlite3").read_text() == content


@pytest.mark.process
@pytest.mark.postgres
def test_database_that_is_started_later_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL's programs are not installed")
    monkeypatch.setattr(commands, "STARTING_TIME", 60.0)
    port = free_port()
    monkeypatch.setattr("tests.support.postgres.free_port", lambda: port)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@127.0.0.1:{port}/postgres")
    results: list[Result] = []
    waiting = threading.Thread(target=lambda: results.append(migrate()))
    waiting.start()
    time.sleep(1)
    with own_server(found, durable=False):
        waiting.join(60)
        assert results[0].exit_code == 0, results[0].output


@pytest.mark.parametrize("url", ["postgresql://me:secret@db:port/name", "postgresql://me:p@ss/word@db/name"])
def test_url_that_cannot_be_read_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    result = migrate()
    assert result.exit_code == 1
    assert "percent-encoded (%40 for @, %2F for /)" in result.output
    assert "secret" not in result.output
    assert "word" not in result.output.replace("password", "")


@pytest.mark.parametrize(
    "command", [["recount"], ["prune"], ["clean-pictures"], ["models", "versions"], ["data", "stats"]]
)
def test_database_without_tables_is_explained(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "30")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite3")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.output == (
        "Error: The database cannot be used: it is not migrated. Run mnistweb migrate.\n"
    )


@pytest.mark.parametrize("command", ["recount", "prune", "clean-pictures"])
def test_database_that_is_away_gets_a_sentence(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "30")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me@127.0.0.1:{free_port()}/nothing")
    result = CliRunner().invoke(main, [command])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Error: The database cannot be used: " in result.output
    assert "refused" in result.output


def test_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path / "file" / "instance"))
    result = migrate()
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: INSTANCE_PATH {tmp_path}/file/instance cannot be used: ")


@pytest.mark.parametrize(
    "command",
    [
        ["models", "--charts", "FILE/charts"],
        ["models", "export", "--triton", "FILE/repository"],
        ["data", "export", "FILE/export", "--format", "csv"],
        ["backup", "FILE/backup"],
    ],
)
def test_file_that_cannot_be_written_is_named(command: list[str], tmp_path: Path) -> None:
    assert migrate().exit_code == 0
    (tmp_path / "file").touch()
    given = [word.replace("FILE", str(tmp_path / "file")) for word in command]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.output.startswith("Error: ")
    assert str(tmp_path / "file") in result.output
    assert len(result.output.splitlines()) == 1


def test_backup_needs_a_name() -> None:
    result = CliRunner().invoke(main, ["backup", ""])
    assert result.exit_code == 2
    assert "Name the file to write." in result.output
