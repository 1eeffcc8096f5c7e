"""What can go wrong, one after another. Each cause returns when it is over, and may say what it saw."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg2

from tests.system.chaos.clients import DRAWINGS
from tests.system.chaos.database import Database
from tests.system.chaos.site import Site

AWAY = 5.0
"""Seconds for which a thing is away."""
WHOLE = (
    b"POST /api/v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: what it does, and whether the site stays able to answer meanwhile, unsaved at worst."""

    name: str
    happen: Callable[[Site, Database], None]
    answers: bool = False
    """Every request is answered meanwhile."""
    unsaved: bool = False
    """Some of them with "saved": false, since the database is away."""


def kill_workers(site: Site, _: Database) -> None:
    """Each process that answers, one after another, twice."""
    for _round in range(2):
        for pid in site.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(1)


def restart_database(_: Site, database: Database) -> None:
    """Stop in good order; a while later start."""
    database.stop()
    time.sleep(AWAY)
    database.start()


def kill_database(_: Site, database: Database) -> None:
    """Without any order."""
    database.kill()
    time.sleep(AWAY)
    database.start()


def freeze_database(_: Site, database: Database) -> None:
    """It neither answers nor goes."""
    database.freeze()
    time.sleep(AWAY + 2)
    database.thaw()


def fill_disk(_: Site, database: Database) -> None:
    """Nothing can be written."""
    database.fill()
    time.sleep(AWAY)
    database.empty()


def take_connections(_: Site, database: Database) -> None:
    """Others have all connections, those of the site too."""
    held = []
    ends = time.monotonic() + AWAY
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


def cut_off(site: Site, _: Database) -> None:
    """Clients that go in the middle of their request, or before its answer."""
    body = b'{"image": "%s"}' % DRAWINGS[3].encode()
    request = WHOLE % (len(body), body)
    for number in range(60):
        with socket.create_connection(("127.0.0.1", site.port)) as client:
            # Closed so, what was not read is thrown away, and the server is told of a broken connection.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request[: len(request) * (number % 4 + 1) // 4])
        time.sleep(0.05)


def dawdle(site: Site, _: Database) -> None:
    """Clients that send a byte now and then, or half a request and no more."""
    body = b'{"image": "%s"}' % DRAWINGS[3].encode()
    request = WHOLE % (len(body), body)
    clients = []
    for number in range(200):
        client = socket.create_connection(("127.0.0.1", site.port))
        client.settimeout(1)
        with suppress(OSError):
            client.sendall(request[: (10, 60, 140, len(request) // 2)[number % 4]])
        clients.append((client, number))
    ends = time.monotonic() + 2 * AWAY
    while time.monotonic() < ends:
        for client, number in clients:
            if number % 2:
                with suppress(OSError):
                    client.sendall(b"x")
        time.sleep(0.5)
    for client, _number in clients:
        client.close()


def stop_and_start(site: Site, _: Database) -> None:
    """As on a machine that restarts."""
    site.stop()
    time.sleep(1)
    site.start()


def update(site: Site, _: Database) -> None:
    """Replace the processes while they work, twice."""
    for _round in range(2):
        site.reload()
        time.sleep(2)


def spoil_model(site: Site, _: Database) -> None:
    """A network's file is damaged: those who have it loaded go on, none starts with it."""
    path = site.weights / "cnn.pt"
    path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    _without_model(site)


def lose_model(site: Site, _: Database) -> None:
    """A network's file is gone."""
    (site.weights / "cnn.pt").unlink()
    _without_model(site)


def _without_model(site: Site) -> None:
    site.reload()
    time.sleep(2)
    if site.process.poll() is not None or not site.workers():
        raise AssertionError("the site went down when it was reloaded without its network")
    site.stop()
    said = site.refuses()
    if "cnn.pt: " not in said:
        raise AssertionError(f"the site did not say why it does not start: {said!r}")
    site.restore_weights()
    site.start()


CAUSES = (
    Cause("nothing", lambda _site, _database: time.sleep(AWAY), answers=True),
    Cause("workers killed", kill_workers),
    Cause("database restarted", restart_database, answers=True, unsaved=True),
    Cause("database killed", kill_database, answers=True, unsaved=True),
    Cause("database frozen", freeze_database, answers=True, unsaved=True),
    Cause("disk full", fill_disk, answers=True, unsaved=True),
    Cause("connections taken", take_connections, answers=True, unsaved=True),
    Cause("clients cut off", cut_off, answers=True),
    Cause("slow clients", dawdle, answers=True),
    Cause("site stopped and started", stop_and_start),
    Cause("site updated", update, answers=True),
    Cause("network's file damaged", spoil_model),
    Cause("network's file gone", lose_model),
)
