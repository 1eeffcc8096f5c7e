"""The application under test, its tables made by the migrations, and its visitors."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, event, make_url

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.drift import EXTENSION
from mnistweb.recognition import recognizer
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.clients import predict
from tests.support.postgres import NoPostgres, database, postgres
from tests.support.sites import SECRET, empty, migrated_site
from tests.support.templates import CompiledTemplates

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
"""The process that runs these tests, of those that pytest-xdist started; each has databases of its own."""


@event.listens_for(Engine, "connect")
def write_behind(connection: object, _record: object) -> None:
    """Let SQLite return before the disk has what it wrote: no test outlives a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def shipped_models() -> Iterator[None]:
    """Load the shipped models once, not for each application that a test makes."""
    load = recognizer.load_all
    shipped = cache(partial(load, WEIGHTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            recognizer, "load_all", lambda folder: dict(shipped()) if folder == WEIGHTS else load(folder)
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Compile each template once, not for each application that a test makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database; skips where there is none, which in CI is a failure."""
    try:
        with postgres(durable=False) as server, database(server, f"mnistweb_{WORKER}") as url:
            yield url
    except NoPostgres as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[Engine]:
    """A PostgreSQL database without tables, beside the one that the other tests share."""
    with database(postgres_url, f"mnistweb_{WORKER}_empty") as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}"


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless tests.support.databases runs the test on both."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[getattr(request, "param", "sqlite")]
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture(scope="session")
def migrated_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Flask]]:
    """The application on the database of a URL, which the migrations made; one for each URL."""
    with ExitStack() as stack:

        @cache
        def migrate(url: str) -> Flask:
            settings: dict[str, str | bool] = {
                "DATABASE_URL": url,
                "TESTING": True,
                "RATELIMIT_ENABLED": "false",
            }
            return stack.enter_context(migrated_site(tmp_path_factory.mktemp("instance"), **settings))

        yield migrate


@pytest.fixture
def app(migrated_app: Callable[[str], Flask], database_url: str) -> Iterator[Flask]:
    """The application with an empty log."""
    app = migrated_app(database_url)
    # Rows go instead of a transaction being rolled back: the application commits, on several connections.
    app.extensions.pop(EXTENSION, None)
    empty(app)
    config = app.config.copy()
    yield app
    app.config.clear()
    app.config.update(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies."""
    return app.test_client()


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """Another browser."""
    return app.test_client()


@pytest.fixture
def logged(app: Flask) -> Callable[[], int]:
    """Counts the rows of the log."""

    def count() -> int:
        with app.app_context():
            return db.session.query(Prediction).count()

    return count


@pytest.fixture
def predicted(client: FlaskClient) -> dict[str, Any]:
    """A prediction that `client` made through the API."""
    return predict(client)


@pytest.fixture
def unmigrated_settings(tmp_path: Path) -> dict[str, Any]:
    """Settings of a site whose SQLite file does not exist yet."""
    return {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": SECRET,
        "TESTING": True,
    }
