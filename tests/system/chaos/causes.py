"""Causes of failure. Each function returns when its failure is over; a wrong reaction raises an error."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2

from tests.support.dawdlers import Dawdlers
from tests.system.chaos.clients import DRAWINGS
from tests.system.chaos.database import Database
from tests.system.chaos.site import Site
from tests.system.chaos.sqlite_file import SqliteFile

OUTAGE_SECONDS = 5.0
"""Length of an outage."""
DAWDLERS, DAWDLING_SECONDS = 200, 30
"""Clients that hold a connection each, and how long they may."""
REQUEST = (
    b"POST /api/v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of failure, and the answers that the site must still give."""

    name: str
    happen: Callable[[Site, Any], None]
    answers: bool = False
    """Every request gets an answer meanwhile."""
    unsaved: bool = False
    """Some answers have "saved": false, since the database is down."""
    small_disk: bool = False
    """It needs a disk that can be filled up."""
    seconds: float | None = None
    """95 % of the answers take at most so long."""


def kill_workers(site: Site, _: object) -> None:
    """Kill each worker, one after another, twice."""
    for _round in range(2):
        for pid in site.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(1)


def restart_database(_: Site, database: Database) -> None:
    """Stop the database cleanly, and start it after the outage."""
    database.stop()
    time.sleep(OUTAGE_SECONDS)
    database.start()


def kill_database(_: Site, database: Database) -> None:
    """Kill the database, and start it after the outage."""
    database.kill()
    time.sleep(OUTAGE_SECONDS)
    database.start()


def freeze_database(_: Site, database: Database) -> None:
    """Freeze the database, so that it neither answers nor closes connections."""
    database.freeze()
    time.sleep(OUTAGE_SECONDS + 2)
    database.thaw()


def fill_disk(_: Site, database: Database | SqliteFile) -> None:
    """Fill the database's disk, so that it cannot write."""
    database.disk.fill()
    time.sleep(OUTAGE_SECONDS)
    database.empty_disk()


def take_connections(_: Site, database: Database) -> None:
    """Take all connections of the database, even those of the site."""
    held = []
    ends = time.monotonic() + OUTAGE_SECONDS
    with database.connect() as own, own.cursor() as cursor:
        while time.monotonic() < ends:
            try:
                held.append(psycopg2.connect(database.url, connect_timeout=2, application_name="hog"))
            except psycopg2.OperationalError:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name <> 'hog' AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                )
                time.sleep(0.02)
    own.close()
    for connection in held:
        connection.close()


def forbid_writes(_: Site, database: Database) -> None:
    """Let the database accept no writes, and end all connections at the beginning."""
    database.execute(
        "ALTER DATABASE postgres SET default_transaction_read_only = on",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    time.sleep(OUTAGE_SECONDS)
    database.execute(
        "SET default_transaction_read_only = off",
        "ALTER DATABASE postgres RESET default_transaction_read_only",
    )


def fail_over(_: Site, database: Database) -> None:
    """Crash the database, and promote its standby after the outage."""
    standby = database.make_standby()
    time.sleep(1)
    database.kill()
    time.sleep(OUTAGE_SECONDS)
    database.promote(standby)


def cut_connections(site: Site, _: Database) -> None:
    """Close connections during the request, or before its answer."""
    body = b'{"image": "%s"}' % DRAWINGS[3].encode()
    request = REQUEST % (len(body), body)
    for number in range(60):
        with socket.create_connection(("127.0.0.1", site.port)) as client:
            # Closed this way, unread data is dropped, and the server gets a connection reset.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request[: len(request) * (number % 4 + 1) // 4])
        time.sleep(0.05)


def dawdle(kind: str) -> Callable[[Site, Database], None]:
    """Return a cause: clients of many addresses that hold connections open, until the site closes them."""

    def happen(site: Site, _: Database) -> None:
        dawdlers = Dawdlers(site.port, kind, DAWDLERS, many_addresses=True)
        dawdlers.start()
        left = dawdlers.wait_until_closed(DAWDLING_SECONDS)
        dawdlers.stop()
        if left:
            raise AssertionError(f"{left} of {DAWDLERS} are connected after {DAWDLING_SECONDS} s")

    return happen


def restart_site(site: Site, _: Database) -> None:
    """Stop and start the site, as on a machine that restarts."""
    site.stop()
    time.sleep(1)
    site.start()


def reload_site(site: Site, _: Database) -> None:
    """Replace the workers under load, twice."""
    for _round in range(2):
        site.reload()
        time.sleep(2)


def corrupt_model(site: Site, _: Database) -> None:
    """Damage a network's file: running processes go on, and none starts with it."""
    path = site.weights / "cnn.pt"
    path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    _start_without_model(site)


def delete_model(site: Site, _: Database) -> None:
    """Delete a network's file."""
    (site.weights / "cnn.pt").unlink()
    _start_without_model(site)


def _start_without_model(site: Site) -> None:
    site.reload()
    time.sleep(2)
    if site.process.poll() is not None or not site.workers():
        raise AssertionError("the site ended when it was reloaded without its network")
    site.stop()
    message = site.failing_start()
    if "cnn.pt: " not in message:
        raise AssertionError(f"the site did not say why it does not start: {message!r}")
    site.restore_weights()
    site.start()


CAUSES = (
    Cause("nothing", lambda _site, _database: time.sleep(OUTAGE_SECONDS), answers=True),
    Cause("workers killed", kill_workers),
    Cause("database restarted", restart_database, answers=True, unsaved=True),
    Cause("database killed", kill_database, answers=True, unsaved=True),
    Cause("database frozen", freeze_database, answers=True, unsaved=True),
    Cause("disk full", fill_disk, answers=True, unsaved=True, small_disk=True),
    Cause("connections taken", take_connections, answers=True, unsaved=True),
    Cause("writes forbidden", forbid_writes, answers=True, unsaved=True),
    Cause("failover to a standby", fail_over, answers=True, unsaved=True),
    Cause("clients cut off", cut_connections, answers=True),
    Cause("silent in a body", dawdle("half a body"), answers=True, seconds=1),
    Cause("slow heads", dawdle("slow head"), answers=True, seconds=1),
    Cause("slow bodies", dawdle("slow body"), answers=True, seconds=1),
    Cause("unread downloads", dawdle("unread download"), answers=True, seconds=1),
    Cause("site stopped and started", restart_site),
    Cause("site updated", reload_site, answers=True),
    Cause("network's file damaged", corrupt_model),
    Cause("network's file gone", delete_model),
)
SQLITE_CAUSES = (
    Cause("SQLite: nothing", lambda _site, _file: time.sleep(OUTAGE_SECONDS), answers=True),
    Cause("SQLite: disk full", fill_disk, answers=True, unsaved=True, small_disk=True),
    Cause("SQLite: workers killed", kill_workers),
)
