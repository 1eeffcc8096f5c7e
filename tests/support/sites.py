"""A site to be tested: its tables made by the migrations, its connections closed when it is done with."""

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
    """The application with `settings`, what it keeps in `folder`; its database is SQLite unless they say."""
    usual = {
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "INSTANCE_PATH": str(folder),
        "SECRET_KEY": SECRET,
    }
    app = create_app(usual | settings)
    with app.app_context():
        flask_migrate.upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()
