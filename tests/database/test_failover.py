"""PostgreSQL's failover: a standby accepts no writes, is promoted, and the site goes on without a restart."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, create_engine, make_url, text

from mnistweb.app import create_app
from mnistweb.extensions import db
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png
from tests.support.postgres import free_port, own_server, programs, unprivileged
from tests.support.sites import SECRET, migrated_site

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgres,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL's programs are not installed"),
]
IMAGE = {"image": data_url(digit_png(3))}


def run(folder: Path, program: str, *arguments: str) -> None:
    found = programs()
    assert found
    command = [*unprivileged(), str(found / program), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


class Standby:
    """A standby of a server, which follows it until it is promoted."""

    def __init__(self, folder: Path, primary: URL) -> None:
        self.port = free_port()
        self._folder, self._data = folder, str(folder / "data")
        options = ["-h", str(primary.host), "-p", str(primary.port), "-U", "postgres"]
        run(folder, "pg_basebackup", *options, "-D", self._data, "-R", "-X", "stream", "-c", "fast")
        settings = f"-c port={self.port} -c unix_socket_directories={folder} -c fsync=off"
        run(folder, "pg_ctl", "-D", self._data, "-w", "-o", settings, "-l", str(folder / "log"), "start")

    def promote(self) -> None:
        """Make it a primary, and wait until it is."""
        run(self._folder, "pg_ctl", "-D", self._data, "-w", "promote")

    def stop(self) -> None:
        """End all connections, and stop."""
        run(self._folder, "pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")


def execute(url: URL, statement: str) -> Any:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


def stop(server: URL) -> None:
    """Stop a server as a crash would."""
    data = execute(server, "SHOW data_directory")
    run(Path("/"), "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[URL]:
    """A server of its own, since standbys copy all of its databases. The site's is migrated."""
    found = programs()
    assert found
    with own_server(found, durable=False) as url, migrated_site(tmp_path, DATABASE_URL=url):
        yield make_url(url).set(drivername="postgresql+psycopg2")


@pytest.fixture
def standby(primary: URL) -> Iterator[Standby]:
    """A running standby of the primary."""
    folder = Path(tempfile.mkdtemp(prefix="mnistweb-standby-", dir="/tmp"))
    if unprivileged():
        shutil.chown(folder, "postgres", "postgres")
    standby = Standby(folder, primary)
    try:
        yield standby
    finally:
        standby.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def site(url: str, folder: Path) -> Iterator[FlaskClient]:
    """Yield a client of a site on this database, which needs no migration."""
    settings = {"DATABASE_URL": url, "INSTANCE_PATH": str(folder), "SECRET_KEY": SECRET}
    app = create_app(settings | {"RATELIMIT_ENABLED": "false"})
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def assert_writes_are_refused(client: FlaskClient, mine: str, token: str) -> None:
    for _ in range(2):
        answer = client.post("/api/v1/predictions", json=IMAGE)
        assert (answer.status_code, answer.get_json()["saved"]) == (200, False)
        feedback = client.post(f"/api/v1/predictions/{mine}/feedback", json={"label": 3})
        deletion = client.delete(f"/api/v1/predictions/{mine}")
        by_form = client.post(f"/predictions/{mine}/delete", data={"csrf_token": token})
        assert [feedback.status_code, deletion.status_code, by_form.status_code] == [503] * 3
        assert feedback.get_json()["error"]["code"] == "database_unavailable"
        assert feedback.headers["Retry-After"]
        assert client.get("/history").status_code == client.get("/").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.get_json()["error"]["message"] == "The database accepts no writes."


def assert_writes_succeed(client: FlaskClient, mine: str) -> None:
    assert client.get("/readyz").status_code == 200
    assert predict(client)["saved"]
    assert client.post(f"/api/v1/predictions/{mine}/feedback", json={"label": 3}).status_code == 200
    assert client.delete(f"/api/v1/predictions/{mine}").status_code == 204


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("wanted", ["any", "read-write"])
def test_site_follows_a_failover_to_the_standby(
    primary: URL, standby: Standby, tmp_path: Path, wanted: str
) -> None:
    url = (
        f"postgresql://postgres@/postgres?host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}"
        f"&target_session_attrs={wanted}"
    )
    with site(url, tmp_path) as client:
        token = csrf_token(client)
        mine = predict(client)["id"]
        assert client.get("/readyz").status_code == 200
        there = primary.set(port=standby.port)
        wait_for(lambda: execute(there, "SELECT count(*) FROM prediction") == 1)
        stop(primary)
        if wanted == "any":  # it reads from the standby
            wait_for(lambda: client.get("/history").status_code == 200)
            assert_writes_are_refused(client, mine, token)
        else:
            assert client.post("/api/v1/predictions", json=IMAGE).get_json()["saved"] is False
            assert client.get("/readyz").status_code == 503
        standby.promote()
        wait_for(lambda: client.get("/readyz").status_code == 200)
        assert_writes_succeed(client, mine)


def test_connections_from_a_time_without_writes_are_replaced(primary: URL, tmp_path: Path) -> None:
    end_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with site(primary.render_as_string(), tmp_path) as client:
        token = csrf_token(client)
        mine = predict(client)["id"]
        execute(primary, "ALTER DATABASE postgres SET default_transaction_read_only = on")
        execute(primary, end_others)
        wait_for(lambda: client.get("/history").status_code == 200)
        assert_writes_are_refused(client, mine, token)
        assert client.get("/history").status_code == 200  # its connection stays in the pool
        execute(primary.set(database="template1"), "ALTER DATABASE postgres RESET ALL")
        assert predict(client)["saved"]
        assert_writes_succeed(client, mine)
