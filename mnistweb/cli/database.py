"""`mnistweb migrate`, `recount` and `clean-pictures`: database maintenance."""

import uuid

import click
import flask_migrate
from flask import Flask

from mnistweb.app import create_database_app
from mnistweb.config import ConfigError
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.cleaning import clean_drawings


@click.command()
def migrate() -> None:
    """Migrate the site's database to the newest version."""
    with database_app().app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


@click.command()
def recount() -> None:
    """Recompute the aggregates for Insights, after manual changes of the log.

    Locks out new predictions meanwhile. They wait for three seconds at most; then they are not saved.
    """
    with database_app().app_context():
        aggregates.recount(db.session())
        db.session.commit()


@click.command()
@click.option("--after", type=uuid.UUID, help="The id after which an earlier run stopped.")
def clean_pictures(after: uuid.UUID | None) -> None:
    """Encode drawings anew that an earlier version stored as they were sent.

    Removes what files hold beside their pixels: places, cameras, names, comments. The site may keep running,
    and the command may be stopped and repeated.
    """
    seen = changed = 0
    with database_app().app_context():
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
