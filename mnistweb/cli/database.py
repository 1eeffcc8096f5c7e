"""`mnistweb migrate`, `recount`, `prune` and `clean-pictures`: database maintenance."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click
import flask_migrate
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from mnistweb.app import create_database_app
from mnistweb.config import ConfigError
from mnistweb.database.outage_log import first_line
from mnistweb.database.revisions import Schema, schema_of
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.cleaning import clean_drawings
from mnistweb.predictions.retention import first_kept_day
from mnistweb.predictions.retention import prune as delete_older

STARTING_TIME = 60.0
"""Seconds in which a database may start."""
STARTING = ("starting up", "recovery", "shutting down")
"""Words in the refusals of a PostgreSQL that will soon accept connections."""
POLL_INTERVAL = 0.5
"""Seconds between two attempts to reach it."""


@click.command()
def migrate() -> None:
    """Migrate the site's database to the newest version.

    Waits for a database that is being started, for a minute at most. Leaves one alone that a newer version of
    mnistweb has migrated.
    """
    with database_app().app_context():
        try:
            _wait_for_database()
            _upgrade()
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database cannot be migrated: {first_line(error)}") from None
        finally:
            db.engine.dispose()


@click.command()
def recount() -> None:
    """Recompute the aggregates for Insights, after manual changes of the log.

    Locks out new predictions meanwhile. They wait for three seconds at most; then they are not saved.
    The counts of days whose drawings RETENTION_DAYS let go stay as they are.
    """
    with on_database():
        aggregates.recount(db.session(), first_kept_day(current_app.config["RETENTION_DAYS"]))
        db.session.commit()


@click.command()
def prune() -> None:
    """Delete the drawings that are older than RETENTION_DAYS.

    Their counts in the insights stay. The site may keep running; run this once a day.
    """
    with on_database():
        first = first_kept_day(current_app.config["RETENTION_DAYS"])
        if first is None:
            raise click.ClickException("RETENTION_DAYS is 0, so every drawing stays.")
        deleted = sum(delete_older(first))
    click.echo(f"{deleted:,} drawings from before {first} are deleted.")


@click.command()
@click.option("--after", type=uuid.UUID, help="The id after which an earlier run stopped.")
def clean_pictures(after: uuid.UUID | None) -> None:
    """Encode drawings anew that an earlier version stored as they were sent.

    Removes what files hold beside their pixels: places, cameras, names, comments. The site may keep running,
    and the command may be stopped and repeated.
    """
    seen = changed = 0
    with on_database():
        for batch in clean_drawings(after):
            seen, changed = seen + batch.seen, changed + batch.changed
            click.echo(f"{seen:,} pictures seen, {changed:,} encoded anew, up to {batch.last}")
    click.echo("Every picture holds its pixels alone.")


def database_app() -> Flask:
    """Create the application with its database alone. Raises ClickException for an invalid setting."""
    try:
        return create_database_app()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def on_database(create: Callable[[], Flask] | None = None) -> Iterator[Flask]:
    """Enter an application, and turn a failure of the database into a ClickException.

    By default it is the one with its database alone.
    """
    app = (create or database_app)()
    with app.app_context():
        try:
            yield app
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database cannot be used: {_reason(error)}") from None


def _reason(error: SQLAlchemyError) -> str:
    """Return why a statement failed: an older schema explains it better than the missing table or column."""
    with suppress(SQLAlchemyError), db.engine.connect() as connection:
        if schema_of(connection, current_app.extensions["migrate"].directory) is Schema.OLDER:
            return "it is not migrated. Run mnistweb migrate."
    return first_line(error)


def _upgrade() -> None:
    with db.engine.connect() as connection:
        schema = schema_of(connection, current_app.extensions["migrate"].directory)
    if schema is Schema.OLDER:
        flask_migrate.upgrade()
    elif schema is Schema.NEWER:
        click.echo("The database is of a newer version of mnistweb.", err=True)


def _wait_for_database() -> None:
    """Return once the database can be reached. Raises OperationalError if it is not being started."""
    deadline = time.monotonic() + STARTING_TIME
    waiting = False
    while True:
        try:
            db.engine.connect().close()
        except OperationalError as error:
            if time.monotonic() > deadline or not _may_be_starting(str(error.orig)):
                raise
        else:
            return
        if not waiting:
            click.echo(f"Waiting for the database, for {STARTING_TIME:.0f} seconds at most.", err=True)
        waiting = True
        time.sleep(POLL_INTERVAL)


def _may_be_starting(message: str) -> bool:
    # A server that answers says FATAL, for example to a wrong password. Starting, it says so as well.
    if db.engine.dialect.name != "postgresql":
        return False
    return "FATAL" not in message or any(each in message for each in STARTING)
