"""Test sites with a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask

from mnistweb.app import create_app
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
    with app.app_context():
        flask_migrate.upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()
