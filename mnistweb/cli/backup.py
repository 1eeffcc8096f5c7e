"""`mnistweb backup` and `mnistweb restore`: the SQLite database as one file."""

from pathlib import Path

import click
import flask_migrate
from sqlalchemy import URL, make_url

from mnistweb.app import create_database_app
from mnistweb.cli.database import database_app
from mnistweb.config import environment
from mnistweb.database.sqlite_backup import BackupError, back_up
from mnistweb.database.sqlite_backup import restore as restore_file
from mnistweb.extensions import db


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the whole SQLite database to FILE.

    The site may keep running. FILE appears only when it is complete and has been read back. If that fails, an
    earlier FILE stays as it was.
    """
    if not file.name:
        raise click.BadParameter("Name the file to write.")
    try:
        predictions = back_up(_sqlite_file(), file)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file} holds {predictions:,} predictions.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Replace the SQLite database by the backup FILE.

    FILE is checked and migrated beside the database first. The former database stays beside it, with the
    ending ".replaced". The site may keep running, unless the database is damaged or missing.
    """
    database = _sqlite_file()
    try:
        predictions = restore_file(file, database, _migrate)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{predictions:,} predictions are restored. The database before is {database}.replaced.")


def _sqlite_file() -> Path:
    with database_app().app_context():
        url = make_url(db.engine.url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise click.ClickException(
            "This is for SQLite. For PostgreSQL there are deploy/backup and deploy/restore, or pg_dump."
        )
    return Path(url.database)


def _migrate(database: Path) -> None:
    url = URL.create("sqlite", database=str(database)).render_as_string()
    try:
        with create_database_app(environment() | {"DATABASE_URL": url}).app_context():
            flask_migrate.upgrade()
            db.engine.dispose()
    except (Exception, SystemExit) as error:  # Flask-Migrate exits after errors that it has logged
        raise BackupError(f"The backup cannot be migrated: {error}.") from error
