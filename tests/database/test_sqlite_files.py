"""The files of an SQLite database: private, without deleted drawings, migrated by one process at a time."""

import fcntl
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mnistweb.app import create_database_app
from mnistweb.database import wiping
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from tests.support.clients import predict
from tests.support.servers import COMMAND
from tests.support.sites import SECRET, migrated_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """A site with a database of its own."""
    with migrated_site(tmp_path, RATELIMIT_ENABLED="false", TESTING=True) as site:
        yield site


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("site.sqlite3*")}


def test_files_are_for_their_owner_alone(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    before = os.umask(0)
    try:
        site = request.getfixturevalue("site")
        predict(site.test_client())
        assert len(list(tmp_path.glob("site.sqlite3*"))) == 4
        assert modes(tmp_path) == {0o600}
    finally:
        os.umask(before)


def test_files_of_an_earlier_version_become_private(site: Flask, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "site.sqlite3")) as reader:
        reader.execute("SELECT count(*) FROM prediction").fetchall()
        for file in tmp_path.glob("site.sqlite3*"):
            file.chmod(0o644)
        with site.app_context():
            db.engine.dispose()
        assert predict(site.test_client())["saved"]
        assert modes(tmp_path) == {0o600}


@pytest.mark.process
def test_log_outlives_another_process(site: Flask, tmp_path: Path) -> None:
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM prediction').close()"
    file = tmp_path / "site.sqlite3"
    with site.app_context(), db.engine.connect() as first, db.engine.connect() as second:
        for connection in (first, second):
            connection.execute(select(Prediction.id)).all()
        subprocess.run([sys.executable, "-c", program, str(file)], check=True)
        assert Path(f"{file}-wal").exists()  # who closes the last connection deletes it
        id_ = predict(site.test_client())["id"]
    with closing(sqlite3.connect(file)) as reader:
        assert (uuid.UUID(id_).hex,) in reader.execute("SELECT id FROM prediction").fetchall()


def drawing_of(site: Flask, prediction_id: str) -> bytes:
    with site.app_context():
        query = select(Prediction.drawing).where(Prediction.id == uuid.UUID(prediction_id))
        return db.session.scalars(query).one()


def is_on_disk(folder: Path, drawing: bytes) -> bool:
    # A page of the database holds 4 KiB, so a part of the pixels is looked for.
    part = drawing[100:400]
    assert len(part) == 300
    return any(part in file.read_bytes() for file in folder.glob("site.sqlite3*"))


@pytest.mark.parametrize("way", ["api", "form"])
def test_deleted_drawing_is_overwritten(site: Flask, tmp_path: Path, way: str) -> None:
    client = site.test_client()
    predict(client, 5)
    deleted = predict(client, 3)["id"]
    drawing = drawing_of(site, deleted)
    assert is_on_disk(tmp_path, drawing)
    if way == "api":
        assert client.delete(f"/api/v1/predictions/{deleted}").status_code == 204
    else:
        page = client.get("/").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        assert client.post("/predictions/delete", data={"csrf_token": token}).status_code == 303
    assert not is_on_disk(tmp_path, drawing)


def test_deleted_drawing_is_overwritten_later_if_another_process_reads(site: Flask, tmp_path: Path) -> None:
    client = site.test_client()
    deleted = predict(client, 3)["id"]
    drawing = drawing_of(site, deleted)
    with closing(sqlite3.connect(tmp_path / "site.sqlite3")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM prediction").fetchall()
        assert client.delete(f"/api/v1/predictions/{deleted}").status_code == 204
        assert is_on_disk(tmp_path, drawing)
    predict(client, 5)
    assert not is_on_disk(tmp_path, drawing)


def test_change_is_told_to_be_saved_though_nothing_can_be_overwritten(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PoolTimeout("no connection is free")

    client = site.test_client()
    prediction = predict(client)
    monkeypatch.setattr(wiping, "busy_timeout", fail)
    assert client.delete(f"/api/v1/predictions/{prediction['id']}").status_code == 204
    assert predict(client)["saved"]


def test_migration_waits_for_another_one(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}",
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": SECRET,
    }
    app = create_database_app(settings)

    def migrate() -> None:
        with app.app_context():
            flask_migrate.upgrade()

    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    waiting = threading.Thread(target=migrate)
    waiting.start()
    waiting.join(0.5)
    with app.app_context():
        assert waiting.is_alive()
        assert inspect(db.engine).get_table_names() == []
        os.close(folder)
        waiting.join(30)
        assert "prediction" in inspect(db.engine).get_table_names()
        db.engine.dispose()


@pytest.mark.process
def test_simultaneous_migrations_succeed(tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}",
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": SECRET,
    }
    start: Callable[[], subprocess.Popen[str]] = lambda: subprocess.Popen(  # noqa: E731
        [*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    processes = [start() for _ in range(4)]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
