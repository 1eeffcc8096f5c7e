"""The application under test, on SQLite and on PostgreSQL, its tables made by the migrations."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from sqlalchemy import Engine, create_engine, delete, make_url, text

from mnistweb.database.models import ConfidenceTally, Prediction, Tally
from mnistweb.extensions import db
from tests.support.clients import predict
from tests.support.postgres import NoPostgres, postgres
from tests.support.sites import SECRET, migrated_site

# A time limit for each example would say more of the machine's other work than of the code.
# The same examples in every run: what fails there fails here.
settings.register_profile("mnistweb", deadline=None, derandomize=True)
settings.load_profile("mnistweb")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database; skips where there is none, which in CI is a failure."""
    try:
        with postgres() as url:
            # A database that was given may hold what an interrupted run left behind.
            engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
            with engine.begin() as connection:
                connection.execute(
                    text("DROP TABLE IF EXISTS prediction, tally, confidence_tally, alembic_version")
                )
            engine.dispose()
            yield url
    except NoPostgres as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[Engine]:
    """A PostgreSQL database without tables, beside the one that the other tests share."""
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS mnistweb_empty"))
        connection.execute(text("CREATE DATABASE mnistweb_empty"))
    engine = create_engine(url.set(database="mnistweb_empty"))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE mnistweb_empty"))
    server.dispose()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_app(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a database that the migrations made."""
    folder = tmp_path_factory.mktemp("instance")
    with migrated_site(folder, DATABASE_URL=database_url, TESTING=True, RATELIMIT_ENABLED="false") as app:
        yield app


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """The application with an empty log."""
    # Rows go instead of a transaction being rolled back: the application commits, on several connections.
    with migrated_app.app_context():
        for table in (Prediction, Tally, ConfidenceTally):
            db.session.execute(delete(table))
        db.session.commit()
    config = migrated_app.config.copy()
    yield migrated_app
    migrated_app.config.clear()
    migrated_app.config.update(config)


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
