"""A PostgreSQL server that can be stopped, killed, frozen and filled up."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2

from tests.support.postgres import NoPostgres, free_port, programs, unprivileged
from tests.system.chaos.disk import Disk, disk

MEGABYTES = 160
MAX_CONNECTIONS = 24


class Database:
    """A server with its data on a disk of its own."""

    def __init__(self, its_disk: Disk, found: Path) -> None:
        self.disk = its_disk
        self.folder = its_disk.folder
        self.programs = found
        self.port, self.standby_port = free_port(), free_port()
        self.data = self.folder / "data"
        self.site_url = (
            f"postgresql://postgres@/postgres?host=127.0.0.1:{self.port}&host=127.0.0.1:{self.standby_port}"
            "&target_session_attrs=read-write"
        )

    @property
    def url(self) -> str:
        """The URL of the server that is the primary now."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as an unprivileged user. Raises CalledProcessError."""
        command = [*unprivileged(), str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def make(self) -> None:
        """Create the data directory and start."""
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\n"
                f"unix_socket_directories = '{self.folder}'\nmax_connections = {MAX_CONNECTIONS}\n"
                "min_wal_size = 32MB\nmax_wal_size = 48MB\n"
            )
        self.start()

    def start(self) -> None:
        """Start, and wait for connections. Retries, since the previous process may still be ending."""
        for _ in range(20):
            with suppress(subprocess.CalledProcessError):
                return self.run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "start")
            time.sleep(0.25)
        raise RuntimeError("PostgreSQL does not start again")

    def stop(self) -> None:
        """Stop as for an update: close connections, write committed data."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", "fast", "stop")

    def pid(self) -> int:
        """Return the id of the postmaster, or 0."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
            return pid
        return 0

    def processes(self) -> list[int]:
        """Return the ids of all processes, the postmaster first."""
        pid = self.pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def kill(self) -> None:
        """Kill the postmaster; the other processes notice and end."""
        os.kill(self.pid(), signal.SIGKILL)

    def freeze(self) -> None:
        """Stop all processes: the kernel still accepts connections, but there is no answer."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue all processes."""
        for pid in self.processes():
            os.kill(pid, signal.SIGCONT)

    def empty_disk(self) -> None:
        """Free the disk's space, and start the server if it has ended, as an operator would."""
        self.disk.empty()
        if not self.pid():
            self.start()

    def make_standby(self) -> Path:
        """Start a standby that has every commit before its client knows; return its data directory."""
        data = self.folder / "standby"
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        self.run("pg_basebackup", *server, "-D", str(data), "-R", "-X", "stream", "-c", "fast")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.standby_port}\n")
        self.run("pg_ctl", "-D", str(data), "-w", "-l", str(self.folder / "standby.log"), "start")
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        return data

    def promote(self, standby: Path) -> None:
        """Make the standby the primary, in place of the one that crashed."""
        self.run("pg_ctl", "-D", str(standby), "-w", "promote")
        self.data, self.port, self.standby_port = standby, self.standby_port, self.port

    def execute(self, *statements: str) -> None:
        """Execute statements, each in a transaction of its own."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def connect(self) -> "psycopg2.extensions.connection":
        """Open a connection beside the site's, with autocommit."""
        connection = psycopg2.connect(self.url, connect_timeout=5)
        connection.autocommit = True
        return connection


@contextmanager
def database(parent: Path | None = None) -> Iterator[Database]:
    """Run a temporary server, its files in a folder of `parent`, by default /tmp. Raises NoPostgres."""
    found = programs()
    if found is None:
        raise NoPostgres("make chaos needs PostgreSQL's own programs: install Debian's package postgresql")
    with disk(MEGABYTES, parent) as its_disk:
        if unprivileged():
            shutil.chown(its_disk.folder, "postgres", "postgres")
        server = Database(its_disk, found)
        server.make()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                server.stop()
