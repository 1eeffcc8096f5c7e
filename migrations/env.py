"""Run the migrations on the database of the current application."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from mnistweb.database.migration_lock import migration_lock, with_lock_timeout
from mnistweb.database.sqlite_transactions import whole_transactions
from mnistweb.extensions import db


def migrate(connection: Connection) -> None:
    """Run each migration in its own transaction, so that no lock outlasts its migration."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        # Alembic does not expect it of SQLite, where `whole_transactions` sees to it.
        transactional_ddl=True,
        transaction_per_migration=True,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


with db.engine.connect() as connection, migration_lock(connection), whole_transactions(connection):
    with_lock_timeout(connection, migrate)
