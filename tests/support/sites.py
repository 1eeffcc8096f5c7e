"""Test sites with a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import flask_migrate
from flask import Flask

from mnistweb.app import create_app, create_database_app
from mnistweb.extensions import db

SECRET = "not a secret, only for these tests"


@contextmanager
def migrated_site(folder: Path, **settings: str | bool) -> Iterator[Flask]:
    """Yield an application with its files in `folder`, by default on SQLite."""
    defaults = {
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "INSTANCE_PATH": str(folder),
        "SECRET_KEY": SECRET,
    }
    app = create_app(defaults | settings)
    make_tables(app)
    yield app
    with app.app_context():
        db.engine.dispose()


def make_tables(app: Flask) -> None:
    """Run the migrations, or copy a file on which they ran: SQLite needs them once for all tests."""
    with app.app_context():
        url = db.engine.url
        path = Path(url.database or "")
        if url.get_backend_name() == "sqlite" and not path.exists():
            path.write_bytes(_migrated_file())
            path.chmod(0o600)
        else:
            flask_migrate.upgrade()


def empty(app: Flask) -> None:
    """Delete the rows of all tables."""
    with app.app_context():
        for table in reversed(db.metadata.sorted_tables):  # those that refer to others first
            db.session.execute(table.delete())
        db.session.commit()


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as name:
        path = Path(name) / "site.sqlite3"
        app = create_database_app({"DATABASE_URL": f"sqlite:///{path}", "INSTANCE_PATH": name})
        with app.app_context():
            flask_migrate.upgrade()
            db.engine.dispose()
        return path.read_bytes()
