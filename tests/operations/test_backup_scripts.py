"""`deploy/backup` and `deploy/restore` while everything about them breaks: nothing good is ever replaced."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import create_engine, make_url, text

from mnistweb.app import create_database_app
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from tests.support.postgres import free_port, own_server, programs
from tests.support.rows import add, row
from tests.support.sites import SECRET

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgres,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL's programs are not installed"),
]
ROOT = Path(__file__).parents[2]
ROWS = 40
DELETE_ONE = "DELETE FROM prediction WHERE id = (SELECT id FROM prediction LIMIT 1)"
Result = subprocess.CompletedProcess[str]


@dataclass
class Machine:
    """A checkout's scripts beside a PostgreSQL server, and a `docker` that only notes how it is called."""

    folder: Path
    environment: dict[str, str]
    server: str

    def run(self, *command: str, cwd: str = "", **environment: str) -> Result:
        """Run a command of the operator, by default in the checkout."""
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def program(self, name: str, script: str) -> None:
        """Put a program of this name before the real one, which the script calls as `"$REAL"`."""
        real = shutil.which(name, path=self.environment["PATH"])
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\nREAL={real}\n{script}\n")
        path.chmod(0o755)

    def rows(self, name: str = "mnistweb") -> list[str]:
        """Return the ids of a database's predictions."""
        url = make_url(self.server).set(drivername="postgresql+psycopg2", database=name)
        engine = create_engine(url)
        with engine.connect() as connection:
            found = [str(each) for each in connection.scalars(text("SELECT id FROM prediction ORDER BY id"))]
        engine.dispose()
        return found

    def calls(self) -> list[str]:
        """Return the calls of docker."""
        log = self.folder / "docker.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server with the site's role, which is no superuser."""
    found = programs()
    assert found
    with own_server(found, durable=False) as url:
        engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text("CREATE ROLE mnistweb LOGIN"))
        engine.dispose()
        yield url


@pytest.fixture
def machine(server: str, tmp_path: Path) -> Machine:
    """A machine whose database has some predictions."""
    engine = create_engine(
        make_url(server).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        for name in ("mnistweb", "restored", "replaced"):
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE mnistweb OWNER mnistweb"))
    engine.dispose()
    fill(server, tmp_path)
    (tmp_path / "deploy").mkdir()
    for name in ("backup", "restore", "count-rows", "backup-service"):
        shutil.copy(ROOT / "deploy" / name, tmp_path / "deploy")
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/docker.log\n')
    docker.chmod(0o755)
    url = make_url(server)
    environment = {
        "IN_POSTGRES": "",
        "PATH": f"{tmp_path}/bin:{programs()}:/usr/bin:/bin",
        "PGHOST": str(url.host),
        "PGPORT": str(url.port),
    }
    return Machine(tmp_path, environment, server)


def fill(server: str, folder: Path) -> None:
    """Migrate the database and add predictions."""
    url = make_url(server).set(database="mnistweb", username="mnistweb").render_as_string(hide_password=False)
    app = create_database_app({"DATABASE_URL": url, "INSTANCE_PATH": str(folder), "SECRET_KEY": SECRET})
    with app.app_context():
        flask_migrate.upgrade()
        add(*(row(drawing=os.urandom(3000), input=b"\0" * 784) for _ in range(ROWS)))
        aggregates.recount(db.session())
        db.session.commit()
        db.engine.dispose()


def change(machine: Machine) -> None:
    """Delete a prediction, so that the database differs from an earlier backup."""
    deleted = machine.run(
        "psql",
        "-U",
        "mnistweb",
        "-d",
        "mnistweb",
        "-c",
        DELETE_ONE,
    )
    assert deleted.returncode == 0, deleted.stderr


WAYS: dict[str, Callable[[str, str], list[str]]] = {
    "itself": lambda script, file: [script, file],
    "sh": lambda script, file: ["sh", script, file],
    "sh -c": lambda script, file: ["sh", "-c", f"{script} {file}"],
    "bash": lambda script, file: ["bash", script, file],
}
SHELLS = ("sh", "bash")
"""The ways that do not read the script's first line."""


@pytest.mark.parametrize("way", WAYS)
def test_backup_is_restored_however_the_scripts_are_called(
    machine: Machine, tmp_path: Path, way: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    backup, restore = (str(machine.folder / "deploy" / name) for name in ("backup", "restore"))
    before = machine.rows()
    made = machine.run(*WAYS[way](backup, "a.backup"), cwd=str(elsewhere))
    assert made.returncode == 0, made.stderr
    assert made.stdout == f"a.backup holds {ROWS} predictions.\n"
    assert [file.name for file in elsewhere.iterdir()] == ["a.backup"]
    assert (elsewhere / "a.backup").stat().st_mode & 0o077 == 0
    change(machine)
    changed = machine.rows()
    restored = machine.run(*WAYS[way](restore, "a.backup"), cwd=str(elsewhere))
    assert restored.returncode == 0, restored.stderr
    assert machine.rows() == before
    assert machine.rows("replaced") == changed
    assert machine.calls() == [
        "compose up --detach --wait postgres",
        "compose stop web",
        "compose up --detach --wait",
    ]


def test_links_to_the_scripts_work(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "daily").symlink_to(machine.folder / "deploy" / "backup")
    assert machine.run(str(tmp_path / "daily"), "a.backup").returncode == 0


def break_server(machine: Machine) -> dict[str, str]:
    return {"PGPORT": str(free_port())}


def break_dump(machine: Machine) -> dict[str, str]:
    machine.program("pg_dump", '"$REAL" "$@" | head --bytes 20000; exit 1')
    return {}


def break_dump_silently(machine: Machine) -> dict[str, str]:
    machine.program("pg_dump", '"$REAL" "$@" | head --bytes 20000; exit 0')
    return {}


def empty_database(machine: Machine) -> dict[str, str]:
    drop = "DROP TABLE prediction CASCADE"
    assert machine.run("psql", "-U", "mnistweb", "-d", "mnistweb", "-c", drop).returncode == 0
    return {}


@pytest.mark.parametrize("fault", [break_server, break_dump, break_dump_silently, empty_database])
@pytest.mark.parametrize("way", SHELLS)
def test_failed_backup_leaves_the_one_before(
    machine: Machine, fault: Callable[[Machine], dict[str, str]], way: str
) -> None:
    file = machine.folder / "a.backup"
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    good = file.read_bytes()
    environment = fault(machine)
    failed = machine.run(*WAYS[way](str(machine.folder / "deploy/backup"), "a.backup"), **environment)
    assert failed.returncode != 0
    assert failed.stderr
    assert file.read_bytes() == good
    assert not list(machine.folder.glob("*.part*"))


def test_full_disk_leaves_the_backup_before(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    good = (machine.folder / "a.backup").read_bytes()
    failed = machine.run("sh", "-c", "ulimit -f 30; deploy/backup a.backup")
    assert failed.returncode != 0
    assert (machine.folder / "a.backup").read_bytes() == good


def test_killed_backup_leaves_the_one_before(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    good = (machine.folder / "a.backup").read_bytes()
    machine.program("pg_dump", '"$REAL" "$@" | head --bytes 20000; sleep 60')
    kill_when(
        machine,
        lambda: any(part.stat().st_size for part in machine.folder.glob("a.backup.part.*")),
        "deploy/backup",
        "a.backup",
    )
    assert (machine.folder / "a.backup").read_bytes() == good


def kill_when(machine: Machine, reached: Callable[[], bool], *command: str) -> None:
    """Start a command, and kill all of its processes as soon as it has come so far."""
    process = machine.start(*command)
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda whole: whole[: len(whole) // 2],
    "all but the end": lambda whole: whole[:-1],
    "empty": lambda _: b"",
    "text": lambda _: b"no backup\n",
    "changed": lambda whole: whole[:9000] + bytes(600) + whole[9600:],
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("way", SHELLS)
def test_broken_backup_replaces_nothing(machine: Machine, broken: str, way: str) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    file = machine.folder / "broken.backup"
    file.write_bytes(BROKEN[broken]((machine.folder / "a.backup").read_bytes()))
    change(machine)
    before = machine.rows()
    failed = machine.run(*WAYS[way](str(machine.folder / "deploy/restore"), str(file)))
    assert failed.returncode != 0
    assert "The database is as it was." in failed.stderr
    assert machine.rows() == before
    assert "compose stop web" not in machine.calls()


def test_missing_backup_replaces_nothing(machine: Machine) -> None:
    before = machine.rows()
    assert machine.run("sh", "deploy/restore", "none.backup").returncode != 0
    assert machine.run("sh", "deploy/restore").returncode != 0
    assert machine.rows() == before
    assert machine.calls() == []


def test_backup_of_another_database_replaces_nothing(machine: Machine) -> None:
    before = machine.rows()
    dump = machine.run("pg_dump", "-U", "postgres", "-F", "custom", "-f", "other.backup", "postgres")
    assert dump.returncode == 0
    failed = machine.run("deploy/restore", "other.backup")
    assert failed.returncode != 0
    assert "is no backup of this site" in failed.stderr
    assert machine.rows() == before


def test_restored_rows_are_counted_before_the_swap(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    before = machine.rows()
    lose = f"psql -q -U mnistweb -d restored -c {shlex.quote(DELETE_ONE)}"
    machine.program("pg_restore", f'"$REAL" "$@" || exit\ncase "$*" in *--dbname*) {lose};; esac')
    failed = machine.run("deploy/restore", "a.backup")
    assert failed.returncode != 0
    assert "other numbers of rows" in failed.stderr
    assert machine.rows() == before
    assert "compose stop web" not in machine.calls()


def test_server_that_is_away_keeps_its_database(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    before = machine.rows()
    assert machine.run("sh", "deploy/restore", "a.backup", PGPORT=str(free_port())).returncode != 0
    assert machine.rows() == before


def test_killed_restore_replaces_nothing_and_can_be_repeated(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    whole = machine.rows()
    change(machine)
    before = machine.rows()
    reached = machine.folder / "reached"
    machine.program("pg_restore", f'"$REAL" "$@"\ncase "$*" in *--dbname*) touch {reached}; sleep 60;; esac')
    kill_when(machine, reached.exists, "deploy/restore", "a.backup")
    assert machine.rows() == before
    (machine.folder / "bin" / "pg_restore").unlink()
    assert machine.run("deploy/restore", "a.backup").returncode == 0
    assert machine.rows() == whole


def test_site_starts_again_if_the_swap_fails(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    change(machine)
    before = machine.rows()
    machine.program("psql", 'case "$*" in *--single-transaction*) exit 3;; esac\nexec "$REAL" "$@"')
    failed = machine.run("sh", "deploy/restore", "a.backup")
    assert failed.returncode == 3
    assert machine.rows() == before
    assert machine.calls()[-2:] == ["compose stop web", "compose up --detach --wait"]


def test_lost_database_is_restored(machine: Machine) -> None:
    assert machine.run("deploy/backup", "a.backup").returncode == 0
    whole = machine.rows()
    assert machine.run("dropdb", "-U", "postgres", "mnistweb").returncode == 0
    restored = machine.run("deploy/restore", "a.backup")
    assert restored.returncode == 0, restored.stderr
    assert machine.rows() == whole


@pytest.fixture
def kept(machine: Machine) -> Path:
    """The folder that the service fills, with three older backups and what a killed process left."""
    folder = machine.folder / "kept"
    folder.mkdir()
    machine.environment |= {"BACKUP_TO": str(folder), "BACKUP_HOURS": "24", "BACKUP_KEEP": "3"}
    for day in (1, 2, 3):
        file = folder / f"mnistweb-2026-01-0{day}T000000Z.backup"
        file.write_text("older")
        os.utime(file, (0, 0))
    (folder / "notes.txt").write_text("of the operator")
    (folder / "mnistweb-2026-01-04T000000Z.backup.part.17").write_text("half")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_service_makes_a_backup_when_it_is_time_and_keeps_the_newest(machine: Machine, kept: Path) -> None:
    assert machine.run("sh", "deploy/backup-service", "--once").returncode == 0
    *older, newest, notes = names(kept)
    assert older == ["mnistweb-2026-01-02T000000Z.backup", "mnistweb-2026-01-03T000000Z.backup"]
    assert notes == "notes.txt"
    again = machine.run("sh", "deploy/backup-service", "--once")
    assert again.stdout == ""
    assert newest in names(kept)
    assert len(names(kept)) == 4
    change(machine)
    assert machine.run("deploy/restore", str(kept / newest)).returncode == 0
    assert len(machine.rows()) == ROWS


def test_service_deletes_no_backup_while_new_ones_fail(machine: Machine, kept: Path) -> None:
    failed = machine.run("sh", "deploy/backup-service", "--once", PGPORT=str(free_port()))
    assert "The backup failed" in failed.stderr
    assert names(kept) == [*(f"mnistweb-2026-01-0{day}T000000Z.backup" for day in (1, 2, 3)), "notes.txt"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("BACKUP_HOURS", value) for value in ("0", "0.5", "24h", "", "-1", "08x")),
        *(("BACKUP_KEEP", value) for value in ("0", "00", "all", "", "-1")),
    ],
)
def test_service_makes_and_deletes_nothing_by_settings_that_are_no_numbers(
    machine: Machine, kept: Path, key: str, value: str
) -> None:
    before = names(kept)
    refused = machine.run("sh", "deploy/backup-service", "--once", **{key: value})
    assert refused.returncode == 1
    assert refused.stderr == f"{key} must be a whole number from 1 on.\n"
    assert names(kept) == before
    assert {(kept / name).read_text() for name in before if name.endswith(".backup")} == {"older"}
