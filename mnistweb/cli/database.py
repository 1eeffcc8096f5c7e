"""`mnistweb migrate` and `mnistweb recount`: database maintenance."""

import click
import flask_migrate
from flask import Flask

from mnistweb.app import create_database_app
from mnistweb.config import ConfigError
from mnistweb.extensions import db
from mnistweb.predictions import aggregates


@click.command()
def migrate() -> None:
    """Migrate the site's database to the newest version."""
    with _database_app().app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


@click.command()
def recount() -> None:
    """Recompute the aggregates for Insights, after manual changes of the log.

    Locks out new predictions meanwhile. They wait for three seconds at most; then they are not saved.
    """
    with _database_app().app_context():
        aggregates.recount(db.session())
        db.session.commit()


def _database_app() -> Flask:
    try:
        return create_database_app()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
